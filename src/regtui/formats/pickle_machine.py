"""A pickle machine that works on symbols: it imports nothing and calls nothing.

Algorithm: the stack machine of pickle with all opcodes of protocols 0 to 5. Where a real one would
import, a `Global` is pushed; where it would call, a `Made`. What is imported is told to the
`Reading` when its opcode runs, with the two texts that are really on the stack then: memo, pops,
duplicates and texts pushed for show can't mislead it. A module or name that isn't a plain text, an
extension code, a call of something computed and a change of something imported are told as
dangerous: honest files have none of them.

Invariants: the effect on stack and memo is that of a real unpickler as long as that would go on;
where it would fail, this one may go on, so it never sees less. Texts, bytes and numbers over 64 KiB
are passed over and stay where they are (`Blob`). Every opcode costs one step.

Failure: `Unreadable` for what no unpickler reads, `Ended` at the end of the bytes, `Excess` at a
limit. The names met so far are with the reading by then.
"""

import codecs
import struct
from collections.abc import Callable
from typing import Final

from regtui.formats.allowed_calls import check_call
from regtui.formats.reading import Reading
from regtui.formats.streams import Stream, Unreadable
from regtui.formats.symbolic import Blob, Global, Items, Made, Pairs, Persistent, Symbol

LONGEST_HELD: Final = 64 << 10
_LONGEST_NUMBER: Final = 128  # bytes; a longer one costs time to turn into a number
_DOUBLE = struct.Struct(">d")
_PROTOCOLS: Final = 5
_STOP: Final = ord(".")


class Machine:
    """Runs one pickle.

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
        built: Callable[[Made, "Machine"], None] | None = None,
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

    def run(self) -> Symbol:
        """Return what the pickle leaves behind; the stream is right behind its end then.

        Raises:
            Unreadable: It is no whole pickle, or more than can be read.
        """
        take, reading, handlers = self.stream.take, self.reading, _HANDLERS
        while True:
            code = take(1)[0]
            reading.steps -= 1
            if reading.steps < 0:
                reading.step(0)
            if code == _STOP:
                return self._stopped()
            handler = handlers[code]
            if handler is None:
                raise Unreadable("it is no pickle, or a damaged one")
            handler(self)

    def _stopped(self) -> Symbol:
        value = self.pop()
        if self.in_frame():
            raise Unreadable("it is a damaged pickle: it stops before its frame does")
        return value

    def in_frame(self) -> bool:
        """Tell whether the frame that was announced last goes on.

        A loader may have read all of it already and go on reading elsewhere: behind its end.
        """
        return self.stream.position < self.frame_end

    def pop(self) -> Symbol:
        """Take the top of the stack."""
        if not self.stack:
            raise _underflow()
        return self.stack.pop()

    def top(self) -> Symbol:
        """Look at the top of the stack."""
        if not self.stack:
            raise _underflow()
        return self.stack[-1]

    def pop_mark(self) -> list[Symbol]:
        """Take everything above the last mark."""
        if not self.marks:
            raise _underflow()
        values, self.stack = self.stack, self.marks.pop()
        return values

    def number(self, length: int) -> int:
        """Read an unsigned number of `length` bytes."""
        return int.from_bytes(self.stream.take(length), "little")

    def text_line(self) -> str:
        """Read a line of UTF-8."""
        return _decoded(self.bytes_line(), "utf-8")

    def bytes_line(self) -> bytes:
        """Read a line."""
        line = self.held_line("text")
        if isinstance(line, Blob):
            raise Unreadable("it is no pickle, or a damaged one: a line is too long")
        return line

    def held_line(self, kind: str) -> bytes | Blob:
        """Read a line, or pass it over if it is long."""
        place = self.stream.position if self.stream.seekable else None
        line, length = self.stream.line(LONGEST_HELD)
        if length > LONGEST_HELD:
            return Blob(kind, place, length)
        self.reading.hold(length)
        return line

    def held(self, kind: str, length: int) -> bytes | Blob:
        """Read `length` bytes, or pass them over if they are many."""
        if length <= LONGEST_HELD:
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
        """A class or function that is changed may do something else from then on."""
        if not isinstance(target, Global):
            raise Unreadable("it is a damaged pickle: it fills what can't be filled")
        self.reading.suspect(f"{target.path}=")


def is_opcode(code: int) -> bool:
    """Tell whether a byte starts any step of a pickle."""
    return code == _STOP or _HANDLERS[code] is not None


def _underflow() -> Unreadable:
    return Unreadable("it is no pickle, or a damaged one: its stack is empty")


def _decoded(raw: bytes, encoding: str, errors: str = "strict") -> str:
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


def _number_of(raw: bytes | Blob) -> Symbol:
    return raw if isinstance(raw, Blob) else int.from_bytes(raw, "little", signed=True)


def _text_of(raw: bytes | Blob) -> Symbol:
    return raw if isinstance(raw, Blob) else _decoded(raw, "utf-8", "surrogatepass")


def _old_text_of(raw: bytes | Blob) -> Symbol:
    """Python 2's strings: text as far as the loader is told so; ASCII unless it is."""
    return raw if isinstance(raw, Blob) else raw.decode("latin-1")


# Opcodes, in the order of the standard library's table. ------------------------------------------


def _int(machine: Machine) -> None:
    line = machine.bytes_line()
    machine.stack.append(line == b"01" if line in {b"00", b"01"} else _integer(line))


def _long(machine: Machine) -> None:
    machine.stack.append(_integer(machine.bytes_line().removesuffix(b"L")))


def _integer(digits: bytes, base: int = 0) -> Symbol:
    if len(digits) > 2 * _LONGEST_NUMBER:
        return Blob("int", None, len(digits))
    try:
        return int(digits or b"0", base)
    except ValueError as error:
        raise Unreadable("it is no pickle, or a damaged one: a number is none") from error


def _long_of(machine: Machine, length: int) -> None:
    if length > _LONGEST_NUMBER:
        machine.stream.skip(length)
        machine.stack.append(Blob("int", None, length))
    else:
        machine.stack.append(_number_of(machine.held("int", length)))


def _long4(machine: Machine) -> None:
    length = machine.number(4)
    if length >> 31:
        raise Unreadable("it is a damaged pickle: a length is negative")
    _long_of(machine, length)


def _float(machine: Machine) -> None:
    try:
        machine.stack.append(float(machine.bytes_line()))
    except ValueError as error:
        raise Unreadable("it is no pickle, or a damaged one: a number is none") from error


def _string(machine: Machine) -> None:
    """Read a quoted string of Python 2. Its escapes are resolved, for a name may hide in them."""
    line = machine.held_line("text")
    if isinstance(line, Blob):
        machine.stack.append(line)
        return
    line = line.strip()
    if len(line) < 2 or line[:1] != line[-1:] or line[:1] not in {b"'", b'"'}:  # noqa: PLR2004
        raise Unreadable("it is no pickle, or a damaged one: a string has no quotes")
    # Not "unicode_escape", which reads more escapes than an unpickler does.
    try:
        machine.stack.append(codecs.escape_decode(line[1:-1])[0].decode("latin-1"))
    except ValueError as error:
        raise Unreadable("it is no pickle, or a damaged one: a string is none") from error


def _unicode(machine: Machine) -> None:
    line = machine.held_line("text")
    text = line if isinstance(line, Blob) else _decoded(line, "raw-unicode-escape")
    machine.stack.append(text)


def _signed_length(machine: Machine) -> int:
    length = machine.number(4)
    if length >> 31:
        raise Unreadable("it is a damaged pickle: a length is negative")
    return length


def _proto(machine: Machine) -> None:
    if machine.number(1) > _PROTOCOLS:
        raise Unreadable("it is a pickle of a protocol that does not exist yet")


def _frame(machine: Machine) -> None:
    """A frame is only a hint for reading ahead; some loaders run one that is cut short."""
    length = machine.number(8)
    machine.frame_end = max(machine.frame_end, machine.stream.position + length)


def _pop(machine: Machine) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _mark(machine: Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _tuple_of(count: int) -> Callable[[Machine], None]:
    def make(machine: Machine) -> None:
        if len(machine.stack) < count:
            raise _underflow()
        machine.stack[-count:] = [tuple(machine.stack[-count:])]

    return make


def _dict(machine: Machine) -> None:
    flat = machine.pop_mark()
    if len(flat) % 2:
        raise Unreadable("it is a damaged pickle: a key has no value")
    machine.stack.append(Pairs(flat))


def _setitem(machine: Machine) -> None:
    value, key = machine.pop(), machine.pop()
    machine.add_pairs([key, value])


def _global(machine: Machine) -> None:
    module = machine.text_line()
    machine.stack.append(machine.imported(module, machine.text_line()))


def _stack_global(machine: Machine) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.imported(module, name))


def _extension(length: int) -> Callable[[Machine], None]:
    """Codes of `copyreg.add_extension` mean whatever the loading program says."""

    def push(machine: Machine) -> None:
        name = f"extension {machine.number(length)}"
        machine.reading.suspect(f"<{name}>")
        machine.stack.append(Global("<computed>", name))

    return push


def _reduce(machine: Machine) -> None:
    arguments, by = machine.pop(), machine.pop()
    machine.stack.append(machine.called(by, arguments))


def _newobj_ex(machine: Machine) -> None:
    keywords, arguments, by = machine.pop(), machine.pop(), machine.pop()
    made = machine.called(by, arguments)
    if isinstance(made, Made) and isinstance(keywords, Pairs):
        made.pairs = keywords
    machine.stack.append(made)


def _inst(machine: Machine) -> None:
    # The mark is asked for first, as a real unpickler does: a text that merely starts with an "i"
    # imports nothing.
    arguments = machine.pop_mark()
    module = machine.text_line()
    by = machine.imported(module, machine.text_line())
    machine.stack.append(machine.called(by, tuple(arguments)))


def _obj(machine: Machine) -> None:
    values = machine.pop_mark()
    if not values:
        raise _underflow()
    machine.stack.append(machine.called(values[0], tuple(values[1:])))


def _decimal_place(machine: Machine) -> int:
    place = _integer(machine.bytes_line(), 10)
    if not isinstance(place, int) or place < 0:
        raise Unreadable("it is a damaged pickle: a place of its memo is none")
    return place


def _persid(machine: Machine) -> None:
    machine.ask(machine.text_line())


def _binpersid(machine: Machine) -> None:
    machine.ask(machine.pop())


def _push(make: Callable[[Machine], Symbol]) -> Callable[[Machine], None]:
    def push(machine: Machine) -> None:
        value = make(machine)  # first, for it may bring back the stack below a mark
        machine.stack.append(value)

    return push


def _bytes_push(kind: str, length: Callable[[Machine], int]) -> Callable[[Machine], None]:
    convert = {"text": _text_of, "old": _old_text_of}.get(kind)

    def push(machine: Machine) -> None:
        raw = machine.held("bytes" if kind == "bytes" else "text", length(machine))
        machine.stack.append(convert(raw) if convert else raw)

    return push


def _unsigned(length: int) -> Callable[[Machine], int]:
    return lambda machine: machine.number(length)


def _readonly(machine: Machine) -> None:
    machine.top()  # must be there; nothing here can be written to anyway


def _append(machine: Machine) -> None:
    value = machine.pop()
    machine.add_items([value])


def _table() -> list[Callable[[Machine], None] | None]:
    one, two, four, eight = (_unsigned(length) for length in (1, 2, 4, 8))
    known: dict[bytes, Callable[[Machine], None]] = {
        # numbers
        b"I": _int,
        b"J": _push(lambda m: int.from_bytes(m.stream.take(4), "little", signed=True)),
        b"K": _push(one),
        b"M": _push(two),
        b"L": _long,
        b"\x8a": lambda m: _long_of(m, m.number(1)),
        b"\x8b": _long4,
        b"F": _float,
        b"G": _push(lambda m: float(_DOUBLE.unpack(m.stream.take(8))[0])),
        # texts and bytes
        b"S": _string,
        b"T": _bytes_push("old", _signed_length),
        b"U": _bytes_push("old", one),
        b"V": _unicode,
        b"X": _bytes_push("text", four),
        b"\x8c": _bytes_push("text", one),
        b"\x8d": _bytes_push("text", eight),
        b"B": _bytes_push("bytes", four),
        b"C": _bytes_push("bytes", one),
        b"\x8e": _bytes_push("bytes", eight),
        b"\x96": _bytes_push("bytes", eight),
        b"\x97": _push(lambda _: Blob("bytes", None, 0)),  # given beside the pickle
        b"\x98": _readonly,
        # constants and containers
        b"N": _push(lambda _: None),
        b"\x88": _push(lambda _: True),
        b"\x89": _push(lambda _: False),
        b"]": _push(lambda _: Items()),
        b"a": _append,
        b"e": lambda m: m.add_items(m.pop_mark()),
        b"l": _push(lambda m: Items(m.pop_mark())),
        b")": _push(lambda _: ()),
        b"t": _push(lambda m: tuple(m.pop_mark())),
        b"\x85": _tuple_of(1),
        b"\x86": _tuple_of(2),
        b"\x87": _tuple_of(3),
        b"}": _push(lambda _: Pairs()),
        b"d": _dict,
        b"s": _setitem,
        b"u": lambda m: m.add_pairs(m.pop_mark()),
        b"\x8f": _push(lambda _: Items()),
        b"\x90": lambda m: m.add_items(m.pop_mark()),
        b"\x91": _push(lambda m: Items(m.pop_mark())),
        # stack and memo
        b"0": _pop,
        b"2": _push(lambda m: m.top()),
        b"(": _mark,
        b"1": lambda m: m.pop_mark().clear(),
        b"g": lambda m: m.recall(_decimal_place(m)),
        b"h": lambda m: m.recall(m.number(1)),
        b"j": lambda m: m.recall(m.number(4)),
        b"p": lambda m: m.remember(_decimal_place(m)),
        b"q": lambda m: m.remember(m.number(1)),
        b"r": lambda m: m.remember(m.number(4)),
        b"\x94": lambda m: m.remember(len(m.memo)),
        # imports, calls and their results
        b"c": _global,
        b"\x93": _stack_global,
        b"\x82": _extension(1),
        b"\x83": _extension(2),
        b"\x84": _extension(4),
        b"R": _reduce,
        b"b": lambda m: m.build(),
        b"i": _inst,
        b"o": _obj,
        b"\x81": _reduce,
        b"\x92": _newobj_ex,
        b"P": _persid,
        b"Q": _binpersid,
        # framing
        b"\x80": _proto,
        b"\x95": _frame,
    }
    return [known.get(bytes([code])) for code in range(256)]


_HANDLERS: Final = _table()
