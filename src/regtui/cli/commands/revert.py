"""`regtui revert`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def revert(
    alias: Annotated[
        str,
        typer.Argument(
            metavar="MODEL@ALIAS", help="The alias.", autocompletion=complete.references
        ),
    ],
    to: Annotated[
        str | None, typer.Option(metavar="REF", help="To this version, not to the one before.")
    ] = None,
) -> None:
    """Move an alias back to where it pointed before.

    Once more goes further back.
    """
    answer = SETTINGS.registry().revert(alias, to=to)
    if SETTINGS.json:
        emit(answer)
        return
    if answer.requested:
        to = answer.version.reference
        say(f"requested: {alias} → {to}; the server decides at the next `regtui sync`")
        return
    was = f", was {answer.before}" if answer.changed and answer.before is not None else ""
    say(f"{alias} is at {answer.version.reference}{was}")
