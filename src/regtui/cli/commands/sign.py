"""`regtui sign`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def sign(
    reference: Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)],
) -> None:
    """Vouch for the bytes of a version, with this replica's key."""
    found, changed = SETTINGS.registry().sign(reference)
    if SETTINGS.json:
        emit({"signatures": found, "changed": changed})
        return
    say(f"signed {reference}" if changed else f"{reference} is signed by this replica already")
