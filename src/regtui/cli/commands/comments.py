"""`regtui comments`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.comment_text import shown
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def comments(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="A model or version.", autocompletion=complete.references
        ),
    ],
) -> None:
    """List what was said about a version or model.

    Of a model these are the comments on its versions too.
    """
    found = SETTINGS.registry().comments(reference)
    if SETTINGS.json:
        emit({"comments": found})
    elif found:
        say("\n\n".join(shown(found)))
    else:
        warn(f"no comments; `regtui comment {reference} TEXT` adds one")
