"""Comments: say something about a version."""

from typing import TYPE_CHECKING

from regtui.registry.answers import VersionAnswer
from regtui.tui.acts.asking import ask, may_change
from regtui.tui.acts.telling import command, tell
from regtui.tui.screens.editor import Editor

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


async def comment(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Say something about a version, in as many lines as it takes."""
    if not may_change(app):
        return
    reference = versions[0].reference

    async def save(text: str) -> bool:
        said = await app.act(lambda registry: registry.add_comment(reference, text))
        if said is None:
            return False
        tell(app, f"commented on {reference}", command("comment", reference, text))
        return True

    await ask(app, Editor(f"Comment on {reference}", "", save))
