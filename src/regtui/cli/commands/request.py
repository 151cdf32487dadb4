"""`regtui request ls | show | apply | withdraw`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.gate_text import outcome_line, sign
from regtui.cli.output import emit, say, table, warn
from regtui.cli.promotion_text import request_text, target_text
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import age_text

app = group("Look after promotion requests.")

Request = Annotated[
    str,
    typer.Argument(metavar="REQUEST", help="Its short name.", autocompletion=complete.requests),
]


@app.command()
def ls(
    model: Annotated[str | None, typer.Argument(autocompletion=complete.models)] = None,
    state: Annotated[str, typer.Option(help="open, applied, withdrawn or any.")] = "open",
    mine: Annotated[bool, typer.Option("--mine", help="That wait for your review.")] = False,
) -> None:
    """List promotion requests, newest first."""
    found = SETTINGS.registry().promotions(
        model, state=None if state == "any" else state, mine=mine
    )
    if SETTINGS.json:
        emit({"requests": found})
        return
    if not found:
        warn("no such request; `regtui promote REF ALIAS` makes one")
        return
    rows = [
        [
            one.request,
            target_text(one),
            one.version or "remove",
            f"{sum(bool(g.passed) for g in one.gates)}/{len(one.gates)} {sign(one.ready)}"
            if one.state == "open"
            else "",
            "requested" if one.requested else one.state,
            one.author,
            age_text(one.created),
        ]
        for one in found
    ]
    headings = ("REQUEST", "TARGET", "TO", "GATES", "STATE", "BY", "AGE")
    say(table(headings, rows, right="AGE"))


@app.command()
def show(request: Request) -> None:
    """Show a request: what each gate says, and what people say."""
    found = SETTINGS.registry().promotion(request)
    if SETTINGS.json:
        emit({"request": found})
        return
    say(request_text(found))


@app.command()
def apply(
    request: Request,
    break_glass: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Pass the gates as an admin; flagged for ever."),
    ] = None,
) -> None:
    """Move the target as a request asks; every gate has to pass."""
    found, outcome = SETTINGS.registry().apply_promotion(request, break_glass=break_glass)
    if SETTINGS.json:
        emit({"request": found, "outcome": outcome})
        return
    to = found.version or "nothing"
    place = target_text(found)
    say(outcome_line(f"{place} is {to} now", f"{place} → {to}", outcome))


@app.command()
def withdraw(request: Request) -> None:
    """Take a request back."""
    found = SETTINGS.registry().withdraw_promotion(request)
    if SETTINGS.json:
        emit({"request": found})
        return
    say(f"withdrew {found.request}: {target_text(found)}")
