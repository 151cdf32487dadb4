"""`regtui ui`."""

from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.terminal_app import run_app

app = single()


@app.command()
def ui(
    *,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Change nothing, whatever key is pressed.")
    ] = False,
) -> None:
    """Open the app; `regtui` alone does the same on a terminal."""
    run_app(read_only=read_only)
