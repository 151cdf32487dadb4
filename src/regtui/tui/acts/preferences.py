"""Preferences: what a person chooses in this app, kept in `config.toml`."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.tui.actions import BY_ID, Action, keymap, keys_of
from regtui.tui.acts.asking import ask
from regtui.tui.screens.prompt import Choice, Chooser, Prompt

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.settings_tabs import Setting

KEYS = "keys by their names, with commas between: s, ctrl+s, f5"


async def change(app: "RegtuiApp", setting: "Setting") -> None:
    """Change a setting, or the keys of an action."""
    if setting.id == "theme":
        choices = [Choice(name, name) for name in sorted(app.available_themes)]
        theme = await ask(app, Chooser("Theme", choices))
        if theme is not None:
            _take_theme(app, theme)
    elif setting.id == "sync":
        is_on = not app.config.sync
        app.keep(f"syncs by itself: {'yes' if is_on else 'no'}", sync=is_on)
    elif isinstance(setting.of, Action):
        await _change_keys(app, setting.of)


async def reset(app: "RegtuiApp", setting: "Setting") -> None:
    """Take what is usual again."""
    if setting.id == "theme":
        from regtui.tui import themes

        app.theme = themes.chosen(None, set(app.available_themes))
        app.keep(f"theme {app.theme}", theme=None)
    elif setting.id == "sync":
        app.keep("syncs by itself: yes", sync=True)
    elif isinstance(setting.of, Action) and setting.of.id in app.config.keys:
        chosen = {name: keys for name, keys in app.config.keys.items() if name != setting.of.id}
        _take_keys(app, chosen, setting.of)


def _take_theme(app: "RegtuiApp", theme: str) -> None:
    app.theme = theme
    app.keep(f"theme {theme}", theme=theme)


async def _change_keys(app: "RegtuiApp", action: Action) -> None:
    def check(text: str) -> str | None:
        if not any(key.strip() for key in text.split(",")):
            return "give one key at least"
        try:
            keymap(app.config.keys | {action.id: text})
        except BadInput as error:
            return error.message
        return None

    value = ", ".join(keys_of(action, app.config.keys))
    text = await ask(app, Prompt(f"Keys for: {action.help}", KEYS, value=value, check=check))
    if text is not None and check(text) is None and text != value:
        keys = ",".join(key.strip() for key in text.split(",") if key.strip())
        _take_keys(app, app.config.keys | {action.id: keys}, action)


def _take_keys(app: "RegtuiApp", chosen: dict[str, str], action: Action) -> None:
    # Those that are usual too: Textual keeps what it was told before.
    usual = {one: ",".join(BY_ID[one].keys) for one in {*app.config.keys, action.id}}
    app.set_keymap(usual | keymap(chosen))
    app.keep(f"{action.text}: {' '.join(keys_of(action, chosen))}", keys=chosen)
