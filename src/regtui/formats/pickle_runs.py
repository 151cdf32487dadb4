"""All pickles of one stream, and what they hold within.

A file may hold several pickles one after another; whoever loads it may load them all, so all count.
A pickle may also hold whole files that its loader loads (`torch.storage._load_from_bytes`), and
they count too, each once.

What follows the last pickle and is none is told (`problem`) but changes no verdict: no loader runs
it. What breaks off before its end makes the file unread.
"""

from typing import Final, Literal

from msgspec import Struct, structs

from regtui.formats.joblib_arrays import Arrays
from regtui.formats.pickle_machine import Machine, is_opcode
from regtui.formats.reading import Reading
from regtui.formats.streams import Excess, Stream, Unreadable
from regtui.formats.symbolic import Blob, Made, Symbol
from regtui.formats.tar_header import TAR_BLOCK, is_tar
from regtui.formats.values import BytesSource, Source
from regtui.formats.zip_directory import Part

Likeness = Literal["none", "begun", "pickle"]
"""How much bytes are like a pickle.

none    no opcode of it could be run
begun   some could, to where no loader goes on; nothing was called by then
pickle  it ends like one, would have called something, or is more than could be tried
"""

_PROTO: Final = 0x80
_NEWEST: Final = 5
_VALUES: Final = 1_000  # pickles of one file whose content is told
_TRIED_STEPS: Final = 50_000
_TRIED_BYTES: Final = 4 << 20


class Run(Struct, frozen=True):
    """What was in a stream.

    Attributes:
        values: What the pickles make, in order, of the first thousand.
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
            value = arrays.run(stream)
        except Excess:
            raise
        except Unreadable:
            if arrays.found:
                raise  # joblib writes nothing there; a place was lost on the way
            reading.remark(f"what follows from byte {start} is no pickle")
            return
        if len(values) < _VALUES:
            values.append(value)
        else:
            reading.cut = True


def run_embedded(reading: Reading, source: Source | None, depth: int) -> None:
    """Read the files within; each may hold others."""
    waiting, reading.embedded = reading.embedded, []
    done: set[int] = set()
    for symbol in waiting:  # which keeps them, so that no id comes back
        if id(_content(symbol)) in done:
            continue
        done.add(id(_content(symbol)))
        inner = _source_of(symbol, source)
        if inner is None or depth >= reading.limits.depth:
            reading.fail(Unreadable("it holds a file of torch's that can't be read"))
        else:
            # Late, for the readers of torch's files run pickles themselves.
            from regtui.formats.archives import judge_file

            judge_file(inner, reading, depth + 1)


def _content(symbol: Symbol) -> Symbol:
    return symbol.argument(0) if isinstance(symbol, Made) else symbol


def _source_of(symbol: Symbol, source: Source | None) -> Source | None:
    """Return the bytes of a file within, which are bytes or, in old pickles, text."""
    symbol = _content(symbol)
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


def likeness(stream: Stream, reading: Reading) -> Likeness:
    """Tell how much the bytes of a stream are like a pickle.

    Those of protocols 0 and 1 have no header, and any text may start like one. It counts as one
    when it ends exactly like one, or when a loader would have called something before it found that
    it isn't. So does what runs on for too long to be tried: whoever reads it then says so.

    Args:
        stream: Where it may start.
        reading: Pays for the trial; is told nothing.
    """
    steps = min(_TRIED_STEPS, max(0, reading.steps))
    held = min(_TRIED_BYTES, reading.limits.header_bytes)
    trial = Reading(structs.replace(reading.limits, steps=steps, header_bytes=held))
    try:
        head = stream.peek(2)
        if starts_pickle(head):
            return "pickle"
        return _tried(stream, trial) if head and is_opcode(head[0]) else "none"
    except Unreadable:
        return "none"
    finally:
        reading.steps -= steps - max(0, trial.steps)


def _tried(stream: Stream, trial: Reading) -> Likeness:
    """Run pickles until one calls something, the bytes end, or no loader would go on."""
    arrays = Arrays(trial)
    calls = 0
    try:
        while not calls and not stream.ended():
            machine = Machine(stream, trial, arrays.built)
            try:
                machine.run()
            finally:
                calls = machine.calls
    except Excess:
        return "pickle"
    except Unreadable:
        if not calls:
            return "begun" if trial.limits.steps - trial.steps > 1 else "none"
    return "pickle"
