"""The arrays that joblib writes into the middle of a pickle.

joblib's pickler writes a `NumpyArrayWrapper` (class, shape, order, type) in place of an array, and
the array's bytes right behind the opcode that gives the wrapper its state: first, in releases from
1.1 on, one byte with the length of a padding and the padding. An array of objects is a pickle of
its own there. The loader goes on behind it, so whoever reads opcodes has to know the length.

Invariants: the length follows from the shape and type alone, and the wrapper has to be exactly what
joblib writes; anything else ends the reading, since the place of the next opcode is unknown.

A file with these wrappers is judged as `joblib.load` reads it. `pickle.load` fails at the padding;
where there is none (in older files, and before an array of objects) the bytes of the first array
are also run as opcodes here, so that code behind a false array shows. An honest array of objects
then looks up modules at the wrong places of the memo, and fails there; names that it has anyway
say nothing.
"""

from contextlib import suppress
from typing import Final

from msgspec import Struct

from regtui.formats import numpy_types
from regtui.formats.allowed import judge
from regtui.formats.pickle_machine import Machine
from regtui.formats.pickle_state import PickleState
from regtui.formats.reading import Reading
from regtui.formats.streams import Stream, Unreadable
from regtui.formats.symbolic import Global, Made, Pairs, Symbol

_MODULES: Final = ("joblib.", "sklearn.externals.joblib.")
_BESIDE: Final = frozenset({"NDArrayWrapper", "ZNDArrayWrapper"})
_STRANGE: Final = "it holds an array of joblib in a form that joblib does not write"
_MOST_NAMES: Final = 1_000
_ALIGNMENTS: Final = 64  # no padding is longer; joblib uses 16
_PICKLE: Final = 50  # steps that a pickle costs at least, for it needs a machine of its own
# What a wrapper has; the last one only in newer releases.
_REQUIRED: Final = frozenset({"subclass", "shape", "order", "dtype", "allow_mmap"})
_METHODS: Final = frozenset(
    {"read", "read_array", "read_mmap", "write_array", "safe_get_numpy_array_alignment_bytes"}
)
_ALIGNMENT: Final = "numpy_array_alignment_bytes"


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


class _Plain(Reading):
    """Collects what a plain loader would import that joblib's would not."""

    def __init__(self, reading: Reading) -> None:
        super().__init__(reading.limits)
        self.steps = reading.steps
        self._foreign: set[tuple[str, str]] = set()

    def see(self, module: str, name: str) -> None:
        """Remember what is dangerous."""
        if judge(module, name) == "dangerous" and len(self._foreign) < _MOST_NAMES:
            self._foreign.add((module, name))

    def tell(self, reading: Reading) -> None:
        """Tell of the names that nothing else in the file has."""
        reading.steps = min(reading.steps, self.steps)
        known = {path.rpartition(".")[2] for path in reading.names}
        for module, name in sorted(self._foreign):
            if name not in known:
                reading.see(module, name)


class Arrays:
    """Reads the pickles of one file; its `built` is the machine's hook.

    Attributes:
        found: Whether there was an array.
    """

    def __init__(self, reading: Reading) -> None:
        self.found = False
        self._reading = reading
        self._start = 0
        # Where the pickle starts whose first array has no padding, and whether that has objects.
        self._bare: int | None = None
        self._objects = False

    def run(self, stream: Stream) -> Symbol:
        """Run the pickle at the stream's place.

        Raises:
            Unreadable: As `Machine.run`.
        """
        self._reading.step(_PICKLE)
        self._start = stream.position
        try:
            return Machine(stream, self._reading, self.built).run()
        finally:
            if self._bare is not None:
                self._run_plainly(stream, self._bare)
                self._bare = None

    def _run_plainly(self, stream: Stream, start: int) -> None:
        """Run it as `pickle.load` would; most end at the first byte of the first array."""
        reading = _Plain(self._reading) if self._objects else self._reading
        with suppress(Unreadable):
            Machine(stream.fork(start), reading).run()
        if isinstance(reading, _Plain):
            reading.tell(self._reading)

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
        first, self.found = not self.found, True
        if name in _BESIDE:
            self._beside(made)
            return
        if machine.in_frame():
            raise Unreadable(_STRANGE)  # the array would lie behind the frame, not here
        machine.check_frame()
        made.array = self._inline(made, machine.stream, first)

    def _beside(self, wrapper: Made) -> None:
        """Older releases kept arrays in files of their own, next to this one."""
        state = _state(wrapper)
        filename = state.get("filename")
        if not isinstance(filename, str) or "/" in filename or "\\" in filename:
            self._reading.suspect(f"{wrapper.path}(filename)")
        self._reading.fail(Unreadable("its arrays lie in other files beside it"))

    def _inline(self, wrapper: Made, stream: Stream, first: bool) -> ArrayPlace:
        state = _state(wrapper)
        if not _METHODS.isdisjoint(state):
            self._reading.suspect(f"{wrapper.path}=")
        _check_keys(wrapper, state)
        kind, shape = numpy_types.parse_pickled(state.get("dtype")), state.get("shape")
        count = numpy_types.elements(shape)
        if kind is None or count is None or not isinstance(shape, tuple):
            raise Unreadable(_STRANGE)
        sizes = tuple(length for length in shape if isinstance(length, int))
        padded = state.get(_ALIGNMENT) is not None and not kind.objects
        if first and not padded:
            self._bare, self._objects = self._start, kind.objects
        if kind.objects:
            # The loader uses `pickle.load` there: arrays within it are not joblib's.
            inner = Machine(stream, self._reading).run()
            return ArrayPlace(kind, sizes, None, 0, inner)
        if padded:
            _pass_padding(stream)
        size = count * kind.size
        offset = stream.position if stream.seekable else None
        stream.skip(size)
        return ArrayPlace(kind, sizes, offset, size)


def _pass_padding(stream: Stream) -> None:
    length = stream.take(1)[0]
    if length > _ALIGNMENTS or stream.take(length).strip(b"\xff"):
        raise Unreadable(_STRANGE)


def _check_keys(wrapper: Made, state: dict[str, Symbol]) -> None:
    """Refuse any attribute that joblib does not write: one could be a method of the wrapper's."""
    written = len(wrapper.state.flat) // 2 if isinstance(wrapper.state, Pairs) else 0
    if written != len(state) or not _REQUIRED <= set(state) <= _REQUIRED | {_ALIGNMENT}:
        raise Unreadable(_STRANGE)
    alignment = state.get(_ALIGNMENT)
    plain = (
        _is_array(state["subclass"])
        and state["order"] in ("C", "F")
        and isinstance(state["allow_mmap"], bool | int)
        and (alignment is None or type(alignment) is int)
    )
    if not plain:
        raise Unreadable(_STRANGE)


def _is_array(symbol: Symbol) -> bool:
    return (
        isinstance(symbol, Global)
        and symbol.module.partition(".")[0] == "numpy"
        and symbol.name in {"ndarray", "matrix", "memmap"}
    )


def _wrapper(symbol: Symbol) -> str | None:
    """Return the name of one of joblib's wrappers, None if it is something else."""
    if not isinstance(symbol, Global) or not symbol.module.startswith(_MODULES):
        return None
    return symbol.name


def _state(wrapper: Made) -> dict[str, Symbol]:
    """Return what the wrapper was given, at once and in one piece."""
    plain = wrapper.builds == 1 and wrapper.pairs is None and wrapper.items is None
    if not plain or not isinstance(wrapper.state, Pairs):
        raise Unreadable(_STRANGE)
    return wrapper.state.texts()
