"""Cards: the text about a model, written in the app or in the person's own editor.

The editor may stay open for as long as it likes. What somebody else wrote meanwhile is merged by
lines when the text is saved; where both changed the same lines, the person decides.
"""

from typing import TYPE_CHECKING

from regtui.core.errors import ConflictOpen
from regtui.registry import Registry
from regtui.registry.answers import ModelAnswer, VersionAnswer
from regtui.tui.acts.asking import ask, read
from regtui.tui.acts.telling import command, tell
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.prompt import Choice, Chooser

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

MINE, THEIRS = "mine", "theirs"


async def edit_card(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Write the card of a version's model."""
    await _edit(app, versions[0].model)


async def edit_model_card(app: "RegtuiApp", model: ModelAnswer) -> None:
    """Write a model's card."""
    await _edit(app, model.model)


async def _edit(app: "RegtuiApp", model: str) -> None:
    card = await read(app, lambda registry: registry.card(model))
    if card is not None:
        await ask(app, _Card(app, model, card).editor)


class _Card:
    """A card while it is written: what it was when the person began, or last looked."""

    def __init__(self, app: "RegtuiApp", model: str, card: str) -> None:
        self._app = app
        self._model = model
        self._seen = card
        self.editor = Editor(f"Card of {model}", card or f"# {model}\n", self.save)

    async def save(self, text: str) -> bool:
        """Save the card; False where the editor stays."""
        model, seen = self._model, self._seen

        def write(registry: Registry) -> ConflictOpen | bool:
            try:
                return registry.write_card(model, text, seen=seen)
            except ConflictOpen as error:
                return error

        done = await self._app.act(write)
        if isinstance(done, ConflictOpen):
            return await self._decide(text, done)
        if done is None:
            return False
        what = f"wrote the card of {model}" if text else f"removed the card of {model}"
        line = command("edit", model, *(() if text else ("--unset", "card")))
        tell(self._app, what if done else "the card was so already", line, can_undo=done)
        return True

    async def _decide(self, text: str, conflict: ConflictOpen) -> bool:
        """Let the person choose between two cards that changed the same lines."""
        theirs = await read(self._app, lambda registry: registry.card(self._model))
        if theirs is None:
            return False
        choices = [
            Choice(MINE, "write mine over theirs", "theirs stays in the history"),
            Choice(THEIRS, "go on with theirs", "mine is copied to the clipboard"),
        ]
        answer = await self._app.push_screen_wait(Chooser(f"{conflict.message}.", choices))
        if answer is None:
            return False
        self._seen = theirs
        if answer == MINE:
            return await self.save(text)
        self._app.copy_to_clipboard(text)
        self.editor.begin_with(theirs)
        return False
