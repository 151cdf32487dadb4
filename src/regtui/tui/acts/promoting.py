"""Promoting: ask for an alias or environment to be moved to a version."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.identity import alias_key
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.promotion_text import target_text
from regtui.registry.promotions import ENVIRONMENT
from regtui.tui.acts.asking import ask, present, read
from regtui.tui.acts.telling import command, tell
from regtui.tui.key_names import key_of
from regtui.tui.request_view import passed_text
from regtui.tui.screens.naming import NewOrChooser
from regtui.tui.screens.prompt import Choice, Prompt

if TYPE_CHECKING:
    from regtui.registry.answers_production import PolicyAnswer, PromotionAnswer
    from regtui.tui.app import RegtuiApp

PROTECTED = "protected by {policies}"
REASON = "why, in a line; whoever reviews it reads that"


async def promote(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Ask for a target to be moved to a version, and tell what that takes."""
    found = await present(app, versions[:1])
    if found is None:
        return
    (version,) = found
    if version.state != "captured":
        message = f"{version.reference} is {version.state}: restore it first"
        app.notify(message, severity="warning", markup=False)
        return
    choices = await read(app, lambda registry: _targets(registry, version))
    if choices is None:
        return
    target = await ask(app, NewOrChooser(f"Promote {version.reference} to", choices, _new))
    if target is None:
        return
    title = f"Promote {version.reference} to {target}"
    reason = await ask(app, Prompt(title, REASON))
    if reason is None:
        return
    said = reason.strip()
    reference = f":{version.id}"
    asked = await app.act(
        lambda registry: registry.request_promotion(reference, target, reason=said)
    )
    if asked is not None:
        words = ["promote", version.reference, *_named(target), *(["-m", said] if said else [])]
        is_open = asked.state == "open"
        tell(app, _told(app, asked), command(*words), can_undo=is_open)


def _named(target: str) -> list[str]:
    """Return the words of the command that name a target."""
    if target.startswith(ENVIRONMENT):
        return ["--env", target.removeprefix(ENVIRONMENT)]
    return [target]


def _told(app: "RegtuiApp", asked: "PromotionAnswer") -> str:
    """Return what became of a request, and what it takes."""
    if asked.state == "applied":
        return f"{target_text(asked)} is {asked.version} now"
    said = f"asked for {target_text(asked)} to be {asked.version} ({asked.request})"
    if asked.gates:
        said += f", {passed_text(asked.gates)} gates pass"
    if asked.requested:
        return f"{said}; the server decides ({key_of(app, 'app.sync')} asks it)"
    return f"{said}; {key_of(app, 'app.reviews')} shows what it takes"


def _targets(registry: Registry, version: VersionAnswer) -> list[Choice]:
    """Return where a version can be promoted to; what policies protect comes first."""
    protected = _protecting(registry.policies(version.model))
    here = {alias.alias: alias for alias in registry.aliases(version.model)}
    environments = {f"{ENVIRONMENT}{one.environment}": one for one in registry.environments()}
    names = dict.fromkeys([*protected, *environments, *here])
    found = []
    for name in names:
        alias, environment = here.get(name), environments.get(name)
        notes = [PROTECTED.format(policies=", ".join(protected[name]))] if name in protected else []
        why_not = None
        if alias is not None and alias.version_id == version.id:
            why_not = "is at this version already"
        elif alias is not None:
            at = alias.short_id if alias.number is None else f"@{alias.number}"
            notes.insert(0, f"is at {at}")
        elif environment is not None:
            notes.insert(0, environment.kind or "an environment")
        found.append(Choice(name, name, ", ".join(notes), why_not))
    return found


def _protecting(policies: "list[PolicyAnswer]") -> dict[str, list[str]]:
    """Return the names of the policies by the target that they protect."""
    found: dict[str, list[str]] = {}
    for one in policies:
        if one.target is not None:
            place = ENVIRONMENT if one.target_kind == "environment" else ""
            found.setdefault(place + one.target, []).append(one.policy)
    return found


def _new(name: str) -> Choice:
    if name.startswith(ENVIRONMENT):
        return Choice(name, name, why_not="there is no such environment")
    try:
        key = alias_key(name)
    except BadInput as error:
        return Choice(name, name, why_not=error.message)
    return Choice(key, key, "a new alias")
