"""Key names: how the keys of actions are spelled, wherever a person reads them.

A sentence that names a key names the one that works: whoever chose other keys in `config.toml`
reads those.
"""

from typing import TYPE_CHECKING

from textual.binding import Binding
from textual.keys import format_key

from regtui.tui import signs
from regtui.tui.actions import BY_ID, Action, keys_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

IN_ASCII = {
    "↑": "up",
    "↓": "down",
    "←": "left",
    "→": "right",
    "⌫": "backspace",
    "⏎": "enter",
}
"""What stands for the signs of keys in plain ASCII."""


def key_of(app: "RegtuiApp", identity: str, *, while_typing: bool = False) -> str:
    """Return the key of an action as it is shown; its name where it has none.

    Args:
        app: The app.
        identity: The id of the action.
        while_typing: Whether it is for where letters are typed, so that their keys do nothing.
    """
    action = BY_ID[identity]
    keys = working_keys(app, action, while_typing=while_typing)
    return _spelled(app, keys[0]) if keys else action.text


def working_keys(app: "RegtuiApp", action: Action, *, while_typing: bool) -> tuple[str, ...]:
    """Return the keys that do an action, of those only that are no letters while one types."""
    keys = keys_of(action, app.config.keys)
    return tuple(key for key in keys if not (while_typing and _is_typed(key)))


def all_keys_of(app: "RegtuiApp", action: Action) -> str:
    """Return all keys of an action as they are shown."""
    return " ".join(_spelled(app, key) for key in keys_of(action, app.config.keys))


def _spelled(app: "RegtuiApp", key: str) -> str:
    shown = app.get_key_display(Binding(key, ""))
    if signs.signs() is signs.ASCII:
        for sign, name in IN_ASCII.items():
            shown = shown.replace(sign, name)
    return shown


def _is_typed(key: str) -> bool:
    shown = format_key(key)
    return key == "space" or (len(shown) == 1 and shown not in IN_ASCII)
