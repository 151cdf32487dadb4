"""How long a rule may take at most, told from its text and from how much there is to look at.

A rule is somebody's program, and it runs where everybody waits: nothing stops an evaluation that
has begun, and an expression of 2,000 characters can go over millions of entries or double a text
until the memory is full. So what it could cost at worst is reckoned beforehand. Authority and
replicas come to the same figure, for it is no measurement.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from regtui.core.governance.rule_text import code_and_texts

LIMIT = 1_000_000_000
"""Nanoseconds, roughly, that a rule may be reckoned to take."""

_STEP = 500
"""Nanoseconds of one call, comparison or look-up."""

_COPY = 0.25
"""Nanoseconds a character that is compared or copied."""

_SEARCH = 20
"""Nanoseconds a character that a pattern looks at."""

_PATTERN, _PLAIN, _CLASS, _REPEATED = 20_000, 5_000, 300_000, 150_000_000
"""Nanoseconds to make a pattern ready, which is done at each call: for the pattern, a character of
it, a class such as `\\w`, and one with `{`, which may be repeated a thousand times."""

_KEY, _ENTRY = 50, 1_000
"""Characters as which an entry counts where maps are compared, and where they are copied."""

_MAKES = re.compile(r"\b(?:map|filter)\b")
_LOOP = re.compile(r"\b(?:all|exists|exists_one|existsOne|map|filter)\s*\(")
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BRACE = re.compile(r"\{|\\[0-7uUxX]")
"""A `{`, or an escape that may stand for one."""

_MATCHES = re.compile(r"\bmatches\b")
_LITERAL = re.compile(r"""\.\s*matches\s*\(\s*"(\d+)"\s*\)""")


def effort(rule: str, values: Mapping[str, Any]) -> float:
    """Return the nanoseconds that a rule takes at worst, roughly.

    Args:
        rule: The expression.
        values: What it looks at, by root.
    """
    code, texts = code_and_texts(rule)
    loops, depth = _loops(code)
    joins = code.count("+") + max(0, code.count(",") - 2 * loops)  # not those of loops
    heavy = _ENTRY if "map" in code else _KEY
    entries, longest, whole = _extent(values.values(), heavy)
    several = max(entries, joins + 1)
    # Each loop may go over what a list in the rule holds, or over all entries of a map, and hand
    # what it joined to the next one.
    rounds = several**depth * max(1, loops - depth + 1)
    if _MAKES.search(code):
        rounds *= several  # what they make is copied at each step
    grown = (joins + 1) ** (loops + 1)
    copied = _COPY * max(whole, len(rule)) * grown
    searched = _SEARCH * max(longest, len(rule)) * grown
    steps = len(_TOKEN.findall(code)) * (_STEP + copied)
    return float(rounds * (steps + _patterns(code, texts) + len(_MATCHES.findall(code)) * searched))


def _loops(code: str) -> tuple[int, int]:
    """Return how many loops there are, and how many stand in each other at most."""
    starts = {one.end() - 1 for one in _LOOP.finditer(code)}
    opened: list[bool] = []
    deepest = 0
    for place, letter in enumerate(code):
        if letter == "(":
            opened.append(place in starts)
            deepest = max(deepest, sum(opened))
        elif letter == ")" and opened:
            opened.pop()
    return len(starts), deepest


def _patterns(code: str, texts: list[str]) -> int:
    """Return the nanoseconds in which the patterns of a rule are made ready once."""
    literals = [texts[int(one)] for one in _LITERAL.findall(code)]
    unknown = len(_MATCHES.findall(code)) - len(literals)
    return unknown * _REPEATED + sum(map(_pattern, literals))


def _pattern(pattern: str) -> int:
    if _BRACE.search(pattern):
        return _REPEATED
    return _PATTERN + len(pattern) * _PLAIN + pattern.count("\\") * _CLASS


def _extent(values: Iterable[Any], entry: int) -> tuple[int, int, int]:
    """Return the entries of the largest map, and the characters of the longest text and value.

    Args:
        values: Some.
        entry: The characters as which an entry of a map counts besides its own.
    """
    entries = longest = whole = 0
    for value in values:
        if isinstance(value, str):
            longest, whole = max(longest, len(value)), max(whole, len(value))
        elif isinstance(value, dict):
            inside = _extent((*value, *value.values()), entry)
            total = sum(len(one) for one in (*value, *value.values()) if isinstance(one, str))
            entries, longest = max(entries, len(value), inside[0]), max(longest, inside[1])
            whole = max(whole, inside[2], total + entry * len(value))
    return entries, longest, whole
