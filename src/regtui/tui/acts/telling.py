"""Telling: what an act did, how to take it back, and the command that does the same."""

import shlex
from typing import TYPE_CHECKING

from regtui.core.wording import count_text
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registry.answers import VersionAnswer
    from regtui.tui.app import RegtuiApp

WORD = 48
"""Characters of one word of a command that are shown."""

LINE = 160
"""Characters of a whole command that are shown."""


def tell(app: "RegtuiApp", what: str, command: str, *, can_undo: bool = True) -> None:
    """Tell what was done.

    Args:
        app: The app.
        what: In a few words.
        command: What does the same on the command line.
        can_undo: Whether the undo key takes it back.
    """
    back = [f"({key_of(app, 'app.undo')} takes it back)"] if can_undo else []
    app.tell_done(one_line(what), back, command)


def command(*words: str) -> str:
    """Return a command line for a shell; what is too long to be shown is cut."""
    line = shlex.join(["regtui", *(_cut(one_line(word), WORD) for word in words)])
    return _cut(line, LINE)


def command_of_each(versions: "Sequence[VersionAnswer]", *words: str) -> str:
    """Return the command line that does something to each of several versions.

    Args:
        versions: The versions.
        words: The words of the command; `$v` stands for the reference.
    """
    if len(versions) == 1:
        return command(*(versions[0].reference if word == "$v" else word for word in words))
    shown = " ".join(version.reference for version in versions[:3])
    more = " …" if len(versions) > 3 else ""  # noqa: PLR2004 -- what fits
    line = " ".join("$v" if word == "$v" else shlex.quote(word) for word in words)
    return _cut(f"for v in {shown}{more}; do regtui {line}; done", LINE)


def named(versions: "Sequence[VersionAnswer]") -> str:
    """Return what to call versions: one by its reference, several by their number."""
    return versions[0].reference if len(versions) == 1 else count_text(len(versions), "version")


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
