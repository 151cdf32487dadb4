"""Models: make one, archive, restore and delete it."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.identity import name_key
from regtui.core.wording import count_text
from regtui.registry.answers import ModelAnswer
from regtui.tui.acts.asking import ask
from regtui.tui.acts.states import DONE
from regtui.tui.acts.telling import command, tell
from regtui.tui.screens.prompt import Confirm, Prompt

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


async def create(app: "RegtuiApp", folder: str) -> None:
    """Make a model; its name is asked for, and begins with a folder where there is one."""
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
