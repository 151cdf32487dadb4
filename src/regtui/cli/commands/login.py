"""`regtui login`."""

import sys
from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput

app = single()


@app.command()
def login(
    token: Annotated[
        str | None,
        typer.Option(
            metavar="TOKEN",
            envvar="REGTUI_TOKEN",
            help="From an admin; - reads a line.",
            show_envvar=False,
        ),
    ] = None,
) -> None:
    """Sign in to the remote and join its registry."""
    if token is None and sys.stdin.isatty():
        import getpass

        token = getpass.getpass("token: ")
    elif token in {None, "-"}:
        token = sys.stdin.readline()
    token = (token or "").strip()
    if not token:
        raise BadInput("no token was given", "--token TOKEN, or REGTUI_TOKEN")
    remote = SETTINGS.registry().login(token)
    if SETTINGS.json:
        emit({"remote": remote})
        return
    say(f"signed in to {remote.url} as {remote.user}; `regtui sync` reads the registry")
