"""Starting the app from the command line."""

import sys

from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, NotFound


def is_terminal() -> bool:
    """Tell whether there is a terminal to draw on and to read keys from."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def run_app(*, read_only: bool = False) -> None:
    """Run the app on the registry of this command line until the person leaves it.

    Where the person chose the demo in it, it goes on there.

    Args:
        read_only: Whether nothing may be changed.

    Raises:
        BadInput: There is no terminal.
        NotFound: Nothing may be changed, and there is no registry to look at.
    """
    if SETTINGS.json or not is_terminal():
        raise BadInput("the app needs a terminal", "`regtui --help` lists what scripts can use")
    from regtui.tui.ahead import Ahead
    from regtui.tui.config import AppConfig

    while True:
        registry, config = SETTINGS.registry("app"), AppConfig()
        home = registry.context.replica.home
        if read_only and not home.exists():
            raise NotFound(
                f"there is no registry in {home.path}", "without --read-only one is made"
            )
        ahead = Ahead(registry.context, f"sort:{config.sort}" if config.sort else "")
        from regtui.tui.app import RegtuiApp  # which takes as long to load as the rows to read

        app = RegtuiApp(
            registry, config=config, read_only=read_only, debug=SETTINGS.debug, ahead=ahead
        )
        app.run()
        if app.return_code:
            sys.exit(app.return_code)
        if app.next_home is None:
            return
        SETTINGS.home = app.next_home  # the demo, which the person chose to look at
