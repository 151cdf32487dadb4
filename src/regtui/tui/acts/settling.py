"""Settling: what people set without seeing each other, decided by one of them.

What was on the screen goes along, so that a value that came meanwhile is never passed over unseen.
"""

from typing import TYPE_CHECKING, Any

from regtui.registry import Registry
from regtui.registry.conflict_text import is_settled, marked
from regtui.tui.acts.asking import ask
from regtui.tui.acts.telling import command, tell
from regtui.tui.conflict_view import conflict_id, operation_id, side_name, side_value
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.prompt import Choice, Chooser, Prompt

if TYPE_CHECKING:
    from regtui.registry.answers_conflicts import ConflictAnswer, Side
    from regtui.registry.conflicts import Choice as Chosen
    from regtui.tui.app import RegtuiApp

TEXTS = frozenset({"card", "description", "text"})
"""Fields that are settled in an editor."""

STANDS, ANOTHER = "stands", "another"


async def settle(app: "RegtuiApp", conflict: "ConflictAnswer") -> None:
    """Ask which value shall stand, and let it."""
    person = app.status.person
    choices = [Choice(STANDS, "keep what stands", _note(conflict.accepted))]
    choices += [
        Choice(str(side.id), f"take {side_name(side, person)}", _note(side))
        for side in conflict.candidates
    ]
    if conflict.field != "state":
        choices.append(Choice(ANOTHER, "set another value"))
    title = f"{conflict.about} {conflict.field}: which value shall stand?"
    chosen = await ask(app, Chooser(title, choices))
    if chosen == STANDS:
        await keep_what_stands(app, conflict)
    elif chosen == ANOTHER:
        await set_another(app, conflict)
    elif chosen is not None:
        await _take(app, conflict, chosen)


def _note(side: "Side") -> str:
    return f"{side.author or 'nobody'}: {side_value(side)}"


async def keep_what_stands(app: "RegtuiApp", conflict: "ConflictAnswer") -> None:
    """Keep the accepted value."""
    await _resolve(app, conflict, "accepted", "--theirs")


async def take_mine(app: "RegtuiApp", conflict: "ConflictAnswer") -> None:
    """Take the value that this person asked for."""
    await _resolve(app, conflict, "mine", "--mine")


async def _take(app: "RegtuiApp", conflict: "ConflictAnswer", candidate: str) -> None:
    words = ("--take", operation_id(candidate))
    await _resolve(app, conflict, "candidate", *words, candidate=candidate)


async def set_another(app: "RegtuiApp", conflict: "ConflictAnswer") -> None:
    """Set a value that nobody asked for: of a text what becomes of both sides in the editor."""
    if conflict.field == "state":
        app.notify("a state has no other value: choose one of both", severity="warning")
    elif conflict.field in TEXTS:
        await ask(app, _Sides(app, conflict).editor)
    else:
        accepted = conflict.accepted
        value = accepted.version or ("" if accepted.value is None else str(accepted.value))
        hint = "a version: 7, or MODEL@7" if conflict.kind == "alias" else "empty takes it away"
        title = f"{conflict.about} {conflict.field}"
        text = await ask(app, Prompt(title, hint, value=value))
        if text is not None:
            await _resolve(app, conflict, "value", "--value", text, value=text.strip() or None)


class _Sides:
    """Both sides of a text in the editor, with marks around the lines that differ."""

    def __init__(self, app: "RegtuiApp", conflict: "ConflictAnswer") -> None:
        self._app = app
        self._conflict = conflict
        title = f"{conflict.about} {conflict.field}: take the marks out"
        self.editor = Editor(title, marked(conflict), self.save)

    async def save(self, text: str) -> bool:
        """Settle the conflict by the text; False where the editor stays."""
        if not is_settled(text):
            message = "both sides are still in the text: take the marks out (<<<<<<<, =======)"
            self._app.notify(message, severity="warning")
            return False
        is_card = self._conflict.field == "card"
        given = text if is_card else text.strip() or None
        return await _resolve(
            self._app, self._conflict, "value", "--file", "TEXT", value=given or None
        )


async def _resolve(
    app: "RegtuiApp", conflict: "ConflictAnswer", choice: "Chosen", *words: str, **given: Any
) -> bool:
    """Settle a conflict and tell so; tell whether it was."""

    def verb(registry: Registry) -> "ConflictAnswer":
        return registry.resolve(conflict.id, choice, seen=conflict, **given)

    settled = await app.act(verb)
    if settled is None:
        return False
    what = f"{settled.about} {settled.field}: {side_value(settled.accepted)}"
    tell(app, what, command("resolve", conflict_id(conflict.id), *words))
    return True


async def go_to_conflict(app: "RegtuiApp", conflict: "ConflictAnswer") -> None:
    """Go to the version or model that a conflict is about."""
    if conflict.model is None:
        app.notify("it is about a dataset, which has no screen", severity="warning")
        return
    accepted = conflict.accepted.version if conflict.kind == "alias" else None
    number = "" if conflict.number is None else f"@{conflict.number}"
    await app.go_to(accepted or f"{conflict.model}{number}")
