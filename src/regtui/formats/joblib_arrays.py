"""The arrays that joblib writes into the middle of a pickle.

joblib's pickler writes a `NumpyArrayWrapper` (class, shape, order, type) in place of an array, and
the array's bytes right behind the opcode that gives the wrapper its state: first, in releases from
1.1 on, one byte with the length of a padding and the padding. An array of objects is a pickle of
its own there. The loader goes on behind it, so whoever reads opcodes has to know the length.

Invariants: the length follows from the shape and type alone, and the wrapper has to be exactly what
joblib writes; anything else ends the reading, since the place of the next opcode is unknown.

A file with these wrappers is judged as `joblib.load` reads it. `pickle.load` fails at the padding;
in older files, which have none, the bytes of the first array are also run as opcodes here, so that
code behind a false array shows.
"""

from contextlib import suppress
from typing import Final

from msgspec import Struct

from regtui.formats import numpy_types
from regtui.formats.pickle_machine import Machine
from regtui.formats.pickle_state import PickleState
from regtui.formats.reading import Reading
from regtui.formats.streams import Ended, Stream, Unreadable
from regtui.formats.symbolic import Global, Made, Pairs, Symbol

_MODULES: Final = ("joblib.", "sklearn.externals.joblib.")
_BESIDE: Final = frozenset({"NDArrayWrapper", "ZNDArrayWrapper"})
_STRANGE: Final = "it holds an array of joblib in a form that joblib does not write"
_ALIGNMENTS: Final = 64  # no padding is longer; joblib uses 16


class ArrayPlace(Struct, frozen=True):
    """An array inside the stream.

    Attributes:
        type: Of its elements.
        shape: Its shape.
        offset: Where its bytes start in the source, None when they are compressed or pickled.
        size: Its bytes.
        value: What an array of objects holds.
    """

    type: numpy_types.ArrayType
    shape: tuple[int, ...]
    offset: int | None
    size: int
    value: object = None


class Arrays:
    """Reads the pickles of one file; its `built` is the machine's hook.

    Attributes:
        found: Whether there was an array.
    """

    def __init__(self, reading: Reading) -> None:
        self.found = False
        self._reading = reading
        self._first = False
        self._bare = False

    def run(self, stream: Stream) -> Symbol:
        """Run the pickle at the stream's place.

        Raises:
            Unreadable: As `Machine.run`.
        """
        start = stream.fork()
        try:
            return Machine(stream, self._reading, self.built).run()
        finally:
            if self._bare:
                self._run_plainly(start)

    def _run_plainly(self, stream: Stream) -> None:
        """Run it as `pickle.load` would; most end at the first byte of the first array."""
        with suppress(Ended, Unreadable):
            Machine(stream, self._reading).run()

    def built(self, made: Made, machine: PickleState) -> None:
        """Pass the array behind what was made, if that is one of joblib's wrappers.

        Raises:
            Unreadable: It is not as joblib writes it.
        """
        name = _wrapper(made.by)
        if name is None:
            given = made.arguments if isinstance(made.arguments, tuple) else ()
            if any(_wrapper(argument) for argument in given):
                raise Unreadable(_STRANGE)  # a wrapper all the same, made in a roundabout way
            return
        self._first, self.found = not self.found, True
        if name in _BESIDE:
            self._beside(made)
            return
        if machine.in_frame():
            raise Unreadable(_STRANGE)  # the array would lie behind the frame, not here
        made.array = self._inline(made, machine.stream)

    def _beside(self, wrapper: Made) -> None:
        """Older releases kept arrays in files of their own, next to this one."""
        state = _state(wrapper)
        filename = state.get("filename")
        if not isinstance(filename, str) or "/" in filename or "\\" in filename:
            self._reading.suspect(f"{wrapper.path}(filename)")
        self._reading.fail(Unreadable("its arrays lie in other files beside it"))

    def _inline(self, wrapper: Made, stream: Stream) -> ArrayPlace:
        state = _state(wrapper)
        kind, shape = numpy_types.parse_pickled(state.get("dtype")), state.get("shape")
        count = numpy_types.elements(shape)
        if kind is None or count is None or not isinstance(shape, tuple):
            raise Unreadable(_STRANGE)
        sizes = tuple(length for length in shape if isinstance(length, int))
        if kind.objects:
            # The loader uses `pickle.load` there: arrays within it are not joblib's.
            inner = Machine(stream, self._reading).run()
            return ArrayPlace(kind, sizes, None, 0, inner)
        self._pad(state.get("numpy_array_alignment_bytes"), stream)
        size = count * kind.size
        offset = stream.position if stream.seekable else None
        stream.skip(size)
        return ArrayPlace(kind, sizes, offset, size)

    def _pad(self, alignment: Symbol, stream: Stream) -> None:
        if alignment is None:
            self._bare = self._bare or self._first
            return
        length = stream.take(1)[0]
        if length > _ALIGNMENTS or stream.take(length).strip(b"\xff"):
            raise Unreadable(_STRANGE)


def _wrapper(symbol: Symbol) -> str | None:
    """Return the name of one of joblib's wrappers, None if it is something else."""
    if not isinstance(symbol, Global) or not symbol.module.startswith(_MODULES):
        return None
    return symbol.name


def _state(wrapper: Made) -> dict[str, Symbol]:
    """Return what the wrapper was given, at once and in one piece."""
    if wrapper.builds != 1 or not isinstance(wrapper.state, Pairs) or wrapper.pairs is not None:
        raise Unreadable(_STRANGE)
    return wrapper.state.texts()
