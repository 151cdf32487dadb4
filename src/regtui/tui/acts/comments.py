"""Comments: say something about a version, change what was said, or withdraw it."""

from typing import TYPE_CHECKING

from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_records import CommentAnswer
from regtui.tui.acts.asking import ask
from regtui.tui.acts.telling import command, tell
from regtui.tui.key_names import key_of
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.prompt import Confirm

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


async def comment(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Say something about a version, in as many lines as it takes."""
    await write_comment(app, versions[0])


async def write_comment(app: "RegtuiApp", version: VersionAnswer, begun: str = "") -> bool:
    """Write a comment in an editor; tell whether it was said.

    Args:
        app: The app.
        version: What it is about.
        begun: What is written of it already.
    """

    async def save(text: str) -> bool:
        return await say(app, version, text)

    editor = Editor(f"Comment on {version.reference}", begun, save, is_new=True)
    return await ask(app, editor) or False


async def say(app: "RegtuiApp", version: VersionAnswer, text: str) -> bool:
    """Say something about a version; False where that failed, which is shown."""
    about, name = f":{version.id}", version.reference
    said = await app.act(lambda registry: registry.add_comment(about, text))
    if said is not None:
        tell(app, f"commented on {name}", command("comment", name, text))
    return said is not None


async def change_comment(app: "RegtuiApp", said: CommentAnswer) -> None:
    """Change a comment in an editor."""

    async def save(text: str) -> bool:
        done = await app.act(lambda registry: registry.edit_comment(said.id, text))
        if done is not None:
            tell(app, "changed the comment", command("comment", "edit", _short(said), text))
        return done is not None

    await ask(app, Editor("Change the comment", said.text, save))


async def withdraw_comment(app: "RegtuiApp", said: CommentAnswer) -> None:
    """Withdraw a comment, after a yes."""
    sentence = (
        "It is shown to nobody any more, and stays in the history. "
        f"{key_of(app, 'app.undo')} brings it back."
    )
    if not await ask(app, Confirm("Withdraw the comment?", sentence)):
        return
    done = await app.act(lambda registry: registry.withdraw_comment(said.id))
    if done is not None:
        tell(app, "withdrew the comment", command("comment", "rm", _short(said)))


def _short(said: CommentAnswer) -> str:
    return said.id[-8:]
