"""`regtui undo`."""

from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def undo(
    operation: Annotated[
        str | None,
        typer.Argument(
            metavar="OPERATION",
            help="Its number or id, from the log; without it your last change by hand.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done.")
    ] = False,
) -> None:
    """Take back your last change by hand, or an operation."""
    answer = SETTINGS.registry().undo(operation, dry_run=dry_run)
    for line in answer.warnings:
        warn(line)
    if SETTINGS.json:
        emit(answer)
        return
    for line in answer.lines:
        say(f"{'dry run: ' if dry_run else ''}{line}")
