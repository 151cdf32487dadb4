"""Rules: CEL expressions over what is known of a version.

The library takes 0.2 s to load and is loaded when a rule is compiled or evaluated, never before.
Figures are floats, always: CEL compares no whole number with a float. An error, or a figure that is
no number, makes the rule fail with its reason; what may be missing is asked by `has()`.
"""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from regtui.core.errors import BadInput
from regtui.core.governance.rule_effort import LIMIT, effort
from regtui.core.governance.rule_text import ASIDE

ROOTS = ("version", "current", "model", "request", "checks", "current_checks")
"""What a rule can speak of."""

DECLARE = 'trust = "declared" lets a rule read metrics'
"""What to do about a rule that reads them."""

ENTRIES_LIMIT = 1_000
"""Entries of a map that a rule sees."""

_TYPES = frozenset(
    (
        "bool", "bytes", "double", "int", "list", "map", "null_type", "optional", "optional_type",
        "string", "type", "uint",
    )
)  # fmt: skip
"""Names that CEL itself knows."""

_AROUND_DOT = re.compile(r"\s*\.\s*")
_LOOP = re.compile(
    r"\.(?:all|exists|exists_one|existsOne|map|filter)\s*\((?:\s*([A-Za-z_]\w*)\s*,)?"
)
_METRICS = re.compile(r"""(?<![.\w])(version|current)(?:\.metrics\b|\s*\[\s*"metrics"\s*\])""")
_UNKNOWN = re.compile(r"Undefined variable or function: '(\w+)'")

_VERSION: Mapping[str, Any] = {
    "id": "", "number": 0.0, "digest": "", "size": 0.0, "files": 0.0, "author": "",
    "description": "", "tags": {}, "params": {},
}  # fmt: skip
_NOTHING: Mapping[str, Any] = {root: {} for root in ROOTS}
"""The roots, for what a rule says of those that it does not read."""

_BLANK: Mapping[str, Any] = {
    "version": _VERSION,
    "current": _VERSION,
    "model": {"name": "", "description": "", "tags": {}},
    "request": {"reason": "", "author": ""},
    "checks": {},
    "current_checks": {},
}
"""What is always there for a rule to speak of, with nothing in it."""


@lru_cache(maxsize=256)
def compiled(rule: str) -> Any:
    """Return a rule ready to be evaluated.

    Raises:
        BadInput: It is no expression.
    """
    import cel

    try:
        return cel.compile(rule)
    except Exception as error:  # noqa: BLE001 -- the library raises many kinds
        told = " ".join(str(error).split())[:300]
        raise BadInput(
            f"the rule is no CEL expression: {told}", "such as checks.eval.f1 > 0.9"
        ) from None


def roots_of(rule: str) -> set[str]:
    """Return what a rule may read: the names that it mentions."""
    return {root for root in ROOTS if re.search(rf"\b{root}\b", rule)}


def loops(rule: str) -> list[str]:
    """Return what a rule calls the entries of the lists and maps that it goes over, by loop."""
    return _LOOP.findall(_plain(rule))


def undeclared(rule: str) -> str | None:
    """Return the metrics that a rule reads as it names them; None where it reads none."""
    plain = _plain(rule)
    entries = set(_LOOP.findall(plain))
    found = (one[1] for one in _METRICS.finditer(plain) if one[1] not in entries)
    return next((f"{root}.metrics" for root in found), None)


def _plain(rule: str) -> str:
    """Return a rule without comments, spaces around dots, and texts other than "metrics"."""
    return _AROUND_DOT.sub(".", ASIDE.sub(_put_aside, rule))


def _put_aside(found: re.Match[str]) -> str:
    if found[0].startswith("//"):
        return " "
    return '"metrics"' if "metrics" in {found["raw"], found["text"]} else '""'


def check_sense(rule: str, *, declared: bool) -> None:
    """Refuse a rule that can't hold whatever is known, or of which a part has no sense.

    To ask with `has()` for metrics that it may not read has none either: they are never there. What
    depends on the version is left to the gate.

    Args:
        rule: The expression.
        declared: Whether it may read metrics.

    Raises:
        BadInput: It is no expression, speaks of what there is not, or is neither true nor false.
    """
    program = compiled(rule)
    strange = sorted(set(program.variables()) - {*ROOTS, *_TYPES, *loops(rule)})
    if strange:
        raise BadInput(f"the rule speaks of {strange[0]!r}, which there is not", ", ".join(ROOTS))
    metrics = undeclared(rule)
    if metrics is not None and not declared:
        raise BadInput(f"the rule reads {metrics}, which anybody may edit", DECLARE)
    try:
        answer = program.execute({**_BLANK})
    except Exception as error:  # noqa: BLE001 -- most of them because nothing is known yet
        unknown = _UNKNOWN.search(str(error))
        if unknown is not None:
            told = f"the rule calls {unknown[1]!r}, which there is not for what it is given"
            raise BadInput(told) from None
        if not program.variables():
            told = " ".join(str(error).split())[:200]
            raise BadInput(f"the rule can't be evaluated: {told}") from None
        return
    if not isinstance(answer, bool):
        raise BadInput("the rule is neither true nor false", "such as checks.eval.f1 > 0.9")


def evaluate(rule: str, values: Mapping[str, Any]) -> tuple[bool, str]:
    """Return whether a rule holds, and a sentence that says why.

    Args:
        rule: The expression.
        values: What it can speak of, by root.
    """
    read = {root: values[root] for root in roots_of(rule) if root in values}
    if effort(rule, read) > LIMIT:
        return False, "the rule could take too long: fewer loops, patterns or texts, please"
    try:
        answer = _answer(rule, msgspec.msgpack.encode(read))
    except Exception as error:  # noqa: BLE001 -- whatever happens, the rule does not hold
        return False, _why_none(error)
    if isinstance(answer, bool):
        return answer, f"{rule} is {'true' if answer else 'false'}"
    if isinstance(answer, float) and math.isnan(answer):
        return False, "the rule gives NaN"
    return False, f"the rule gives a {type(answer).__name__}, which is neither true nor false"


@lru_cache(maxsize=64)
def _answer(rule: str, values: bytes) -> Any:
    """Return what a rule gives for values, packed: many requests ask the same of one version."""
    return compiled(rule).execute({**_NOTHING, **msgspec.msgpack.decode(values)})


def _why_none(error: Exception) -> str:
    """Return why a rule came to no answer."""
    if isinstance(error, BadInput):
        return error.message
    if isinstance(error, KeyError):
        return (
            f"the rule asks for {error}, which is not there or no number; has() asks whether it is"
        )
    return f"the rule could not be evaluated: {' '.join(str(error).split())[:200]}"


def bounded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entries of a map that a rule may see: a loop over them has an end."""
    return {name: values[name] for name in sorted(values)[:ENTRIES_LIMIT]}


def floats(values: Mapping[str, Any]) -> dict[str, float]:
    """Return figures as floats; what is no number, and more than a rule may see, is left out.

    So is NaN: it is unequal to everything, and `!=` would pass by it.
    """
    found: dict[str, float] = {}
    for name, value in bounded(values).items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
        elif value in {"Infinity", "-Infinity"}:
            found[name] = float(str(value).lower().replace("infinity", "inf"))
    return {name: value for name, value in found.items() if not math.isnan(value)}
