"""All pickles of one stream, and what they hold within.

A file may hold several pickles one after another; whoever loads it may load them all, so all count.
A pickle may also hold whole files that its loader loads (`torch.storage._load_from_bytes`), and
they count too.

What follows the last pickle and is none is told (`problem`) but changes no verdict: no loader runs
it. What breaks off before its end makes the file unread.
"""

from typing import Final

from msgspec import Struct

from regtui.formats.joblib_arrays import Arrays
from regtui.formats.pickle_machine import Machine, is_opcode
from regtui.formats.reading import Reading
from regtui.formats.streams import Excess, Stream, Unreadable
from regtui.formats.symbolic import Blob, Made, Symbol
from regtui.formats.tar_header import TAR_BLOCK, is_tar
from regtui.formats.values import BytesSource, Limits, Source
from regtui.formats.zip_directory import Part

_PROTO: Final = 0x80
_NEWEST: Final = 5


class Run(Struct, frozen=True):
    """What was in a stream.

    Attributes:
        values: What the pickles make, in order.
        arrays: Whether arrays of joblib lay between their opcodes.
    """

    values: tuple[Symbol, ...]
    arrays: bool


def run_all(stream: Stream, reading: Reading, source: Source | None = None, depth: int = 0) -> Run:
    """Run every pickle from the stream's place to its end. Never raises for the content.

    Args:
        stream: Where the first one starts.
        reading: Takes names, limits and problems.
        source: Where offsets of the stream can be read again, if anywhere.
        depth: How many files this one is within.
    """
    arrays = Arrays(reading)
    values: list[Symbol] = []
    reading.worsen("tensors-only")
    if source is not None and is_tar(source.read(0, TAR_BLOCK)):
        reading.fail(Unreadable("it is a tar archive as well, which torch reads first"))
    try:
        values.append(arrays.run(stream))
        reading.complete = True if reading.complete is None else reading.complete
        _run_rest(stream, reading, arrays, values)
    except Unreadable as error:
        reading.fail(error)
    run_embedded(reading, source, depth)
    return Run(tuple(values), arrays.found)


def _run_rest(stream: Stream, reading: Reading, arrays: Arrays, values: list[Symbol]) -> None:
    while not stream.ended():
        start = stream.position
        try:
            values.append(arrays.run(stream))
        except Excess:
            raise
        except Unreadable:
            if arrays.found:
                raise  # joblib writes nothing there; a place was lost on the way
            reading.remark(f"what follows from byte {start} is no pickle")
            return


def run_embedded(reading: Reading, source: Source | None, depth: int) -> None:
    """Read the files within; each may hold others."""
    waiting, reading.embedded = reading.embedded, []
    for symbol in waiting:
        inner = _source_of(symbol, source)
        if inner is None or depth >= reading.limits.depth:
            reading.fail(Unreadable("it holds a file of torch's that can't be read"))
        else:
            # Late, for the readers of torch's files run pickles themselves.
            from regtui.formats.archives import judge_file

            judge_file(inner, reading, depth + 1)


def _source_of(symbol: Symbol, source: Source | None) -> Source | None:
    """Return the bytes of a file within."""
    if isinstance(symbol, Made) and symbol.path == "_codecs.encode":
        symbol = symbol.argument(0)
    if isinstance(symbol, str):
        return BytesSource(symbol.encode("latin-1", "replace"))
    if isinstance(symbol, bytes):
        return BytesSource(symbol)
    if isinstance(symbol, Blob) and symbol.offset is not None and source is not None:
        return Part(source, symbol.offset, symbol.size) if symbol.kind == "bytes" else None
    return None


def starts_pickle(head: bytes) -> bool:
    """Tell whether bytes start like a pickle of protocol 2 or later."""
    return len(head) > 1 and head[0] == _PROTO and head[1] <= _NEWEST


def is_pickle(stream: Stream, limits: Limits) -> bool:
    """Tell whether the bytes are a pickle, whether or not they start with a protocol.

    Those of protocols 0 and 1 have no header, and any text may start like one. It counts as one
    when it ends exactly like one, or when a loader would have called something before it found that
    it isn't.
    """
    trial = Reading(limits)
    machine = Machine(stream, trial, Arrays(trial).built)
    try:
        head = stream.peek(2)
        if starts_pickle(head):
            return True
        if not head or not is_opcode(head[0]):
            return False
        machine.run()
        return machine.calls > 0 or stream.ended()
    except Unreadable:
        return machine.calls > 0
