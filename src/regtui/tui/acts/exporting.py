"""Exporting: what is on the screen, written into a file of the person's choice.

A file that is there already is replaced only after a yes, and then at once: who reads it meanwhile
has the old one whole.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from regtui.tui.acts.asking import ask
from regtui.tui.screens.prompt import Confirm, Prompt

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


async def export_comparison(app: "RegtuiApp", make: Callable[[], str], suggested: str) -> None:
    """Ask for a path, and write the comparison there.

    Args:
        app: The app.
        make: Returns the text, in a thread.
        suggested: The path that stands there at first.
    """
    hint = "the path of a file; ~ is your own folder"
    answer = await ask(app, Prompt("Write the comparison as Markdown", hint, value=suggested))
    if answer is None or not answer.strip():
        return
    typed = answer.strip()
    try:
        text = await asyncio.to_thread(make)
        try:
            file = await asyncio.to_thread(_write, typed, text, replace=False)
        except FileExistsError as error:
            question = f"{error.filename} is there already. Replace it?"
            if not await ask(app, Confirm("Replace the file", question)):
                return
            file = await asyncio.to_thread(_write, typed, text, replace=True)
    except (OSError, RuntimeError) as error:  # RuntimeError: no such person's folder
        app.show_error(error)
        return
    app.notify(f"wrote {file}", timeout=6, markup=False)


def _write(typed: str, text: str, *, replace: bool) -> Path:
    file = Path(typed).expanduser().absolute()
    if not replace:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
        return file
    if file.is_dir():
        raise IsADirectoryError(None, "it is a folder", str(file))
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with open(descriptor, "w", encoding="utf-8") as opened:  # noqa: PTH123 -- a descriptor
            opened.write(text)
        os.replace(name, file)  # noqa: PTH105 -- beside the other os calls
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108
        raise
    return file
