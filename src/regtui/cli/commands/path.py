"""`regtui path`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def path(
    reference: Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)],
    file: Annotated[
        str | None, typer.Argument(help="A file of the version; not needed where it has one.")
    ] = None,
) -> None:
    """Print where a file of a version is stored.

    The file is read-only and shared by every version that holds it: read it, never write it.
    """
    found = SETTINGS.registry().path(reference, file)
    if SETTINGS.json:
        emit({"path": str(found)})
        return
    typer.echo(str(found))
