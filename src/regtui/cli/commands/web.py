"""`regtui web`."""

import sys
from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import RegtuiError

app = single()


@app.command()
def web(
    *,
    host: Annotated[str, typer.Option(help="An address of this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8751,
    write: Annotated[
        bool, typer.Option("--write", help="Let who opens it change the registry.")
    ] = False,
) -> None:
    """Open the app in a browser, on this machine alone.

    It prints the address, which nobody else knows; it ends with Ctrl-C.
    """
    try:
        from regtui.web.server import AppServer
    except ModuleNotFoundError as error:
        raise RegtuiError(
            f"{error.name} is not installed, which draws the app in a browser",
            'install it with `pip install "regtui[web]"`',
        ) from None
    registry = SETTINGS.registry("app")
    registry.context.replica.make()
    server = AppServer(registry.home, host=host, port=port, writes=write, debug=SETTINGS.debug)
    server.serve_until_told(lambda url: _tell(url, writes=write))


def _tell(url: str, *, writes: bool) -> None:
    if SETTINGS.json:
        emit({"url": url, "writes": writes})
    else:
        say(url)
        may = "change the registry" if writes else "look only; --write lets them change it"
        warn(f"who opens this address may {may}; Ctrl-C ends it")
    sys.stdout.flush()
