"""`regtui requests`, which is `regtui request ls`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.gate_text import sign
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.registry.figures import age_text
from regtui.registry.promotion_text import state_words, target_text

app = single()


@app.command()
def requests(
    model: Annotated[str | None, typer.Argument(autocompletion=complete.models)] = None,
    state: Annotated[str, typer.Option(help="open, applied, withdrawn or any.")] = "open",
    mine: Annotated[bool, typer.Option("--mine", help="That wait for your review.")] = False,
) -> None:
    """List promotion requests, newest first."""
    from regtui.registry.promotions import STATES

    if state not in {*STATES, "any"}:
        raise BadInput(f"there is no state {state!r}", ", ".join([*STATES, "any"]))
    found = SETTINGS.registry().promotions(
        model, state=None if state == "any" else state, mine=mine
    )
    if SETTINGS.json:
        emit({"requests": found})
        return
    if not found:
        warn(_nothing(model, state, mine=mine))
        return
    rows = [
        [
            one.request,
            target_text(one),
            one.version or "remove",
            f"{sum(bool(g.passed) for g in one.gates)}/{len(one.gates)} {sign(one.ready)}"
            if one.state == "open"
            else "",
            state_words(one),
            one.author,
            age_text(one.created),
        ]
        for one in found
    ]
    headings = ("REQUEST", "TARGET", "TO", "GATES", "STATE", "BY", "AGE")
    say(table(headings, rows, right="AGE"))


def _nothing(model: str | None, state: str, *, mine: bool) -> str:
    """Return what to say where nothing is to be listed."""
    if mine:
        return "no requests wait for your review"
    which = "" if state == "any" else f"{state} "
    of = "" if model is None else f" of {model}"
    return f"no {which}requests{of}; `regtui promote REF ALIAS` makes one"
