"""The opcodes of pickle, protocols 0 to 5, as functions on a `PickleState`.

`HANDLERS` has one for each byte that is an opcode; STOP is the machine's own. The effect on stack
and memo is that of a real unpickler as long as that would go on. There are two real ones, in C and
in Python (which joblib uses), and where they differ, this one goes the way that shows more.
"""

import codecs
import struct
from collections.abc import Callable
from typing import Final

from regtui.formats.pickle_state import PickleState, decoded, underflow
from regtui.formats.streams import Ended, Unreadable
from regtui.formats.symbolic import Blob, Global, Items, Made, Pairs, Symbol

_LONGEST_NUMBER: Final = 128  # bytes; a longer one costs time to turn into a number
_DOUBLE = struct.Struct(">d")
_PROTOCOLS: Final = 5


def _number_of(raw: bytes | Blob) -> Symbol:
    return raw if isinstance(raw, Blob) else int.from_bytes(raw, "little", signed=True)


def _text_of(raw: bytes | Blob) -> Symbol:
    return raw if isinstance(raw, Blob) else decoded(raw, "utf-8", "surrogatepass")


def _old_text_of(raw: bytes | Blob) -> Symbol:
    """Python 2's strings: text as far as the loader is told so; ASCII unless it is."""
    return raw if isinstance(raw, Blob) else raw.decode("latin-1")


def _int(machine: PickleState) -> None:
    line = machine.bytes_line()
    machine.stack.append(line == b"01" if line in {b"00", b"01"} else _integer(line))


def _long(machine: PickleState) -> None:
    machine.stack.append(_integer(machine.bytes_line().removesuffix(b"L")))


def _integer(digits: bytes, base: int = 0) -> Symbol:
    if len(digits) > 2 * _LONGEST_NUMBER:
        return Blob("int", None, len(digits))
    try:
        return int(digits or b"0", base)
    except ValueError as error:
        raise Unreadable("it is no pickle, or a damaged one: a number is none") from error


def _long_of(machine: PickleState, length: int) -> None:
    if length > _LONGEST_NUMBER:
        machine.stream.skip(length)
        machine.stack.append(Blob("int", None, length))
    else:
        machine.stack.append(_number_of(machine.held("int", length)))


def _long4(machine: PickleState) -> None:
    length = machine.number(4)
    if length >> 31:
        raise Unreadable("it is a damaged pickle: a length is negative")
    _long_of(machine, length)


def _float(machine: PickleState) -> None:
    try:
        machine.stack.append(float(machine.bytes_line()))
    except ValueError as error:
        raise Unreadable("it is no pickle, or a damaged one: a number is none") from error


def _string(machine: PickleState) -> None:
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


def _unicode(machine: PickleState) -> None:
    line = machine.held_line("text")
    text = line if isinstance(line, Blob) else decoded(line, "raw-unicode-escape")
    machine.stack.append(text)


def _signed_length(machine: PickleState) -> int:
    length = machine.number(4)
    if length >> 31:
        raise Unreadable("it is a damaged pickle: a length is negative")
    return length


def _proto(machine: PickleState) -> None:
    if machine.number(1) > _PROTOCOLS:
        raise Unreadable("it is a pickle of a protocol that does not exist yet")


def _frame(machine: PickleState) -> None:
    """A frame is only a hint for reading ahead; some loaders run one that is cut short."""
    length = machine.number(8)
    machine.frame_end = max(machine.frame_end, machine.stream.position + length)


def _pop(machine: PickleState) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _mark(machine: PickleState) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _tuple_of(count: int) -> Callable[[PickleState], None]:
    def make(machine: PickleState) -> None:
        if len(machine.stack) < count:
            raise underflow()
        machine.stack[-count:] = [tuple(machine.stack[-count:])]

    return make


def _dict(machine: PickleState) -> None:
    flat = machine.pop_mark()
    if len(flat) % 2:
        raise Unreadable("it is a damaged pickle: a key has no value")
    machine.stack.append(Pairs(flat))


def _setitem(machine: PickleState) -> None:
    value, key = machine.pop(), machine.pop()
    machine.add_pairs([key, value])


def _global(machine: PickleState) -> None:
    module, name = machine.text_line(), machine.text_line()
    if machine.stream.broken:
        raise Ended("it ends too early")  # within a name; nothing could call it any more
    machine.stack.append(machine.imported(module, name))


def _stack_global(machine: PickleState) -> None:
    name, module = machine.pop(), machine.pop()
    machine.stack.append(machine.imported(module, name))


def _extension(length: int) -> Callable[[PickleState], None]:
    """Codes of `copyreg.add_extension` mean whatever the loading program says."""

    def push(machine: PickleState) -> None:
        name = f"extension {machine.number(length)}"
        machine.reading.suspect(f"<{name}>")
        machine.stack.append(Global("<computed>", name))

    return push


def _reduce(machine: PickleState) -> None:
    arguments, by = machine.pop(), machine.pop()
    machine.stack.append(machine.called(by, arguments))


def _newobj_ex(machine: PickleState) -> None:
    keywords, arguments, by = machine.pop(), machine.pop(), machine.pop()
    made = machine.called(by, arguments)
    if isinstance(made, Made) and isinstance(keywords, Pairs):
        made.pairs = keywords
    machine.stack.append(made)


def _inst(machine: PickleState) -> None:
    # A loader in C asks for the mark first, one in Python imports first.
    module = machine.text_line()
    by = machine.imported(module, machine.text_line())
    made = machine.called(by, tuple(machine.pop_mark()))
    machine.stack.append(made)


def _obj(machine: PickleState) -> None:
    values = machine.pop_mark()
    if not values:
        raise underflow()
    machine.stack.append(machine.called(values[0], tuple(values[1:])))


def _decimal_place(machine: PickleState) -> int:
    place = _integer(machine.bytes_line(), 10)
    if not isinstance(place, int) or place < 0:
        raise Unreadable("it is a damaged pickle: a place of its memo is none")
    return place


def _persid(machine: PickleState) -> None:
    machine.ask(machine.text_line())


def _binpersid(machine: PickleState) -> None:
    machine.ask(machine.pop())


def _push(make: Callable[[PickleState], Symbol]) -> Callable[[PickleState], None]:
    def push(machine: PickleState) -> None:
        value = make(machine)  # first, for it may bring back the stack below a mark
        machine.stack.append(value)

    return push


def _bytes_push(kind: str, length: Callable[[PickleState], int]) -> Callable[[PickleState], None]:
    convert = {"text": _text_of, "old": _old_text_of}.get(kind)

    def push(machine: PickleState) -> None:
        raw = machine.held("bytes" if kind == "bytes" else "text", length(machine))
        machine.stack.append(convert(raw) if convert else raw)

    return push


def _unsigned(length: int) -> Callable[[PickleState], int]:
    return lambda machine: machine.number(length)


def _readonly(machine: PickleState) -> None:
    machine.top()  # must be there; nothing here can be written to anyway


def _append(machine: PickleState) -> None:
    value = machine.pop()
    machine.add_items([value])


def _table() -> list[Callable[[PickleState], None] | None]:
    one, two, four, eight = (_unsigned(length) for length in (1, 2, 4, 8))
    known: dict[bytes, Callable[[PickleState], None]] = {
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


HANDLERS: Final = _table()
"""What each byte does, None where it is no opcode."""
