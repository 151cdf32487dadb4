"""Deploying: record what runs where, go back, end it; and make environments.

What is governed is decided by the server where there is one: then an act only asks it, and says so.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.judgement.deployments import NEXT
from regtui.core.policies import environment_key
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.deployments import before_rollback
from regtui.tui.acts.asking import ask, present, read
from regtui.tui.acts.reviewing import requested_text
from regtui.tui.acts.telling import command, tell
from regtui.tui.deployment_view import place_text, version_text
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import one_line
from regtui.tui.screens.prompt import Choice, Chooser, Confirm, Prompt

if TYPE_CHECKING:
    from regtui.registry.answers_production import DeploymentAnswer
    from regtui.tui.app import RegtuiApp

Act = Callable[["RegtuiApp", "DeploymentAnswer"], Awaitable[object]]

TARGET = "what in there it runs on, such as eu-1; empty for all of it"

STATES = {
    "live": "it serves",
    "draining": "it takes nothing new any more",
    "stopped": "it has ended",
    "failed": "it does not work",
    "rolled_back": "it was taken back",
}
"""What each state that one can be taken to means."""


async def deploy(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Record that a version is deployed, in an environment that is asked for."""
    found = await present(app, versions[:1])
    if found is None:
        return
    (version,) = found
    if version.state != "captured":
        message = f"{version.reference} is {version.state}: restore it first"
        app.notify(message, severity="warning", markup=False)
        return
    await _deploy(app, version.model, version.reference, version.id)


async def deploy_again(app: "RegtuiApp", one: "DeploymentAnswer") -> None:
    """Record that the version of a deployment is deployed elsewhere, or again."""
    await _deploy(app, one.model, one.version, one.version_id)


async def _deploy(app: "RegtuiApp", model: str, reference: str, identity: str) -> None:
    choices = await read(app, lambda registry: _environments(registry, model))
    if choices is None:
        return
    if not choices:
        made = await make_environment(app)
        if made is None:
            return
        environment: str | None = made
    else:
        environment = await ask(app, Chooser(f"Deploy {reference} in", choices))
    if environment is None:
        return
    where = environment
    target = await ask(app, Prompt(f"Deploy {reference} in {where}", TARGET))
    if target is None:
        return
    on = target.strip()
    done = await app.act(lambda registry: registry.deploy(f":{identity}", where, target=on))
    if done is None:
        return
    answer, outcome = done
    line = command("deploy", reference, where, *(["--target", on] if on else []))
    place = f"{where}/{on}" if on else where
    if outcome.requested or answer is None:
        what = requested_text(app, f"{reference} in {place}", outcome.gates)
    else:
        what = f"{answer.version} is {answer.state} in {place}"
    tell(app, what, line, can_undo=False)


def _environments(registry: Registry, model: str) -> list[Choice]:
    """Return where one can deploy, and what of the model is there."""
    live: dict[str, list[str]] = {}
    for one in registry.deployments(model):
        live.setdefault(one.environment, []).append(version_text(one))
    found = []
    for place in registry.environments():
        notes = [place.kind or "", "protected" if place.protected else "open"]
        there = live.get(place.environment)
        notes.append(f"{', '.join(there)} is there" if there else "nothing is there")
        note = ", ".join(one for one in notes if one)
        found.append(Choice(place.environment, place.environment, note))
    return found


async def roll_back(app: "RegtuiApp", one: "DeploymentAnswer") -> None:
    """Go back to what was live before, after a yes."""
    model, where, on = one.model, one.environment, one.target
    found = await read(app, lambda registry: [before_rollback(registry.context, model, where, on)])
    if found is None:
        return
    (before,) = found
    if before is None:
        app.notify(f"no other version was live in {place_text(one)} before", severity="warning")
        return
    sentence = (
        f"{place_text(one)} goes from {one.version} back to {before}.\n"
        f"{one.version} is marked as rolled back."
    )
    if not await ask(app, Confirm("Roll back?", sentence)):
        return
    done = await app.act(lambda registry: registry.roll_back(model, where, target=on))
    if done is None:
        return
    answer, outcome = done
    line = command("deploy", "rollback", model, where, *(["--target", on] if on else []))
    if outcome.requested or answer is None:
        what = requested_text(app, f"{place_text(one)} to go back to {before}", outcome.gates)
    else:
        what = f"{answer.version} is live in {place_text(answer)} again"
    tell(app, what, line, can_undo=False)


async def stop(app: "RegtuiApp", one: "DeploymentAnswer") -> None:
    """End a deployment, after a yes."""
    sentence = f"{one.version} runs in {place_text(one)} no more. It stays in the history."
    if await ask(app, Confirm("End the deployment?", sentence)):
        line = command("deploy", "stop", one.deployment)
        await _take_to(app, one, "stopped", "", line)


async def change_state(app: "RegtuiApp", one: "DeploymentAnswer") -> None:
    """Take a deployment to a state that may follow, and ask why."""
    following = NEXT.get(one.state, frozenset())
    choices = [
        Choice(name, name.replace("_", " "), note)
        for name, note in STATES.items()
        if name in following
    ]
    title = f"{one.version} in {place_text(one)} is {one.state}: what now?"
    state = await ask(app, Chooser(title, choices))
    if state is None:
        return
    reason = await ask(app, Prompt(f"{state.replace('_', ' ')}: why?", "it may stay empty"))
    if reason is not None:
        said = reason.strip()
        words = ["deploy", "state", one.deployment, state, *(["-m", said] if said else [])]
        await _take_to(app, one, state, said, command(*words))


async def _take_to(
    app: "RegtuiApp", one: "DeploymentAnswer", state: str, reason: str, line: str
) -> None:
    done = await app.act(lambda registry: registry.transition(one.deployment, state, reason))
    if done is None:
        return
    answer, outcome = done
    said = state.replace("_", " ")
    what = f"{answer.version} is {said} in {place_text(answer)}"
    if outcome.requested:
        what = requested_text(app, f"{answer.version} to be {said}", outcome.gates)
    tell(app, what, line, can_undo=False)


async def make_environment(app: "RegtuiApp") -> str | None:
    """Make an environment, and return its name; None where that came to nothing."""
    hint = "such as staging or production"
    name = await ask(app, Prompt("Make an environment", hint, check=_wrong_name))
    if name is None or not name.strip():
        return None
    kinds = [
        Choice("protected", "protected", "maintainers deploy there"),
        Choice("open", "open", "contributors deploy there, too"),
    ]
    kind = await ask(app, Chooser(f"Who may deploy in {one_line(name.strip())}?", kinds))
    if kind is None:
        return None
    protected = kind == "protected"
    done = await app.act(
        lambda registry: registry.put_environment(name.strip(), {"protected": protected})
    )
    if done is None:
        return None
    made, _ = done
    line = command("env", "put", made.environment, "--protected" if protected else "--open")
    deploys = f"{key_of(app, 'versions.deploy')} on a version deploys it there"
    tell(app, f"{made.environment} is there; {deploys}", line, can_undo=False)
    return made.environment


async def go(app: "RegtuiApp", one: "DeploymentAnswer") -> None:
    """Go to the version of a deployment."""
    await app.go_to(one.version)


def _wrong_name(text: str) -> str | None:
    try:
        environment_key(text.strip())
    except BadInput as error:
        return error.message
    return None
