"""The state of a pickle machine that works on symbols, and the effects that its opcodes have.

Where a real machine would import, a `Global` is pushed; where it would call, a `Made`. What is
imported is told to the `Reading` when its opcode runs, with the two texts that are really on the
stack then: memo, pops, duplicates and texts pushed for show can't mislead it. A module or name that
isn't a plain text, a call of something computed and a change of something imported are told as
dangerous: honest files have none of them. What a call is given and what an object is filled with
are looked at in `allowed_calls.py` and `allowed_states.py`.

Texts, bytes and numbers over 64 KiB are passed over and stay where they are (`Blob`). What stands
for objects is counted as memory, for one byte of a pickle can make one.
"""

from collections.abc import Callable
from typing import Final

from regtui.formats.allowed_calls import check_call
from regtui.formats.allowed_states import (
    check_fill,
    check_keys,
    check_state,
    check_type,
    check_values,
    has_attributes,
)
from regtui.formats.reading import Reading
from regtui.formats.streams import Excess, Stream, Unreadable
from regtui.formats.symbolic import Blob, Global, Items, Made, Pairs, Persistent, Symbol

_LONGEST_HELD: Final = 64 << 10
# Bytes of memory, roughly.
_OBJECT: Final = 100
_TUPLE: Final = 64
_TEXT: Final = 56
_ENTRY: Final = 100


class PickleState:
    """Stack, marks and memo of one pickle, and what is known of it.

    Args:
        stream: Where the pickle starts.
        reading: Is told of every name.
        built: Is called with each object that got its state, when the stream is right behind it.

    Attributes:
        memo: What is remembered, as far as its places follow one another.
        scattered: What is remembered at any other places.
        frame_end: Where the frame that goes on ends, 0 outside of any.
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
        self.memo: list[Symbol] = []
        self.scattered: dict[int, Symbol] = {}
        self.frame_end = 0
        self.calls = 0
        self.asked: list[Persistent] = []
        self._built = built

    def in_frame(self) -> bool:
        """Tell whether the frame that was announced last goes on.

        A loader may have read all of it already and go on reading elsewhere: behind its end.
        """
        return self.stream.position < self.frame_end

    def check_frame(self) -> None:
        """Suspect what reaches across the end of a frame, between two opcodes.

        Raises:
            Excess: Something does.
        """
        over = self.stream.position - self.frame_end
        if over > 0 and self.frame_end:
            self.reading.suspect("<frame>")
            raise Excess("something in it reaches across the end of a frame")
        if not over:
            self.frame_end = 0

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

    def mark(self) -> None:
        """Start a new stack above the one that there is."""
        self.reading.keep(_TUPLE)
        self.marks.append(self.stack)
        self.stack = []

    def pop_mark(self) -> list[Symbol]:
        """Take everything above the last mark."""
        if not self.marks:
            raise underflow()
        self.reading.keep(-_TUPLE)
        values, self.stack = self.stack, self.marks.pop()
        return values

    def push_tuple(self, values: tuple[Symbol, ...]) -> None:
        """Push a tuple."""
        self.reading.keep(_TUPLE)
        check_values(values, self.reading)
        self.stack.append(values)

    def push_items(self, values: list[Symbol]) -> None:
        """Push a list or set."""
        self.reading.keep(_OBJECT)
        check_values(values, self.reading)
        self.stack.append(Items(values))

    def push_pairs(self, flat: list[Symbol]) -> None:
        """Push a dictionary of keys and values in turn."""
        if len(flat) % 2:
            raise Unreadable("it is a damaged pickle: a key has no value")
        self.reading.keep(_OBJECT)
        check_values(flat, self.reading)
        self.stack.append(Pairs(flat))

    def number(self, length: int) -> int:
        """Read an unsigned number of `length` bytes."""
        return int.from_bytes(self.stream.take(length), "little")

    def text_line(self) -> str | Blob:
        """Read a line of UTF-8, or pass it over if it is long."""
        line = self.held_line("text")
        return line if isinstance(line, Blob) else decoded(line, "utf-8")

    def held_line(self, kind: str) -> bytes | Blob:
        """Read a line, or pass it over if it is long."""
        place = self.stream.position if self.stream.seekable else None
        line, length = self.stream.line(_LONGEST_HELD)
        if length > _LONGEST_HELD:
            return Blob(kind, place, length)
        self.reading.hold(length)
        self.reading.keep(_TEXT)
        return line

    def held(self, kind: str, length: int) -> bytes | Blob:
        """Read `length` bytes, or pass them over if they are many."""
        if length <= _LONGEST_HELD:
            self.reading.hold(length)
            self.reading.keep(_TEXT)
            return self.stream.take(length)
        place = self.stream.position if self.stream.seekable else None
        self.stream.skip(length)
        return Blob(kind, place, length)

    def imported(self, module: Symbol, name: Symbol) -> Symbol:
        """Tell of an import and return what stands for it."""
        self.reading.keep(_OBJECT)
        if isinstance(module, str) and isinstance(name, str):
            self.reading.see(module, name)
            return Global(module, name)
        self.reading.suspect(f"{_told(module)}.{_told(name)}")
        return Global("<computed>", _told(name))

    def called(self, by: Symbol, arguments: Symbol, keywords: Symbol = None) -> Symbol:
        """Tell of a call and return what stands for its result."""
        self.calls += 1
        self.reading.keep(_OBJECT)
        made = Made(by, arguments)
        if not isinstance(by, Global):
            self.reading.suspect(f"{_told(by)}()")
        else:
            check_call(made, self.reading)
            if keywords is not None and not (isinstance(keywords, Pairs) and not keywords.flat):
                self.reading.suspect(f"{_told(by)}(**)")
        return made

    def called_with(self, by: Symbol, values: list[Symbol]) -> Symbol:
        """Tell of a call with values that stood above a mark."""
        arguments = tuple(values)
        check_values(arguments, self.reading)
        return self.called(by, arguments)

    def ask(self, told: Symbol) -> None:
        """Push what stands for the answer of the loader to a persistent id."""
        self.reading.keep(_OBJECT)
        self.asked.append(Persistent(told))
        self.stack.append(self.asked[-1])

    def remember(self, place: int) -> None:
        """Put the top of the stack into the memo."""
        value, memo = self.top(), self.memo
        if place == len(memo):
            memo.append(value)
            if self.scattered:
                self.scattered.pop(place, None)
        elif place < len(memo):
            memo[place] = value
        else:
            self.reading.keep(_ENTRY)
            self.scattered[place] = value

    def recall(self, place: int) -> None:
        """Push what the memo has."""
        if place < len(self.memo):
            self.stack.append(self.memo[place])
        elif place in self.scattered:
            self.stack.append(self.scattered[place])
        else:
            raise Unreadable("it is a damaged pickle: it refers to what it has not made")

    def build(self) -> None:
        """Give an object its state, then let a reader look at what follows."""
        state = self.pop()
        target = self.top()
        if isinstance(target, Made):
            check_fill(target, self.reading, ordered=not target.builds)
            check_state(state, self.reading)
            check_type(target, state, self.reading)
            target.state = state
            target.builds += 1
            if self._built is not None:
                self._built(target, self)
        else:
            self._changed(target)

    def add_items(self, values: list[Symbol]) -> None:
        """Append to the list, set or object on top."""
        target = self.top()
        check_values(values, self.reading)
        if isinstance(target, Items):
            target.values.extend(values)
        elif isinstance(target, Made):
            check_fill(target, self.reading, ordered=not target.builds and target.pairs is None)
            target.items = [] if target.items is None else target.items
            target.items.extend(values)
        else:
            self._changed(target)

    def add_pairs(self, flat: list[Symbol]) -> None:
        """Set keys of the dictionary or object on top."""
        target = self.top()
        if len(flat) % 2:
            raise Unreadable("it is a damaged pickle: a key has no value")
        check_values(flat, self.reading)
        if isinstance(target, Made):
            check_fill(target, self.reading, ordered=not target.builds)
            if has_attributes(target):
                check_keys(flat, self.reading)
            target.pairs = target.pairs or Pairs()
            target.pairs.flat.extend(flat)
        elif isinstance(target, Pairs):
            target.flat.extend(flat)
        elif isinstance(target, Items):
            target.values.extend(flat[1::2])  # as far as a list is concerned, by its places
        else:
            self._changed(target)

    def _changed(self, target: Symbol) -> None:
        """What is no object of the pickle's own is not filled in honest files.

        A class or function that is changed may do something else from then on, and bytes that are
        changed are not what was read. Numbers and texts can't be filled; a real loader fails there,
        or goes on where there was nothing to fill them with, and so does this one.
        """
        if isinstance(target, Global):
            self.reading.suspect(f"{target.path}=")
        elif isinstance(target, Persistent | bytes | Blob):
            self.reading.suspect(f"{_told(target)}=")


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
