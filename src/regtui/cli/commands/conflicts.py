"""`regtui conflicts`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text
from regtui.registry.figures import age_text

if TYPE_CHECKING:
    from regtui.registry.answers_conflicts import ConflictAnswer, Side

app = single()

DIGITS = 8
"""Of an id, that people see."""

WIDTH = 60
"""Characters of a value that a line shows."""


@app.command()
def conflicts(
    model: Annotated[
        str | None, typer.Argument(help="Of this model only.", autocompletion=complete.models)
    ] = None,
    resolved: Annotated[
        bool, typer.Option("--all", help="List those that are settled too.")
    ] = False,
) -> None:
    """List values that people set without seeing each other."""
    found = SETTINGS.registry().conflicts(model, resolved=resolved)
    if SETTINGS.json:
        emit({"conflicts": found})
        return
    if not found:
        warn("no conflicts" if resolved else "no open conflicts")
        return
    say("\n\n".join(shown(conflict) for conflict in found))


def shown(conflict: "ConflictAnswer") -> str:
    """Return a conflict as people read it: what it is about, and each side in a line."""
    accepted = conflict.accepted
    first = conflict.candidates[0].value if conflict.candidates else None
    rows = [_row("accepted", accepted, first)]
    rows += [_row(str(side.id)[-DIGITS:], side, accepted.value) for side in conflict.candidates]
    lines = table(("", "WHO", "AGE", "VALUE"), rows).splitlines()[1:]
    ended = conflict.resolution
    end = ""
    if ended is not None:
        taken = ended.choice if ended.choice in {"accepted", "value"} else ended.choice[-DIGITS:]
        end = f"  settled by {ended.author}: {taken}"
    heading = f"{conflict.id[:DIGITS]}  {conflict.about}  {conflict.field}{end}"
    return "\n".join([heading, *("  " + line for line in lines)])


def value_text(value: Any, version: str | None = None, other: Any = None) -> str:
    """Return a value in one line: the first of a text that another one lacks, and how many more."""
    if version is not None:
        return version
    if value is None:
        return "(taken away)"
    if isinstance(value, dict) and "edit" in value:
        return f"(edited after it was deleted: {', '.join(value['edit'])})"
    lines = str(value).strip().splitlines() or [""]
    known = set(str(other or "").splitlines())
    first = next((line for line in lines if line not in known), lines[0])
    shown = first if len(first) <= WIDTH else first[: WIDTH - 1] + "…"
    return shown if len(lines) == 1 else f"{shown} (+{count_text(len(lines) - 1, 'line')})"


def _row(name: str, side: "Side", other: Any) -> list[str]:
    age = "" if side.at is None else age_text(side.at)
    return [name, side.author or "", age, value_text(side.value, side.version, other)]
