"""Themes: dark, light, high contrast, and the terminal's own colours."""

import os
from collections.abc import Mapping

from textual.color import Color, ColorParseError
from textual.theme import Theme

DARK = Theme(
    name="regtui-dark",
    primary="#6CA8F0",
    secondary="#8FB7A8",
    accent="#E8B65A",
    warning="#E8B65A",
    error="#F07878",
    success="#86C98A",
    foreground="#D8DEE6",
    background="#12161C",
    surface="#171C24",
    panel="#212935",
    dark=True,
)
LIGHT = Theme(
    name="regtui-light",
    primary="#1F5FA8",
    secondary="#3D7361",
    accent="#8A5A00",
    warning="#8A5A00",
    error="#B3261E",
    success="#2A6E30",
    foreground="#1B2229",
    background="#F4F5F7",
    surface="#FFFFFF",
    panel="#E4E8EE",
    dark=False,
)
HIGH_CONTRAST = Theme(
    name="high-contrast",
    primary="#FFFF00",
    secondary="#00FFFF",
    accent="#FFFF00",
    warning="#FFFF00",
    error="#FF6060",
    success="#00FF00",
    foreground="#FFFFFF",
    background="#000000",
    surface="#000000",
    panel="#000000",
    dark=True,
    variables={
        "block-cursor-background": "#FFFF00",
        "block-cursor-foreground": "#000000",
        "block-cursor-blurred-background": "#444444",
        "block-cursor-blurred-foreground": "#FFFFFF",
        "text-muted": "#E0E0E0",
    },
)
THEMES = (DARK, LIGHT, HIGH_CONTRAST)

OWN = ("regtui-dark", "regtui-light", "high-contrast", "ansi-dark", "ansi-light")
"""Those that the theme key goes through; `config.toml` may name any other."""


def is_colorless() -> bool:
    """Tell whether nothing may be painted in colour."""
    return bool(os.environ.get("NO_COLOR"))


def chosen(wanted: str | None, available: set[str]) -> str:
    """Return the theme to start with.

    `NO_COLOR` alone leaves Textual's greys; the terminal's own colours are no colour sequence at
    all, so that theme is taken then, whatever was chosen.
    """
    if is_colorless():
        return "ansi-dark"
    return wanted if wanted in available else DARK.name


def after(name: str) -> str:
    """Return the theme after one."""
    place = OWN.index(name) if name in OWN else -1
    return OWN[(place + 1) % len(OWN)]


def cursors() -> dict[str, str]:
    """Return how the row under a cursor looks where no colour may tell it from the others."""
    if not is_colorless():
        return {}
    return {
        "block-cursor-text-style": "bold reverse",
        "block-cursor-blurred-text-style": "underline",
    }


VEIL = "block-cursor-blurred-background"


def solid(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what takes the place of colours that Textual leaves open.

    Dimmed text is a share of whatever stands out from what is behind it, and the row under a cursor
    without focus a veil over it. Widgets that paint their lines themselves can't know what that is:
    they would paint the text white, on white too, and the veil as if it hid everything.
    """
    try:
        ink = Color.parse(variables["foreground"])
        paper = Color.parse(variables["background"])
        veil = Color.parse(variables[VEIL])
        below = Color.parse(variables["surface"])
    except (KeyError, ColorParseError):
        return {}
    if ink.ansi is not None or paper.ansi is not None:  # the terminal's own are not known
        return {}
    shares = {"text-muted": 0.35, "text-disabled": 0.6}
    found = {
        name: ink.blend(paper, share).hex
        for name, share in shares.items()
        if variables.get(name, "").startswith("auto")
    }
    return found | {VEIL: (below + veil).hex}
