"""Capturing: a file or folder of the disk becomes a version, with its progress in sight."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import name_key, slug
from regtui.core.wording import count_text
from regtui.registry.figures import size_text
from regtui.tui.acts.asking import ask, may_change
from regtui.tui.acts.telling import command, tell
from regtui.tui.acts.working import worked
from regtui.tui.jobs import Job
from regtui.tui.safe_text import one_line
from regtui.tui.screens.path_prompt import PathPrompt
from regtui.tui.screens.prompt import Prompt

if TYPE_CHECKING:
    from regtui.registry.answers import Captured
    from regtui.tui.app import RegtuiApp


async def capture(app: "RegtuiApp") -> None:
    """Ask for a path and a model, capture, and go to what was captured."""
    if not may_change(app):
        return
    hint = "a file or a folder; its bytes are stored once, and stay where they are, too"
    typed = await ask(app, PathPrompt("Capture a file or folder", hint))
    if typed is None:
        return
    try:
        path = await asyncio.to_thread(_existing, typed.strip())
    except (NotFound, BadInput) as error:
        app.show_error(error)
        return
    model = await ask(
        app,
        Prompt(
            "The name of the model", "such as team/ranker", value=_suggested(path), check=_fault
        ),
    )
    if model is None or not model.strip():
        return
    await _capture(app, path, model.strip())


async def _capture(app: "RegtuiApp", path: Path, model: str) -> None:
    job = Job(lambda count: app.registry.capture(path, model=model, on_progress=count), None)
    captured = await worked(app, f"Capture {one_line(path.name)}", job, "no version was made")
    if captured is not None:
        _tell(app, captured, path)
        await app.go_to(captured.version.reference)


def _tell(app: "RegtuiApp", captured: "Captured", path: Path) -> None:
    version = captured.version
    what = f"{version.reference} has this content already"
    if captured.created:
        content = f"{count_text(version.files, 'file')}, {size_text(version.size)}"
        what = f"captured {version.reference}: {content}"
    line = command("capture", str(path), "--model", version.model)
    tell(app, what, line, can_undo=captured.created)
    for warning in captured.warnings:
        app.notify(one_line(warning), severity="warning", timeout=10, markup=False)


def _existing(typed: str) -> Path:
    try:
        path = Path(typed).expanduser().absolute()
        if path.exists():
            return path
    except (OSError, RuntimeError, ValueError) as error:
        raise BadInput(f"{typed!r} is no path: {error}") from None
    raise NotFound(f"there is no {path}", "tab completes a path as it is typed")


def _suggested(path: Path) -> str:
    return slug(path.stem if path.is_file() else path.name)


def _fault(name: str) -> str | None:
    try:
        name_key(name.strip())
    except BadInput as error:
        return error.message
    return None
