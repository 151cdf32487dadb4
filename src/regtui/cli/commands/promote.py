"""`regtui promote`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.promotion_text import request_text
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def promote(
    reference: Annotated[
        str,
        typer.Argument(metavar="REF", help="The version.", autocompletion=complete.references),
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="ALIAS|env:NAME", help="Where to.", autocompletion=complete.targets),
    ],
    reason: Annotated[str, typer.Option("--reason", "-m", help="Why.")] = "",
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Not by itself when the last gate passes.")
    ] = False,
    remove: Annotated[
        bool, typer.Option("--remove", help="Take the alias away; REF is the model.")
    ] = False,
    break_glass: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Pass the gates as an admin; flagged for ever."),
    ] = None,
) -> None:
    """Ask for an alias or environment to be moved to a version, and tell what that takes.

    It moves by itself when the last gate passes, if you are a maintainer of the model.
    """
    found = SETTINGS.registry().request_promotion(
        reference,
        target,
        reason=reason,
        auto=not by_hand,
        break_glass=break_glass,
        remove=remove,
    )
    if SETTINGS.json:
        emit({"request": found})
        return
    say(request_text(found))
