"""The state of a pickle machine that works on symbols, and the effects that its opcodes have.

Where a real machine would import, a `Global` is pushed; where it would call, a `Made`. What is
imported is told to the `Reading` when its opcode runs, with the two texts that are really on the
stack then: memo, pops, duplicates and texts pushed for show can't mislead it. A module or name that
isn't a plain text, a call of something computed and a change of something imported are told as
dangerous: honest files have none of them.

Texts, bytes and numbers over 64 KiB are passed over and stay where they are (`Blob`).
"""

from collections.abc import Callable
from typing import Final

from regtui.formats.allowed_calls import check_call
from regtui.formats.reading import Reading
from regtui.formats.streams import Stream, Unreadable
from regtui.formats.symbolic import Blob, Global, Items, Made, Pairs, Persistent, Symbol

_LONGEST_HELD: Final = 64 << 10


class PickleState:
    """Stack, marks and memo of one pickle, and what is known of it.

    Args:
        stream: Where the pickle starts.
        reading: Is told of every name.
        built: Is called with each object that got its state, when the stream is right behind it.

    Attributes:
        frame_end: Where the frames announced so far end.
        calls: How often something was called.
        asked: The persistent ids, in order.
    """

    def __init__(
        self,
        stream: Stream,
        reading: Reading,
        built: Callable[[Made, "PickleState"], None] | None = None,
    ) -> None:
        self.stream = stream
        self.reading = reading
        self.stack: list[Symbol] = []
        self.marks: list[list[Symbol]] = []
        self.memo: dict[int, Symbol] = {}
        self.frame_end = 0
        self.calls = 0
        self.asked: list[Persistent] = []
        self._built = built

    def in_frame(self) -> bool:
        """Tell whether the frame that was announced last goes on.

        A loader may have read all of it already and go on reading elsewhere: behind its end.
        """
        return self.stream.position < self.frame_end

    def pop(self) -> Symbol:
        """Take the top of the stack."""
        if not self.stack:
            raise underflow()
        return self.stack.pop()

    def top(self) -> Symbol:
        """Look at the top of the stack."""
        if not self.stack:
            raise underflow()
        return self.stack[-1]

    def pop_mark(self) -> list[Symbol]:
        """Take everything above the last mark."""
        if not self.marks:
            raise underflow()
        values, self.stack = self.stack, self.marks.pop()
        return values

    def number(self, length: int) -> int:
        """Read an unsigned number of `length` bytes."""
        return int.from_bytes(self.stream.take(length), "little")

    def text_line(self) -> str:
        """Read a line of UTF-8."""
        return decoded(self.bytes_line(), "utf-8")

    def bytes_line(self) -> bytes:
        """Read a line."""
        line = self.held_line("text")
        if isinstance(line, Blob):
            raise Unreadable("it is no pickle, or a damaged one: a line is too long")
        return line

    def held_line(self, kind: str) -> bytes | Blob:
        """Read a line, or pass it over if it is long."""
        place = self.stream.position if self.stream.seekable else None
        line, length = self.stream.line(_LONGEST_HELD)
        if length > _LONGEST_HELD:
            return Blob(kind, place, length)
        self.reading.hold(length)
        return line

    def held(self, kind: str, length: int) -> bytes | Blob:
        """Read `length` bytes, or pass them over if they are many."""
        if length <= _LONGEST_HELD:
            self.reading.hold(length)
            return self.stream.take(length)
        place = self.stream.position if self.stream.seekable else None
        self.stream.skip(length)
        return Blob(kind, place, length)

    def imported(self, module: Symbol, name: Symbol) -> Symbol:
        """Tell of an import and return what stands for it."""
        if isinstance(module, str) and isinstance(name, str):
            self.reading.see(module, name)
            return Global(module, name)
        self.reading.suspect(f"{_told(module)}.{_told(name)}")
        return Global("<computed>", _told(name))

    def called(self, by: Symbol, arguments: Symbol) -> Symbol:
        """Tell of a call and return what stands for its result."""
        self.calls += 1
        made = Made(by, arguments)
        if not isinstance(by, Global):
            self.reading.suspect(f"{_told(by)}()")
        else:
            check_call(made, self.reading)
        return made

    def ask(self, told: Symbol) -> None:
        """Push what stands for the answer of the loader to a persistent id."""
        self.asked.append(Persistent(told))
        self.stack.append(self.asked[-1])

    def remember(self, place: int) -> None:
        """Put the top of the stack into the memo."""
        self.memo[place] = self.top()

    def recall(self, place: int) -> None:
        """Push what the memo has."""
        if place not in self.memo:
            raise Unreadable("it is a damaged pickle: it refers to what it has not made")
        self.stack.append(self.memo[place])

    def build(self) -> None:
        """Give an object its state, then let a reader look at what follows."""
        state = self.pop()
        target = self.top()
        if isinstance(target, Made):
            target.state = state
            target.builds += 1
            if self._built is not None:
                self._built(target, self)
        else:
            self._changed(target)

    def add_items(self, values: list[Symbol]) -> None:
        """Append to the list, set or object on top."""
        target = self.top()
        if isinstance(target, Items):
            target.values.extend(values)
        elif isinstance(target, Made):
            target.items = [] if target.items is None else target.items
            target.items.extend(values)
        else:
            self._changed(target)

    def add_pairs(self, flat: list[Symbol]) -> None:
        """Set keys of the dictionary or object on top."""
        target = self.top()
        if len(flat) % 2:
            raise Unreadable("it is a damaged pickle: a key has no value")
        if isinstance(target, Made):
            target.pairs = target.pairs or Pairs()
            target.pairs.flat.extend(flat)
        elif isinstance(target, Pairs):
            target.flat.extend(flat)
        elif not isinstance(target, Items):
            self._changed(target)

    def _changed(self, target: Symbol) -> None:
        """A class or function that is changed may do something else from then on.

        Anything else can't be filled; a real loader fails, or goes on where there was nothing to
        fill it with, and so does this one.
        """
        if isinstance(target, Global):
            self.reading.suspect(f"{target.path}=")


def underflow() -> Unreadable:
    """Return the error for a stack that has too little on it."""
    return Unreadable("it is no pickle, or a damaged one: its stack is empty")


def decoded(raw: bytes, encoding: str, errors: str = "strict") -> str:
    """Return bytes as text.

    Raises:
        Unreadable: They are none.
    """
    try:
        return raw.decode(encoding, errors)
    except UnicodeDecodeError as error:
        raise Unreadable("it is no pickle, or a damaged one: a text is not UTF-8") from error


def _told(value: Symbol) -> str:
    """Say what a symbol is, for a name that can't be resolved."""
    if isinstance(value, str):
        return value
    if isinstance(value, Global):
        return f"<{value.path}>"
    if isinstance(value, Made) and value.path:
        return f"<{value.path}()>"
    return f"<{type(value).__name__.lower()}>"
