"""Models: make, edit, archive, delete and copy the model under the cursor."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.identity import name_key
from regtui.registry.answers import ModelAnswer
from regtui.registry.figures import count_text
from regtui.tui.acts.asking import ask, may_change
from regtui.tui.acts.cards import edit_model_card
from regtui.tui.acts.copies import copy_model
from regtui.tui.acts.states import DONE
from regtui.tui.acts.telling import command, tell
from regtui.tui.acts.values import edit_model
from regtui.tui.screens.prompt import Confirm, Prompt

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.widgets.model_tree import Branch


async def do_wished(app: "RegtuiApp", action: str, branch: "Branch") -> None:
    """Do what was wished for in the tree of models.

    Args:
        app: The app.
        action: `new`, `edit`, `card`, `archive`, `delete` or `copy`.
        branch: The branch under the cursor.
    """
    try:
        await _do(app, action, branch)
    except Exception as error:  # noqa: BLE001 -- shown, whatever it is
        app.show_error(error)


async def _do(app: "RegtuiApp", action: str, branch: "Branch") -> None:
    model = branch.model
    if action == "new":
        await create(app, branch.path, is_model=model is not None)
    elif model is not None:
        await {
            "edit": lambda: edit_model(app, model.model),
            "card": lambda: edit_model_card(app, model.model),
            "archive": lambda: archive(app, model),
            "delete": lambda: delete(app, model),
            "copy": lambda: copy_model(app, model),
        }[action]()


async def create(app: "RegtuiApp", path: str, *, is_model: bool) -> None:
    """Make a model, beside the one under the cursor or in the folder there."""
    if not may_change(app):
        return
    folder = path.rpartition("/")[0] if is_model else path
    hint = "such as team/model; the first capture into it makes one too"
    value = f"{folder}/" if folder else ""
    name = await ask(app, Prompt("New model", hint, value=value, check=_name_problem))
    if name is None or not name:
        return
    changed = await app.act(lambda registry: registry.create_model(name))
    if changed is not None:
        what = f"made the model {name}" if changed else f"there is a model {name} already"
        tell(app, what, command("model", "create", name), can_undo=changed)


async def archive(app: "RegtuiApp", model: ModelAnswer) -> None:
    """Archive a model, or restore one that is archived."""
    if not may_change(app):
        return
    if model.state != "active":
        await _change(app, model, "restore")
        return
    sentence = (
        f"{model.model} and its {count_text(model.versions, 'version')} will leave the lists. "
        f"Nothing of it is lost; undo, or `regtui model restore {model.model}`, brings it back."
    )
    if await ask(app, Confirm(f"Archive {model.model}?", sentence)):
        await _change(app, model, "archive")


async def delete(app: "RegtuiApp", model: ModelAnswer) -> None:
    """Delete a model."""
    if not may_change(app):
        return
    sentence = (
        f"{model.model} and its {count_text(model.versions, 'version')} will leave the lists, "
        "and its name is free for another one. Its record and files stay; undo, or "
        f"`regtui model restore {model.model}`, brings it back."
    )
    if await ask(app, Confirm(f"Delete {model.model}?", sentence)):
        await _change(app, model, "delete")


async def _change(app: "RegtuiApp", model: ModelAnswer, verb: str) -> None:
    name = model.model
    changed = await app.act(lambda registry: registry.change_state("model", name, verb))
    if changed is not None:
        what = f"{DONE[verb]} {name}" if changed else f"{name}: {DONE[verb]} already"
        tell(app, what, command("model", verb, name), can_undo=changed)


def _name_problem(text: str) -> str | None:
    if text.endswith("/"):
        return "the name goes on after the /"
    try:
        name_key(text)
    except BadInput as error:
        return ", ".join(part for part in (error.message, error.hint) if part)
    return None
