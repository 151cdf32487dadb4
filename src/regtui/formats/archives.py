"""The verdict on files within files: members of zip archives, files embedded in pickles.

Only the verdict and the names are asked for here, not tensors or metadata. Whatever starts like a
pickle, also compressed, or is named like one is run; archives are gone through to any depth within
the limits. Members that hold nothing a loader would run are passed over.
"""

from collections.abc import Callable, Iterable
from typing import Final

from regtui.formats import torch_legacy
from regtui.formats.compressed import CompressedStream, kind_of
from regtui.formats.npy import NPY_MAGIC, read_array
from regtui.formats.pickle_runs import likeness, run_all, starts_pickle
from regtui.formats.reading import Reading
from regtui.formats.streams import Excess, SourceStream, Unreadable
from regtui.formats.values import BytesSource, Source
from regtui.formats.zip_directory import MAGIC, STORED, BadArchive, Member, Part, content, members

_ENDINGS: Final = (".pkl", ".pickle", ".joblib", ".pck", ".p", ".pt", ".pth", ".ckpt", ".bin")
_HEAD: Final = 16


def judge_file(source: Source, reading: Reading, depth: int) -> None:
    """Judge a file within another by what it holds."""
    head = source.read(0, 4096)
    if head.startswith(MAGIC):
        judge_archive(source, reading, depth)
    elif torch_legacy.matches(head, source):
        torch_legacy.judge(source, reading, depth)
    elif head.startswith(NPY_MAGIC):
        read_array(source, "", reading)
    elif kind_of(head):
        _judge_packed(source, reading, depth)
    elif likeness(SourceStream(source), reading) == "pickle":
        _judge_pickles(source, reading, depth)


def judge_archive(
    source: Source,
    reading: Reading,
    depth: int,
    *,
    inert: Callable[[str], bool] = lambda _: False,
) -> None:
    """Judge every member of a zip archive but those that `inert` knows as harmless by name."""
    try:
        judge_members(source, members(source, reading.limits), reading, depth, inert=inert)
    except BadArchive as error:
        reading.fail(error)


def judge_members(
    source: Source,
    found: Iterable[Member],
    reading: Reading,
    depth: int,
    *,
    inert: Callable[[str], bool] = lambda _: False,
) -> None:
    """Judge members of a zip archive."""
    if depth >= reading.limits.depth:
        reading.fail(Excess("archives are nested too deeply in it"))
        return
    for member in found:
        if not inert(member.name):
            try:
                _judge_member(source, member, reading, depth)
            except (BadArchive, Unreadable) as error:
                reading.fail(error)


def open_member(source: Source, member: Member, reading: Reading) -> Source:
    """Return the bytes of a member: a window where it is stored, else unpacked and held.

    Raises:
        BadArchive: It can't be unpacked.
        Excess: It and what was unpacked before are too large.
    """
    if member.method == STORED and not member.encrypted:
        if member.size != member.compressed:
            raise BadArchive(f"{member.name!r} in the zip archive is damaged")
        return Part(source, member.offset, member.size)
    reading.hold(member.size)
    return BytesSource(content(source, member, reading.limits))


def _judge_member(source: Source, member: Member, reading: Reading, depth: int) -> None:
    inner = open_member(source, member, reading)
    head = inner.read(0, _HEAD)
    if starts_pickle(head) or head.startswith((MAGIC, NPY_MAGIC)) or kind_of(head):
        judge_file(inner, reading, depth + 1)
    elif (
        member.name.lower().endswith(_ENDINGS)
        and likeness(SourceStream(inner), reading) == "pickle"
    ):
        _judge_pickles(inner, reading, depth)


def _judge_pickles(source: Source, reading: Reading, depth: int) -> None:
    run_all(SourceStream(source), reading, source, depth)


def _judge_packed(source: Source, reading: Reading, depth: int) -> None:
    try:
        if likeness(CompressedStream(source, reading), reading) == "pickle":
            run_all(CompressedStream(source, reading), reading, None, depth)
    except Unreadable as error:
        reading.fail(error)
