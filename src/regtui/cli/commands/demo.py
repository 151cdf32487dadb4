"""`regtui demo`."""

from pathlib import Path
from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS
from regtui.cli.terminal_app import is_terminal, run_app
from regtui.demo.make import make_demo

app = single()


@app.command()
def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Where to; the cache folder unless told."),
    ] = None,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make it anew.")] = False,
    no_app: Annotated[bool, typer.Option("--no-app", help="Make it and open no app.")] = False,
) -> None:
    """Make a sample registry with small real models to play with.

    They are trained now, and the app opens on them. Nothing of yours is touched, and --fresh makes
    it anew.
    """
    made = make_demo(folder, again=fresh, told=lambda model: say(f"training {model}"))
    if SETTINGS.json:
        emit(made)
        return
    say(f"the demo is in {made.folder}; `regtui --home {made.home}` works on it")
    if not no_app and is_terminal():
        SETTINGS.home = made.home
        run_app()
