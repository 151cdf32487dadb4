"""Comparing: what the key does on marked versions, or on one alone."""

from typing import TYPE_CHECKING

from regtui.registry.side_by_side import MOST, version_before
from regtui.tui.acts.asking import read
from regtui.tui.key_names import key_of

if TYPE_CHECKING:
    from regtui.registry.answers import VersionAnswer
    from regtui.tui.app import RegtuiApp


async def compare(app: "RegtuiApp", versions: "list[VersionAnswer]") -> None:
    """Compare versions; one alone is compared with the one before it."""
    if len(versions) > MOST:
        app.notify(
            f"{len(versions)} versions are marked, and at most {MOST} can be compared: "
            f"take some marks away ({key_of(app, 'versions.mark')} on the row, "
            f"{key_of(app, 'versions.unmark')} for all)",
            severity="warning",
        )
        return
    if len(versions) == 1:
        versions = [*await _before(app, versions[0]), *versions]
    if len(versions) > 1:
        await app.compare(versions)


async def _before(app: "RegtuiApp", version: "VersionAnswer") -> "list[VersionAnswer]":
    """Return the version of the same model before one; none where there is none, which is said."""
    earlier = await read(app, lambda registry: [version_before(registry.context, f":{version.id}")])
    if earlier is None:
        return []
    (found,) = earlier
    if found is None:
        app.notify(
            f"{version.reference} is the first one of its model: "
            f"mark another version to compare with ({key_of(app, 'versions.mark')})",
            severity="warning",
            markup=False,
        )
        return []
    return [found]
