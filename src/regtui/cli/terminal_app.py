"""Starting the app from the command line."""

import sys

from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput


def is_terminal() -> bool:
    """Tell whether there is a terminal to draw on and to read keys from."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def run_app(*, read_only: bool = False) -> None:
    """Run the app on the registry of this command line until the person leaves it.

    Args:
        read_only: Whether nothing may be changed.

    Raises:
        BadInput: There is no terminal.
    """
    if SETTINGS.json or not is_terminal():
        raise BadInput("the app needs a terminal", "`regtui --help` lists what scripts can use")
    from regtui.tui.app import RegtuiApp

    registry = SETTINGS.registry("app")
    RegtuiApp(registry, read_only=read_only, debug=SETTINGS.debug).run()
