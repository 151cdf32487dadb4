"""Which states of a run are kept: decided before anything of them is hashed or copied.

A rule is `all`, `final`, `last N`, `best N` or `every N`; several, with commas between, keep what
any of them keeps. A state is judged by what is known at that moment: one that was among the best or
the newest when it came is captured then, and what comes later takes nothing back, for that is what
retention is for. Without a metric nothing is known to be worse, so `best` keeps the state.
"""

import math
import re
from collections.abc import Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from regtui.core.errors import BadInput

Kind = Literal["all", "final", "last", "best", "every"]

_RULE = re.compile(
    r"(?P<kind>all|final|last|best|every)(?:\s+(?P<count>[1-9][0-9]{0,11})(?:\s+steps?)?)?"
)
_COUNTED: Final = {"last": 1, "best": 1}
_HINT: Final = "all, final, last N, best N or every N; several with commas between"


class KeepRule(Struct, frozen=True):
    """One rule.

    Attributes:
        kind: What is kept.
        count: How many, or at which multiples of steps; 0 where it means nothing.
    """

    kind: Kind
    count: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.count}" if self.count else self.kind


class State(Struct, frozen=True):
    """A state of a run, as far as it is known before it is captured.

    Attributes:
        key: What tells it from the others.
        order: When it came; later ones are larger.
        step: The step that it was saved at.
        value: The figure that decides which one is best; None where it is not known.
        is_final: Whether it is the last one that the run will have.
    """

    key: str
    order: float
    step: int | None = None
    value: float | None = None
    is_final: bool = False


def parse_keep(text: str) -> tuple[KeepRule, ...]:
    """Return the rules of a text.

    >>> [str(rule) for rule in parse_keep("best 3, last 1, every 1000 steps")]
    ['best 3', 'last 1', 'every 1000']

    Raises:
        BadInput: It holds none, or something else.
    """
    rules = []
    for part in text.lower().split(","):
        found = _RULE.fullmatch(part.strip())
        if found is None:
            raise BadInput(f"{part.strip()!r} is no rule of what to keep", f"write {_HINT}")
        kind: Kind = found["kind"]  # type: ignore[assignment]
        count = int(found["count"] or _COUNTED.get(kind, 0))
        if kind == "every" and not count:
            raise BadInput("every how many steps?", "such as `every 1000`")
        if kind in {"all", "final"} and found["count"]:
            raise BadInput(f"{kind!r} takes no number", f"write {_HINT}")
        rules.append(KeepRule(kind, count))
    return tuple(dict.fromkeys(rules))


def kept(
    states: Iterable[State], rules: Sequence[KeepRule], *, highest: bool, ended: bool
) -> set[str]:
    """Return the keys of the states that are to be kept.

    Args:
        states: All of a run that are known, captured ones too.
        rules: What to keep; none keeps all.
        highest: Whether a larger value is better.
        ended: Whether nothing more will come, so that the newest state is the final one.
    """
    known = sorted(states, key=lambda one: (one.order, one.key))
    if not rules:
        return {one.key for one in known}
    found: set[str] = set()
    for rule in rules:
        found |= {one.key for one in _kept(known, rule, highest=highest, ended=ended)}
    return found


def _kept(states: list[State], rule: KeepRule, *, highest: bool, ended: bool) -> list[State]:
    match rule.kind:
        case "all":
            return states
        case "last":
            return states[-rule.count :]
        case "every":
            return [one for one in states if one.step is not None and one.step % rule.count == 0]
        case "final":
            said = [one for one in states if one.is_final]
            return said or (states[-1:] if ended else [])
        case "best":
            return _best(states, rule.count, highest=highest)


def _best(states: list[State], count: int, *, highest: bool) -> list[State]:
    """Return the best so many, of equal ones the earlier, and those of which no value is known."""
    unknown = [one for one in states if one.value is None]
    figures = [one for one in states if one.value is not None and not math.isnan(one.value)]
    figures.sort(key=lambda one: -_value(one) if highest else _value(one))
    return [*unknown, *figures[:count]]


def _value(state: State) -> float:
    return 0.0 if state.value is None else state.value
