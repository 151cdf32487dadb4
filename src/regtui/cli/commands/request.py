"""`regtui request ls | show | apply | withdraw`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group, requests
from regtui.cli.gate_text import outcome_line
from regtui.cli.output import emit, say
from regtui.cli.promotion_text import request_text
from regtui.cli.settings import SETTINGS
from regtui.core.errors import Blocked
from regtui.registry.promotion_text import target_text

app = group("Look after promotion requests.")

Request = Annotated[
    str,
    typer.Argument(metavar="REQUEST", help="Its short name.", autocompletion=complete.requests),
]


app.command("ls")(requests.requests)


@app.command()
def show(request: Request) -> None:
    """Show a request: what each gate says, and what people say.

    Exits with 5 where a gate of an open one says no.
    """
    found = SETTINGS.registry().promotion(request)
    if SETTINGS.json:
        emit({"request": found})
    else:
        say(request_text(found))
    if found.ready is False:
        raise typer.Exit(Blocked.exit_code)


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
