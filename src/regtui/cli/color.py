"""Colours: whole lines, on a terminal only, and never against NO_COLOR."""

import os
import sys
from collections.abc import Iterable

from regtui.cli.output import KEPT, printable
from regtui.cli.settings import SETTINGS

CODES = {"good": "32", "bad": "31", "dim": "2", "head": "1"}

Painted = tuple[str, str]
"""A line, and its colour by name; empty for none."""


def colored() -> bool:
    """Return whether standard output shows colours."""
    dumb = os.environ.get("TERM", "") in {"", "dumb"}
    return SETTINGS.color and not dumb and sys.stdout.isatty()


def say_painted(lines: Iterable[Painted]) -> None:
    """Tell a person lines with colours; scripts and `--quiet` hear nothing."""
    if SETTINGS.quiet or SETTINGS.json:
        return
    painting = colored()
    for line, color in lines:
        # What a name or value holds is made harmless before the colour is put around it.
        shown = printable(line, keep=KEPT)
        code = CODES.get(color) if painting else None
        sys.stdout.write(f"\x1b[{code}m{shown}\x1b[0m\n" if code else f"{shown}\n")
