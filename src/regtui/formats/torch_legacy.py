"""What `torch.save` wrote before 1.6, and still writes when asked to.

Five pickles in a row (a magic number, the protocol, facts of the system, the object, the keys of
the storages) and then the storages, each with the number of its elements before its bytes. All are
judged. The storages follow in the order of the keys, so their places are known by counting.
"""

from typing import Final

from regtui.formats.pickle_machine import Machine
from regtui.formats.pickle_runs import run_embedded
from regtui.formats.pickled_contents import Contents
from regtui.formats.pickled_tensors import (
    ELEMENT_BYTES,
    StoragePlace,
    Storages,
    storage_of,
)
from regtui.formats.reading import Reading
from regtui.formats.streams import SourceStream, Unreadable
from regtui.formats.symbolic import Items, Persistent, Symbol
from regtui.formats.tar_header import TAR_BLOCK, is_tar
from regtui.formats.values import LIMITS, Facts, Limits, Source

_MAGIC: Final = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_PROTOCOL: Final = 1001
_PICKLES: Final = 5


def matches(head: bytes, _: Source) -> bool:
    """Tell whether it starts with torch's magic number as a pickle."""
    return head[:1] == b"\x80" and head[2:].startswith(_MAGIC)


def read(source: Source, limits: Limits = LIMITS) -> Facts:
    """Read a legacy torch file.

    Raises:
        OSError: The file could not be read.
    """
    reading = Reading(limits)
    contents = judge(source, reading, 0)
    return reading.facts("torch-legacy", contents.in_file_order(), contents.metadata)


def judge(source: Source, reading: Reading, depth: int) -> Contents:
    """Run the pickles of a legacy torch file and return what they hold."""
    stream = SourceStream(source)
    values: list[Symbol] = []
    asked: list[Persistent] = []
    storages: Storages = {}
    reading.worsen("tensors-only")
    if is_tar(source.read(0, TAR_BLOCK)):
        reading.fail(Unreadable("it is a tar archive as well, which torch reads first"))
    try:
        for _ in range(_PICKLES):
            machine = Machine(stream, reading)
            values.append(machine.run())
            asked += machine.asked
        storages = _places(values, _kinds(asked), stream)
        reading.complete = True if reading.complete is None else reading.complete
        if not stream.ended():
            reading.remark(f"what follows from byte {stream.position} belongs to no storage")
    except Unreadable as error:
        reading.fail(error)
    run_embedded(reading, source, depth)
    contents = Contents(reading, storages)
    if len(values) >= _PICKLES - 1:
        contents.walk(values[_PICKLES - 2])
    return contents


def _kinds(asked: list[Persistent]) -> dict[str, str]:
    """Return the element type of each storage by its key."""
    kinds: dict[str, str] = {}
    for persistent in asked:
        told = storage_of(persistent)
        if told is not None:
            kinds.setdefault(*told)
    return kinds


def _places(values: list[Symbol], kinds: dict[str, str], stream: SourceStream) -> Storages:
    """Count through the storages.

    Raises:
        Ended: One reaches beyond the end.
        Unreadable: They are not what the pickles say.
    """
    keys = values[_PICKLES - 1]
    if values[1] != _PROTOCOL or not isinstance(keys, Items):
        raise Unreadable("it is no legacy torch file, or a damaged one")
    places: Storages = {}
    for key in keys.values:
        if not isinstance(key, str):
            raise Unreadable("it is a damaged legacy torch file: a storage has no key")
        count = int.from_bytes(stream.take(8), "little", signed=True)
        width = ELEMENT_BYTES.get(kinds.get(key, ""))
        if width is None or count < 0:
            raise Unreadable("it is a damaged legacy torch file: a storage has no type")
        places[key] = StoragePlace(stream.position, count * width)
        stream.skip(count * width)
    return places
