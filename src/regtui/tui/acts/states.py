"""States: archive, delete and restore versions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from regtui.registry.answers import VersionAnswer
from regtui.tui.acts.asking import ask, present
from regtui.tui.acts.telling import command_of_each, named, tell
from regtui.tui.key_names import key_of
from regtui.tui.screens.prompt import Confirm

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

DONE = {"archive": "archived", "delete": "deleted", "restore": "restored"}


async def archive_versions(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Archive versions; where all of them are archived or deleted, restore them."""
    found = await present(app, versions)
    if found is None:
        return
    live = [version for version in found if version.state == "captured"]
    if not live:
        await _change(app, found, "restore")
        return
    sentence = (
        f"{_list(live)} will leave the lists. Files, values and history stay, "
        f"and {key_of(app, 'versions.archive')} on it, or undo, brings it back."
    )
    if await ask(app, Confirm(f"Archive {named(live)}?", sentence + _aliased(live))):
        await _change(app, live, "archive")


async def delete_versions(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Delete versions."""
    found = await present(app, versions)
    if found is None:
        return
    there = [version for version in found if version.state != "deleted"]
    if not there:
        app.notify(f"{named(found)}: deleted already", severity="warning", markup=False)
        return
    sentence = (
        f"{_list(there)} will leave the lists. The record stays, and undo brings it back; the "
        "files go with a `regtui gc` 14 days from now, where no other version needs them."
    )
    if await ask(app, Confirm(f"Delete {named(there)}?", sentence + _aliased(there))):
        await _change(app, there, "delete")


async def _change(app: "RegtuiApp", versions: Sequence[VersionAnswer], verb: str) -> None:
    references = [version.reference for version in versions]
    count = await app.act(lambda registry: registry.change_states(references, verb))
    if count is None:
        return
    line = command_of_each(versions, "version", verb, "$v")
    if count:
        tell(app, f"{DONE[verb]} {named(versions)}", line)
    else:
        tell(app, f"{named(versions)}: {DONE[verb]} already", line, can_undo=False)


def _list(versions: Sequence[VersionAnswer]) -> str:
    names = [version.reference for version in versions]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 -- what one reads
    return ", ".join(names[:5]) + more


def _aliased(versions: Sequence[VersionAnswer]) -> str:
    """Return a warning where it can't be done because aliases point there."""
    aliases = [f"{v.model}@{name}" for v in versions for name in v.aliases]
    if not aliases:
        return ""
    return f"\n\nIt will be refused while an alias points there: {', '.join(aliases[:5])}."
