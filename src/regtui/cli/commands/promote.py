"""`regtui promote`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.promotion_text import request_text
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Blocked

app = single()


@app.command()
def promote(
    reference: Annotated[
        str,
        typer.Argument(metavar="REF", help="The version.", autocompletion=complete.references),
    ],
    target: Annotated[
        str | None,
        typer.Argument(metavar="ALIAS", help="Where to.", autocompletion=complete.targets),
    ] = None,
    env: Annotated[
        str | None,
        typer.Option(help="An environment instead.", autocompletion=complete.environments),
    ] = None,
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
    """Ask for a target to be moved to a version; tell what it takes.

    It moves by itself when the last gate passes, if you are a maintainer of the model. The request
    is there, too, where a gate says no: that exits with 5.
    """
    if (target is None) == (env is None):
        raise BadInput(
            "say where to: an alias or --env", "such as regtui promote team/m@7 champion"
        )
    found = SETTINGS.registry().request_promotion(
        reference,
        f"env:{env}" if target is None else target,
        reason=reason,
        auto=not by_hand,
        break_glass=break_glass,
        remove=remove,
    )
    if SETTINGS.json:
        emit({"request": found})
    else:
        say(request_text(found))
    if found.ready is False:
        raise typer.Exit(Blocked.exit_code)
