"""`regtui report`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import KEPT, emit, printable, say
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import size_text

app = single()


@app.command()
def report(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="A model or version.", autocompletion=complete.references
        ),
    ],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="A new file, .md or .html."),
    ] = None,
) -> None:
    """Write all that is known of a model or version on one page.

    Without --output it prints Markdown. A file that is there already is replaced with --yes only.
    """
    registry = SETTINGS.registry()
    if output is None:
        text = registry.report_text(reference)
        if SETTINGS.json:
            emit({"report": text})
        else:
            sys.stdout.write(printable(text, keep=KEPT))
        return
    made = registry.report(reference, Path(output), replace=SETTINGS.yes)
    if SETTINGS.json:
        emit(made)
        return
    say(f"wrote all that is known of {made.about} to {made.file}  {size_text(made.bytes)}")
