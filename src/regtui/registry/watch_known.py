"""Which states of a folder the registry has already, by what watchers remember of them.

Nothing is read again for it: what was captured by other means than a watcher is found out when its
content is read.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from regtui.artifacts.scan import Identity
from regtui.capture.generation import state_of
from regtui.capture.memory import Memory, is_remembered
from regtui.capture.recognise import Unit
from regtui.registry.context import Context


class Known(Struct, frozen=True):
    """A version that a state is.

    Attributes:
        reference: What it is called.
        state: `captured`, `archived` or `deleted`.
    """

    reference: str
    state: str


def known_states(
    context: Context, root: Path, units: Sequence[Unit], identities: Mapping[str, Identity]
) -> dict[str, Known]:
    """Return the versions that states are, by the paths of the states.

    Args:
        context: The registry; one that is not there is not made.
        root: The folder that paths are relative to.
        units: The states.
        identities: What `stat` says of their files, by path.
    """
    if not units or not context.replica.home.exists():
        return {}
    found: dict[str, str] = {}
    for watched in _watched(context.home, root, units):
        memory = Memory(context.home, watched)
        for unit in units:
            version = _version(memory, root, watched, unit, identities)
            if version is not None:
                found[unit.path] = version
    if not found:
        return {}
    with context.reading() as connection:
        rows = connection.execute(
            "select v.id::varchar, m.name, v.number, v.state from base.version v "
            "join base.model m on m.key = v.model where v.id in (select unnest(?::uuid[]))",
            [list(found.values())],
        ).fetchall()
    versions = {one: Known(f"{name}@{number}", state) for one, name, number, state in rows}
    return {path: versions[one] for path, one in found.items() if one in versions}


def _watched(home: Path, root: Path, units: Sequence[Unit]) -> list[Path]:
    """Return the folders around states of which a watcher remembers something."""
    around = dict.fromkeys(
        folder for unit in units for folder in (root / unit.path, *(root / unit.path).parents)
    )
    return [folder for folder in around if is_remembered(home, folder)]


def _version(
    memory: Memory, root: Path, watched: Path, unit: Unit, identities: Mapping[str, Identity]
) -> str | None:
    """Return the version that a state became, if its files are what they were then."""

    def moved(path: str) -> str:
        there = os.path.relpath(root / path, watched)
        return "" if there == "." else there

    done = memory.of(moved(unit.path))
    if done is None or done.version is None:
        return None
    now = {moved(path): identities[path] for path in unit.files if path in identities}
    return done.version if state_of(now) == done.state else None
