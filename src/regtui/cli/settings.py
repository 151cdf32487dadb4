"""The options that every command has, and what they are set to in this process."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtui.core.errors import BadInput

if TYPE_CHECKING:
    from typer.core import TyperOption

    from regtui.registry import Registry


class Settings:
    """What the common options say."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the command line before; what the environment says holds again."""
        self.json = False
        self.quiet = False
        self.color = "NO_COLOR" not in os.environ
        self.debug = False
        self.yes = False
        self.strict = False
        self._told: set[str] = set()
        self.home: str | None = os.environ.get("REGTUI_HOME") or None

    def registry(self, via: str = "cli") -> "Registry":
        """Return the registry that `--home`, `REGTUI_HOME` or the present folder choose."""
        from regtui.registry import open_registry

        home = None if self.home is None else Path(self.home)
        # In the app, contested shows by itself; a line on standard error would tear its screen.
        listener = None if via == "app" else self._contested
        return open_registry(home, via=via, listener=listener)

    def _contested(self, alias: str, conflict: str) -> None:
        """Warn of a contested alias, once; with `--strict` it is an error."""
        from regtui.cli.output import warn
        from regtui.registry.contested import refuse, way_out

        if self.strict:
            refuse(alias, conflict)
        if alias not in self._told:
            self._told.add(alias)
            warn(f"{alias} is contested and gives what was accepted; {way_out(conflict)}")


SETTINGS = Settings()


def common_options() -> "list[TyperOption]":
    """Return the common options; each stores its value in `SETTINGS`."""
    from typer.core import TyperOption

    return [
        _flag("--json", "json", help="Print one JSON document on standard output."),
        _flag("--quiet", "quiet", "-q", help="Print errors only."),
        _flag("--yes", "yes", "-y", help="Answer every question with yes."),
        _flag("--strict", "strict", help="Fail where an alias has an open conflict."),
        _flag("--no-color", "color", help="Print without colours (also NO_COLOR)."),
        _flag("--debug", "debug", help="Show the traceback of an error."),
        TyperOption(
            param_decls=["--home"],
            metavar="DIR",
            help="Use the registry in this folder (also REGTUI_HOME).",
            expose_value=False,
            callback=_set_home,
        ),
    ]


def _flag(name: str, setting: str, *short: str, help: str) -> "TyperOption":  # noqa: A002
    from typer.core import TyperOption

    def store(_context: Any, _parameter: Any, value: Any) -> None:
        if value:
            setattr(SETTINGS, setting, setting != "color")

    return TyperOption(
        param_decls=[name, *short],
        is_flag=True,
        default=False,
        expose_value=False,
        help=help,
        callback=store,
    )


def _set_home(_context: Any, _parameter: Any, value: str | None) -> None:
    if value == "":
        raise BadInput("--home names no folder", "such as --home ~/registry")
    if value is not None:
        SETTINGS.home = value
