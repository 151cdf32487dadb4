"""Keras' own archive: a zip of `config.json`, `metadata.json` and the weights as HDF5.

The configuration decides what loading would run (`keras_config`); the weights are read in place
when they are stored as they are, else unpacked within the limits and without a place in the file.
All members together are unpacked to no more than one may be.
Assets of layers (vocabularies) are plain text that Keras reads as such; whatever else lies in the
archive is judged by what it is, for Keras has read weights out of arrays of objects.

`complete` is certain: a zip's directory is written last.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import structs

from regtui.formats import hdf5, keras_config
from regtui.formats.archives import judge_members
from regtui.formats.cursor import Malformed, unread
from regtui.formats.flat import Flat
from regtui.formats.layout import BADNESS
from regtui.formats.reading import Reading
from regtui.formats.streams import Unreadable
from regtui.formats.values import LIMITS, BytesSource, Facts, Limits, Source, Tensor
from regtui.formats.zip_directory import STORED, BadArchive, Member, content, members, part

FORMAT: Final = "keras"
MAGIC: Final = b"PK\x03\x04"

_CONFIG, _METADATA = "config.json", "metadata.json"
_WEIGHTS = ".weights.h5"


def matches(head: bytes, source: Source) -> bool:
    """Whether it is a zip archive with both of Keras' texts."""
    if not head.startswith(MAGIC):
        return False
    try:
        return {_CONFIG, _METADATA} <= {member.name for member in members(source)}
    except BadArchive:
        return False


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Return what loading would run, the weights and how the model was trained.

    Raises:
        OSError: The file could not be read.
    """
    try:
        found = members(source, limits)
        return _facts(source, found, limits)
    except BadArchive as error:
        complete = False if error.truncated else None
        return Facts(FORMAT, "unread", complete=complete, problem=str(error))
    except Malformed as error:
        return unread(FORMAT, error)
    except Unreadable as error:
        return Facts(FORMAT, "unread", problem=str(error))


def _facts(source: Source, listed: Sequence[Member], limits: Limits) -> Facts:
    found = {member.name: member for member in listed}
    if len(found) != len(listed):
        raise Malformed("the zip archive has two members of the same name")
    if _CONFIG not in found:
        raise Malformed(f"the archive has no {_CONFIG}")
    reading = Reading(limits)
    config = keras_config.parse(_content(source, found[_CONFIG], reading), limits)
    judgement = keras_config.judge(config, limits)
    metadata = Flat(limits)
    if _METADATA in found:
        about = keras_config.parse(_content(source, found[_METADATA], reading), limits)
        metadata.tree("", about)
    keras_config.describe(config, metadata)
    tensors: list[Tensor] = []
    problem = judgement.problem
    own = {_CONFIG, _METADATA}
    others = [item for item in listed if item.name not in own and not item.name.endswith(_WEIGHTS)]
    judge_members(source, others, reading, 0)
    beside = reading.facts(FORMAT)
    parts = [member for name, member in found.items() if name.endswith(_WEIGHTS)]
    share = structs.replace(limits, steps=limits.steps // max(1, len(parts)))
    for member in parts:
        weights = _weights(source, member, reading, share)
        problem = problem or weights.problem
        tensors += weights.tensors
    return Facts(
        FORMAT,
        max(judgement.safety, beside.safety, key=lambda safety: BADNESS[safety]),
        complete=True,
        globals=tuple(sorted({*judgement.globals, *beside.globals})),
        tensors=tuple(tensors[: limits.tensors]),
        metadata=metadata.values,
        problem=problem or beside.problem,
        cut=metadata.cut or len(tensors) > limits.tensors,
    )


def _content(source: Source, member: Member, reading: Reading) -> bytes:
    """Return the bytes of a member, which are paid for by the reading."""
    reading.hold(member.size)
    return content(source, member, reading.limits)


def _weights(source: Source, member: Member, reading: Reading, limits: Limits) -> Facts:
    """Read a member's tensors; those of a stored member have places in the archive."""
    if member.method == STORED and not member.encrypted:
        facts = hdf5.read(part(source, member.offset, member.size), limits)
        moved = (_moved(tensor, member.offset) for tensor in facts.tensors)
    else:
        facts = hdf5.read(BytesSource(_content(source, member, reading)), limits)
        moved = (_moved(tensor, None) for tensor in facts.tensors)
    return Facts(facts.format, facts.safety, tensors=tuple(moved), problem=facts.problem)


def _moved(tensor: Tensor, by: int | None) -> Tensor:
    if tensor.offset is None or by is None:
        return Tensor(tensor.name, tensor.dtype, tensor.shape)
    return Tensor(tensor.name, tensor.dtype, tensor.shape, tensor.offset + by, tensor.size)
