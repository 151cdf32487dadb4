"""One conflict, or one operation of the outbox, as people read it: who, when, what, and what to do.

Texts are told apart by lines, with a sign before each as well as a colour.
"""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from rich.text import Text

from regtui.core.wording import count_text
from regtui.registry.answers import iso
from regtui.registry.answers_conflicts import ConflictAnswer, Side
from regtui.registry.figures import age_text
from regtui.registry.outbox import OutboxEntry
from regtui.tui.operation_text import shown
from regtui.tui.safe_text import one_line

DIGITS = 8
"""Of an id, that people see; the commands take them."""

LINES = 2_000
"""Lines of a text that are told apart; more would make whoever looks wait."""

CHARACTERS = 400
"""Characters of a line that are shown."""

CONTEXT = 3
"""Lines around those that differ."""

Line = tuple[str, str]
"""Text and style."""


def operation_id(identity: str) -> str:
    """Return what an operation is called: the end of its id, which begins with its time."""
    return identity[-DIGITS:]


def conflict_id(identity: str) -> str:
    """Return what a conflict is called: the beginning of its id."""
    return identity[:DIGITS]


def side_name(side: Side, person: str) -> str:
    """Return what a candidate is called: `mine`, or `theirs` of whoever else it is."""
    return "mine" if side.author == person else "theirs"


def side_value(side: Side) -> str:
    """Return the value of a side in one line."""
    if side.version is not None:
        return side.version
    if side.value is None:
        return "(taken away)" if side.author is not None else "(nothing)"
    if isinstance(side.value, dict) and "edit" in side.value:
        return f"(edited after it was deleted: {', '.join(side.value['edit'])})"
    lines = str(side.value).strip().splitlines() if isinstance(side.value, str) else []
    text = lines[0] if lines else shown(side.value)
    more = f" (+{count_text(len(lines) - 1, 'line')})" if len(lines) > 1 else ""
    return one_line(text)[:CHARACTERS] + more


def conflict_text(conflict: ConflictAnswer, person: str) -> Text:
    """Return everything about a conflict: what was, what stands, and what else was asked for."""
    return _text(_conflict(conflict, person))


def _conflict(conflict: ConflictAnswer, person: str) -> Iterator[Line]:
    yield f"{conflict.about}  {conflict.field}", "bold"
    ended = conflict.resolution
    if ended is not None:
        chosen = ended.choice
        chosen = chosen if chosen in {"accepted", "value"} else operation_id(chosen)
        yield f"settled by {ended.author}, {age_text(ended.at)} ago: {chosen}", "green"
    yield "", ""
    sides = [("stands", conflict.accepted)]
    if conflict.base is not None:
        sides.insert(0, ("before", conflict.base))
    sides += [
        (f"{side_name(side, person)} {operation_id(str(side.id))}", side)
        for side in conflict.candidates
    ]
    is_text = _is_text(conflict)
    for name, side in sides:
        yield _heading(name, side), "bold"
        if not is_text:
            yield f"    {side_value(side)}", ""
        elif side is not conflict.accepted and side is not conflict.base:
            yield from _differences(_lines(conflict.accepted), _lines(side))


def _heading(name: str, side: Side) -> str:
    when = "" if side.at is None else f", {age_text(side.at)} ago"
    return f"{name:<15} " + ("" if side.author is None else f"by {side.author}{when}")


def _is_text(conflict: ConflictAnswer) -> bool:
    """Tell whether some value has more than one line, so that a line of it says too little."""
    sides = [conflict.accepted, *conflict.candidates]
    return any(isinstance(side.value, str) and "\n" in side.value.strip() for side in sides)


def _lines(side: Side) -> list[str]:
    return side.value.splitlines() if isinstance(side.value, str) else []


def _differences(stands: Sequence[str], wanted: Sequence[str]) -> Iterator[Line]:
    """Return how what is wanted differs from what stands, a line each."""
    compared = difflib.unified_diff(stands[:LINES], wanted[:LINES], n=CONTEXT, lineterm="")
    for line in list(compared)[2:]:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        yield "    " + line[:CHARACTERS], style
    if max(len(stands), len(wanted)) > LINES:
        yield f"    and more, beyond the first {LINES:,} lines", "dim"


def entry_text(entry: OutboxEntry, causes: Sequence[OutboxEntry]) -> Text:
    """Return everything about an operation of the outbox.

    Args:
        entry: The operation.
        causes: Those that it depends on, the nearest first.
    """
    return _text(_entry(entry, causes))


def _entry(entry: OutboxEntry, causes: Sequence[OutboxEntry]) -> Iterator[Line]:
    yield f"{entry.kind}  {entry.model or ''}", "bold"
    age = age_text(iso(entry.created * 1000))
    yield f"{STATES.get(entry.state, entry.state)}, made {age} ago", ""
    if entry.reason is not None:
        yield "", ""
        would = "" if entry.state == "refused" else "as it looks now it would be refused: "
        yield would + one_line(entry.reason), "red"
        if entry.hint:
            yield one_line(entry.hint), ""
    for cause in causes:
        yield f"because of {operation_id(cause.id)} {cause.kind}: {cause.reason or ''}", ""
    if entry.values:
        yield "", ""
    for name, value in shown_values(entry):
        yield f"{name} = {value}", ""
    yield "", ""
    yield f"id  {entry.id}", "dim"


STATES = {
    "waiting": "waits for the server",
    "refused": "refused by the server",
    "offered": "offered to the server, which lost it",
}
"""What each state of the outbox is called in a sentence."""


def shown_values(entry: OutboxEntry) -> list[tuple[str, str]]:
    """Return what an operation sets, name and value in a line each."""
    return [
        ("found at" if path.startswith("places/") else one_line(path), value_line(value))
        for path, value in entry.values.items()
    ]


def value_line(value: Any) -> str:
    """Return a value that an operation sets as one line."""
    return "(taken away)" if value is None else one_line(shown(value))[:CHARACTERS]


def _text(lines: Iterator[Line]) -> Text:
    text = Text()
    for line, style in lines:
        text.append(one_line(line) + "\n", style)
    text.rstrip()
    return text
