"""Aliases: point one to a version, take it away, move it back to where it pointed before."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.identity import alias_key
from regtui.registry import Registry
from regtui.registry.answers import AliasAnswer, VersionAnswer
from regtui.registry.answers_production import Moved
from regtui.registry.contested import way_out
from regtui.tui.acts.asking import ask, present, read
from regtui.tui.acts.reviewing import requested_text
from regtui.tui.acts.telling import command, tell
from regtui.tui.key_names import key_of
from regtui.tui.screens.naming import NewOrChooser
from regtui.tui.screens.prompt import Choice, Chooser

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

SET, REMOVE, MAKE = "set:", "remove:", "make:"


async def set_alias(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Point an alias to a version: one that is there, or a new one; or take one away."""
    found = await present(app, versions[:1])
    if found is None:
        return
    (version,) = found
    if version.state != "captured":
        app.notify(
            f"{version.reference} is {version.state}: restore it before an alias points to it",
            severity="warning",
            markup=False,
        )
        return
    aliases = await read(app, lambda registry: registry.aliases(version.model))
    if aliases is None:
        return
    chooser = NewOrChooser(f"Alias of {version.reference}", _choices(aliases, version), _new)
    answer = await ask(app, chooser)
    if answer is None:
        return
    kind, _, name = answer.partition(":")
    if kind + ":" == REMOVE:
        await _remove(app, version, name)
    else:
        await _set(app, version, name)


async def revert_alias(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Move an alias of the version's model back to where it pointed before."""
    found = await present(app, versions[:1])
    if found is None:
        return
    (version,) = found
    choices = await read(app, lambda registry: _reverts(registry, version))
    if choices is None:
        return
    if not choices:
        sets = f"{key_of(app, 'versions.alias')} sets one"
        app.notify(f"{version.model} has no aliases; {sets}", severity="warning", markup=False)
        return
    name = await ask(app, Chooser("Move an alias back", choices))
    if name is None:
        return
    alias = f"{version.model}@{name}"
    answer = await app.act(lambda registry: registry.revert(alias))
    if answer is None:
        return
    here = answer.version.reference
    if answer.requested:
        asked = requested_text(app, f"{alias} to go back to {here}", [])
        tell(app, asked, command("revert", alias), can_undo=False)
        return
    was = f", was at {answer.before}" if answer.changed else " already"
    tell(app, f"{alias} is at {here}{was}", command("revert", alias), can_undo=answer.changed)


async def _set(app: "RegtuiApp", version: VersionAnswer, name: str) -> None:
    reference = version.reference
    key = alias_key(name)

    def move(registry: Registry) -> tuple[tuple[bool, Moved], list[AliasAnswer]]:
        before = [alias for alias in registry.aliases(version.model) if alias.alias == key]
        return registry.move_alias(reference, key), before

    done = await app.act(move)
    if done is None:
        return
    (changed, outcome), before = done
    line = command("alias", "set", reference, key)
    if outcome.requested:
        asked = requested_text(app, f"{key} to point to {reference}", outcome.gates)
        tell(app, asked, line, can_undo=False)
        return
    was = f", was at {_place(before[0])}" if before else ""
    what = f"{key} points to {reference}" + (was if changed else " already")
    tell(app, what, line, can_undo=changed)


async def _remove(app: "RegtuiApp", version: VersionAnswer, name: str) -> None:
    alias = f"{version.model}@{name}"

    outcome = await app.act(lambda registry: registry.remove_alias(alias))
    if outcome is None:
        return
    what = f"removed {alias} from {version.reference}"
    if outcome.requested:
        what = requested_text(app, f"{alias} to be taken away", outcome.gates)
    tell(app, what, command("alias", "rm", alias), can_undo=outcome.done)


def _choices(aliases: Sequence[AliasAnswer], version: VersionAnswer) -> list[Choice]:
    """Return what can be done with each alias; those that point here come last."""
    here = [alias for alias in aliases if alias.version_id == version.id]
    moves = [
        Choice(SET + alias.alias, alias.alias, f"moves here from {_place(alias)}{_doubt(alias)}")
        for alias in aliases
        if alias not in here
    ]
    # A contested one can be set to where it points: that is a word on the matter.
    stays = [
        Choice(SET + alias.alias, alias.alias, f"points here{_doubt(alias)}")
        for alias in here
        if alias.conflict is not None
    ]
    gone = [Choice(REMOVE + a.alias, f"remove {a.alias}", f"points here{_doubt(a)}") for a in here]
    return moves + stays + gone


def _new(name: str) -> Choice:
    try:
        key = alias_key(name)
    except BadInput as error:
        return Choice(MAKE + name, name, why_not=error.message)
    return Choice(MAKE + key, key, "a new alias")


def _place(alias: AliasAnswer) -> str:
    return alias.short_id if alias.number is None else f"@{alias.number}"


def _doubt(alias: AliasAnswer) -> str:
    return "" if alias.conflict is None else f" (contested: {way_out(alias.conflict)})"


def _reverts(registry: Registry, version: VersionAnswer) -> list[Choice]:
    """Return the aliases of a model and where they would go; those of the version come first."""
    found = []
    for alias in registry.aliases(version.model):
        before = registry.before(f"{alias.model}@{alias.alias}")
        to = None if before is None else before.reference.removeprefix(version.model)
        choice = Choice(
            alias.alias,
            alias.alias,
            f"goes from {_place(alias)} back to {to}{_doubt(alias)}",
            why_not=f"is at {_place(alias)} and was nowhere before" if to is None else None,
        )
        found.append((to is None, alias.version_id != version.id, choice))
    return [choice for _, _, choice in sorted(found, key=lambda one: one[:2])]
