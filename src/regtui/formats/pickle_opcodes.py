"""The opcodes of pickle, protocols 0 to 5, as functions on a `PickleState`.

`HANDLERS` has one for each byte that is an opcode; STOP is the machine's own. The effect on stack
and memo is that of a real unpickler as long as that would go on. There are two real ones, in C and
in Python (which joblib uses), and where they differ, this one goes the way that shows more.
"""

import codecs
import re
import struct
from collections.abc import Callable
from typing import Final

from regtui.formats.pickle_state import PickleState, decoded, underflow
from regtui.formats.streams import Ended, Excess, Unreadable
from regtui.formats.symbolic import Blob, Global, Made, Pairs, Symbol

_LONGEST_NUMBER: Final = 128  # bytes; a longer one costs time to turn into a number
_NUMERAL: Final = re.compile(rb"\s*[+-]?[0-9][0-9A-Fa-f_oOxX]*\s*")
_LONGEST_PLACE: Final = 4096
_PLACE: Final = re.compile(rb"[\s+_0-9]*")
_UNCERTAIN: Final = Blob("int", None, 0)
_OUTSIDE: Final = Blob("bytes", None, 0)
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
    line = machine.held_line("int")
    truth = line in {b"00", b"01"} if isinstance(line, bytes) else False
    machine.stack.append(line == b"01" if truth else _integer(line))


def _long(machine: PickleState) -> None:
    line = machine.held_line("int")
    machine.stack.append(_integer(line.removesuffix(b"L") if isinstance(line, bytes) else line))


def _integer(line: bytes | Blob) -> Symbol:
    """Return the number of a line, as far as all loaders agree on it.

    The one in C takes a zero byte for the end, and a leading zero for an octal number.
    """
    if isinstance(line, Blob):
        return line
    digits, ended, _ = line.partition(b"\0")
    if not _NUMERAL.fullmatch(digits) and not (ended and not digits):
        raise Unreadable("it is no pickle, or a damaged one: a number is none")
    if ended or len(digits) > 2 * _LONGEST_NUMBER:
        return _UNCERTAIN
    try:
        return int(digits, 0)
    except ValueError:
        return _UNCERTAIN


def _long_of(machine: PickleState, length: int) -> None:
    if length > _LONGEST_NUMBER:
        machine.stream.skip(length)
        machine.stack.append(_UNCERTAIN)
    else:
        machine.stack.append(_number_of(machine.held("int", length)))


def _long4(machine: PickleState) -> None:
    length = machine.number(4)
    if length >> 31:
        raise Unreadable("it is a damaged pickle: a length is negative")
    _long_of(machine, length)


def _float(machine: PickleState) -> None:
    line = machine.held_line("int")
    if isinstance(line, Blob):
        machine.stack.append(line)
        return
    try:
        machine.stack.append(float(line.partition(b"\0")[0]))
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
    """Some loaders run a frame that is cut short."""
    length = machine.number(8)
    if machine.frame_end:
        machine.reading.suspect("<frame>")  # within another one
    machine.frame_end = max(machine.frame_end, machine.stream.position + length)


def _pop(machine: PickleState) -> None:
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()


def _tuple_of(count: int) -> Callable[[PickleState], None]:
    def make(machine: PickleState) -> None:
        if len(machine.stack) < count:
            raise underflow()
        values = tuple(machine.stack[-count:])
        del machine.stack[-count:]
        machine.push_tuple(values)

    return make


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
    made = machine.called(by, arguments, keywords)
    if isinstance(made, Made) and isinstance(keywords, Pairs) and keywords.flat:
        made.pairs = keywords
    machine.stack.append(made)


def _inst(machine: PickleState) -> None:
    # A loader in C asks for the mark first, one in Python imports first.
    module = machine.text_line()
    by = machine.imported(module, machine.text_line())
    made = machine.called_with(by, machine.pop_mark())
    machine.stack.append(made)


def _obj(machine: PickleState) -> None:
    values = machine.pop_mark()
    if not values:
        raise underflow()
    machine.stack.append(machine.called_with(values[0], values[1:]))


def _decimal_place(machine: PickleState) -> int:
    line, length = machine.stream.line(_LONGEST_PLACE)
    digits, ended, _ = line.partition(b"\0")
    if length > _LONGEST_PLACE and not ended:
        if _PLACE.fullmatch(digits):
            machine.reading.suspect("<memo>")  # a pickler needs ten digits
            raise Excess("a place of its memo has more digits than can be read")
        raise Unreadable("it is a damaged pickle: a place of its memo is none")
    try:
        place = int(digits)
    except ValueError as error:
        raise Unreadable("it is a damaged pickle: a place of its memo is none") from error
    if place < 0:
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
        b"\x97": _push(lambda _: _OUTSIDE),  # given beside the pickle
        b"\x98": _readonly,
        # constants and containers
        b"N": _push(lambda _: None),
        b"\x88": _push(lambda _: True),
        b"\x89": _push(lambda _: False),
        b"]": lambda m: m.push_items([]),
        b"a": _append,
        b"e": lambda m: m.add_items(m.pop_mark()),
        b"l": lambda m: m.push_items(m.pop_mark()),
        b")": _push(lambda _: ()),
        b"t": lambda m: m.push_tuple(tuple(m.pop_mark())),
        b"\x85": _tuple_of(1),
        b"\x86": _tuple_of(2),
        b"\x87": _tuple_of(3),
        b"}": lambda m: m.push_pairs([]),
        b"d": lambda m: m.push_pairs(m.pop_mark()),
        b"s": _setitem,
        b"u": lambda m: m.add_pairs(m.pop_mark()),
        b"\x8f": lambda m: m.push_items([]),
        b"\x90": lambda m: m.add_items(m.pop_mark()),
        b"\x91": lambda m: m.push_items(m.pop_mark()),
        # stack and memo
        b"0": _pop,
        b"2": _push(lambda m: m.top()),
        b"(": lambda m: m.mark(),
        b"1": lambda m: m.pop_mark().clear(),
        b"g": lambda m: m.recall(_decimal_place(m)),
        b"h": lambda m: m.recall(m.number(1)),
        b"j": lambda m: m.recall(m.number(4)),
        b"p": lambda m: m.remember(_decimal_place(m)),
        b"q": lambda m: m.remember(m.number(1)),
        b"r": lambda m: m.remember(m.number(4)),
        b"\x94": lambda m: m.remember(len(m.memo) + len(m.scattered)),
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
