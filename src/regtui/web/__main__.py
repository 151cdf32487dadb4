"""One app in a browser: `python -m regtui.web HOME [--read-only] [--debug]`, by the server."""

import sys
from pathlib import Path


def main() -> None:
    """Run the app on a registry, drawn by the driver that the server names."""
    home, *options = sys.argv[1:]
    from regtui.registry import open_registry
    from regtui.tui.app import RegtuiApp
    from regtui.tui.config import AppConfig

    registry = open_registry(Path(home), via="app")
    app = RegtuiApp(
        registry,
        config=AppConfig(),
        read_only="--read-only" in options,
        debug="--debug" in options,
    )
    app.run()
    sys.exit(app.return_code or 0)


if __name__ == "__main__":
    main()
