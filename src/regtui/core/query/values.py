"""How the values of each kind of field are read.

Each reader takes one written value and gives a value of the syntax, or raises `BadValue` with the
reason alone; the parser knows where it stood and adds that. Digits are ASCII digits only and their
number is bounded before anything is converted, so that no text can make a conversion fail or crawl.
"""

import math
import re
from collections.abc import Callable
from typing import NamedTuple

from regtui.core.query import times
from regtui.core.query.fields import EQUALITY, Field, Kind
from regtui.core.query.syntax import Ago, Anything, Number, Operator, Pair, Value, Word

MOST_DIGITS = 18
"""So that every integer fits a signed 64-bit column."""

_NUMBER = re.compile(r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|inf|infinity)")
_INTEGER = re.compile(rf"v?([0-9]{{1,{MOST_DIGITS}}})")
_SIZE = re.compile(rf"([0-9]{{1,{MOST_DIGITS}}})(?:\.([0-9]{{1,{MOST_DIGITS}}}))?([a-z]*)")
_HEX = re.compile(r"[0-9a-f]+")
_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", 1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", 1)},
}


class BadValue(Exception):
    """The value is not of the field's kind; the argument says why."""


class Written(NamedTuple):
    """A value as it was written, with what its reader has to know of the term.

    Attributes:
        text: The value, without its quotes.
        quoted: Whether it had quotes.
        operator: What it is compared with.
        name: Which metric, parameter or tag; empty for fields without.
    """

    text: str
    quoted: bool
    operator: Operator
    name: str = ""


def read(field: Field, written: Written) -> Value:
    """Return the value that the text means for the field.

    Raises:
        BadValue: It is not of that kind.
    """
    if field.presence and written.text == "*":
        if written.operator not in EQUALITY:
            raise BadValue(f"* can't be compared with {written.operator}")
        return Anything()
    return _READERS[field.kind](field, written)


def is_number(text: str) -> bool:
    """Say whether the text would be read as a number."""
    return text.lower() == "nan" or _NUMBER.fullmatch(text.lower()) is not None


def _word(_: Field, written: Written) -> Word:
    return Word(written.text)


def _float(_: Field, written: Written) -> Number:
    text = written.text.lower()
    if not is_number(text):
        raise BadValue(f'"{written.text}" is no number')
    if text != "nan":
        return Number(float(text))
    if written.operator not in EQUALITY:
        raise BadValue(f"nan can't be compared with {written.operator}")
    return Number(math.nan)


def _scalar(field: Field, written: Written) -> Value:
    if written.operator in EQUALITY and (written.quoted or not is_number(written.text)):
        return Word(written.text)
    return _float(field, written)


def _integer(_: Field, written: Written) -> Number:
    found = _INTEGER.fullmatch(written.text.lower())
    if not found:
        raise BadValue(f'"{written.text}" is no whole number')
    return Number(int(found[1]))


def _size(_: Field, written: Written) -> Number:
    found = _SIZE.fullmatch(written.text.lower())
    if not found or found[3] not in _UNITS:
        raise BadValue(f'"{written.text}" is no size (write 900, 20KB, 1.5GB, 4GiB)')
    fraction = found[2] or ""
    size = int(found[1] + fraction) * _UNITS[found[3]] // 10 ** len(fraction)
    if size >= 10**MOST_DIGITS:
        raise BadValue(f'"{written.text}" is larger than any size')
    return Number(size)


def _time(_: Field, written: Written) -> Value:
    ago = times.read_duration(written.text)
    if ago is not None:
        return Ago(ago)
    date = times.read_date(written.text)
    if date is None:
        raise BadValue(
            f'"{written.text}" is neither a time ago (30m, 12h, 7d, 2w, 1y)'
            " nor a date (2026-11-01, 2026-11-01T12:30)"
        )
    return date


def _hex(field: Field, written: Written) -> Word:
    digits = written.text.lower().removeprefix(":").replace("-", "")
    if not _HEX.fullmatch(digits):
        raise BadValue(f'"{written.text}" has other characters than the hex digits 0-9 and a-f')
    if len(digits) > field.digits:
        raise BadValue(f"it has {len(digits)} digits, and there are only {field.digits}")
    return Word(digits)


def _choice(field: Field, written: Written) -> Word:
    if written.text.lower() not in field.choices:
        raise BadValue(f'"{written.text}" is none of {", ".join(field.choices)}')
    return Word(written.text.lower())


def _pair(_: Field, written: Written) -> Pair:
    if written.name:
        return Pair(written.name, None if written.text == "*" else written.text)
    name, equals, value = written.text.partition("=")
    if equals and name.endswith("!"):
        raise BadValue(f"write -tag:{name[:-1]}={value} for the opposite")
    if not name:
        raise BadValue("there is no tag name before the =")
    if equals and not value:
        raise BadValue("there is no value after the =")
    return Pair(name, None if value in {"", "*"} else value)


_READERS: dict[Kind, Callable[[Field, Written], Value]] = {
    "path": _word,
    "glob": _word,
    "contains": _word,
    "hex": _hex,
    "choice": _choice,
    "integer": _integer,
    "size": _size,
    "float": _float,
    "time": _time,
    "pair": _pair,
    "scalar": _scalar,
}
