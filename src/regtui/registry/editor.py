"""The person's own editor, on a temporary file."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from regtui.core.errors import RegtuiError


def edit_text(text: str, *, suffix: str) -> str:
    """Open `$VISUAL`, `$EDITOR` or vi on a text and return what was saved.

    Args:
        text: What the editor shows first.
        suffix: Of the file's name, for the editor's colours.

    Raises:
        RegtuiError: The editor can't be started or fails; nothing is changed then.
    """
    chosen = (os.environ.get("VISUAL") or os.environ.get("EDITOR") or "").strip() or "vi"
    if chosen == "vi" and not sys.stdin.isatty():
        raise RegtuiError("there is no terminal for an editor", "set EDITOR, or give the options")
    try:
        command = shlex.split(chosen)
    except ValueError as error:
        raise RegtuiError(f"can't read EDITOR={chosen!r}: {error}", "set EDITOR") from None
    with tempfile.TemporaryDirectory(prefix="regtui-") as folder:
        file = Path(folder, f"edit{suffix}")
        file.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*command, str(file)], check=False)  # noqa: S603 -- their editor
        except OSError as error:
            raise RegtuiError(
                f"can't start the editor {command[0]!r}: {error.strerror}", "set EDITOR"
            ) from None
        if done.returncode:
            raise RegtuiError(
                f"the editor ended with {done.returncode}", "nothing was changed; try again"
            )
        try:
            return file.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            raise RegtuiError("the edited text is not UTF-8", "nothing was changed") from None
        except OSError as error:
            raise RegtuiError(
                f"can't read the edited text: {error.strerror}", "nothing was changed"
            ) from None


def keep(text: str, suffix: str) -> Path:
    """Write a text that could not be saved into a file of its own, and return where it is."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", prefix="regtui-", suffix=suffix, delete=False
    ) as file:
        file.write(text)
    return Path(file.name)
