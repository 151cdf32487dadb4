"""What `torch.save` writes: a zip archive with `data.pkl` and one member for each storage.

Also the checkpoints of Lightning, and TorchScript archives, which hold code as well (`code/`). That
code is no Python: the interpreter of TorchScript runs it, and loading runs none of it but what sets
the state. So such an archive needs its classes, as a pickle with classes does, and the names below
`__torch__` in it are its own.

Every other member that could be a pickle is judged too, also where names repeat, for the loader's
choice among them is not ours to guess. Storages are not: nothing loads them as anything else.
"""

import re
from typing import Final

from regtui.formats.archives import judge_members, open_member
from regtui.formats.pickle_runs import run_all
from regtui.formats.pickled_contents import Contents
from regtui.formats.pickled_tensors import StoragePlace, Storages
from regtui.formats.reading import Reading
from regtui.formats.streams import Excess, SourceStream, Unreadable
from regtui.formats.symbolic import Symbol
from regtui.formats.values import LIMITS, Facts, Limits, Source, Value
from regtui.formats.zip_directory import MAGIC, STORED, BadArchive, Member, members

_PICKLE: Final = re.compile(r"(.*/)?data\.pkl", re.DOTALL | re.IGNORECASE)  # as torch finds it
_NOTES: Final = ("version", "byteorder", ".format_version")
_LONGEST_NOTE: Final = 64


def matches(head: bytes, source: Source) -> bool:
    """Tell whether it is a zip archive with a `data.pkl`."""
    if not head.startswith(MAGIC):
        return False
    try:
        return any(_PICKLE.fullmatch(member.name) for member in members(source))
    except BadArchive:
        # Cut short or tampered with: the first member of an honest one is the pickle.
        return re.match(rb".{30}[^\0]{0,200}?data\.pkl", head, re.DOTALL) is not None


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Read a torch archive.

    Raises:
        OSError: The file could not be read.
    """
    reading = Reading(limits, "tensors-only")
    try:
        found = members(source, limits)
    except BadArchive as error:
        reading.fail(error)
        reading.complete = False if error.truncated else None
        return reading.facts("torch")
    main = [member for member in found if _PICKLE.fullmatch(member.name)]
    prefix = main[0].name[: -len("data.pkl")] if main else ""
    script = _is_script(found, prefix)
    if script:
        reading.own_package = "__torch__"
        reading.worsen("needs-classes")
    values = [value for member in main for value in _run(source, member, reading)]
    inert = re.compile(re.escape(prefix) + r"(data/\d+|code/.*|version|byteorder)", re.DOTALL)
    judge_members(
        source,
        (member for member in found if member not in main),
        reading,
        0,
        inert=lambda name: inert.fullmatch(name) is not None,
    )
    reading.complete = True  # every member lies where the directory says
    contents = Contents(reading, _storages(found, prefix))
    for value in values:
        contents.walk(value)
    metadata = contents.metadata | _notes(source, found, prefix, reading)
    return reading.facts("torchscript" if script else "torch", contents.in_file_order(), metadata)


def _is_script(found: tuple[Member, ...], prefix: str) -> bool:
    """Torch itself tells TorchScript by this member."""
    names = {member.name for member in found}
    return f"{prefix}constants.pkl" in names and any(
        name.startswith(f"{prefix}code/") for name in names
    )


def _run(source: Source, member: Member, reading: Reading) -> tuple[Symbol, ...]:
    try:
        inner = open_member(source, member, reading)
    except (BadArchive, Excess) as error:
        reading.fail(error)
        return ()
    run = run_all(SourceStream(inner), reading, inner)
    if run.arrays:
        reading.fail(Unreadable("it holds arrays of joblib, which torch does not write"))
    return run.values


def _storages(found: tuple[Member, ...], prefix: str) -> Storages:
    start = f"{prefix}data/"
    return {
        member.name.removeprefix(start): StoragePlace(member.offset, member.size)
        for member in found
        if member.name.startswith(start) and member.method == STORED
    }


def _notes(
    source: Source, found: tuple[Member, ...], prefix: str, reading: Reading
) -> dict[str, Value]:
    """Return the small texts beside the pickle: the version of the format, the order of bytes."""
    notes: dict[str, Value] = {}
    for member in found:
        name = member.name.removeprefix(prefix)
        if name in _NOTES and member.size <= _LONGEST_NOTE:
            try:
                raw = open_member(source, member, reading)
            except (BadArchive, Excess):
                continue
            text = raw.read(0, _LONGEST_NOTE).decode("ascii", "replace").strip()
            notes[f"torch.{name.lstrip('.')}"] = text
    return notes
