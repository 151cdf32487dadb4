"""What lies beside a unit and may tell something of it: logs, configurations, results.

Facts are looked for in the folder of the run, directly in the folders right above it, in the
records of MLflow wherever they are below the root, and in its database in any folder above. What
makes a version is no fact of another one, but for a run's last state, of which its checkpoints tell
by the files that they are marked by.
"""

from collections.abc import Sequence
from posixpath import dirname
from typing import Final

from regtui.capture.listing import Listing
from regtui.capture.recognise import Unit
from regtui.capture.recogniser import matches

NAMES: Final = (
    "*.json", "*.jsonl", "*.csv", "*.tsv", "*.yaml", "*.yml", "*.txt", "events.out.tfevents.*",
    "mlflow.db", "metrics/*", "params/*", "tags/*", "inputs/*",
)  # fmt: skip
"""What may hold facts."""

LIMIT: Final = 2_000
"""Files that are looked at for one unit."""

UP: Final = 2
"""Folders above a run in which facts are looked for."""


class Beside:
    """What lies beside the units of one listing.

    Args:
        listing: What is there.
        units: What of it makes versions.
    """

    def __init__(self, listing: Listing, units: Sequence[Unit]) -> None:
        taken = {file: unit.path for unit in units for file in unit.files}
        self._taken = taken
        self._files = [path for path in sorted(listing.files) if matches(path, NAMES)]
        self._of_runs: dict[str, list[str]] = {}
        self._marked: dict[str, list[str]] = {}
        for unit in units:
            marker = unit.recogniser.marker
            if marker is not None and (path := f"{unit.path}/{marker}") in taken:
                self._marked.setdefault(unit.run, []).append(path)

    def of(self, unit: Unit) -> tuple[str, ...]:
        """Return the paths of what lies beside a unit: first of its run, then of what is above."""
        found = self._of_runs.get(unit.run)
        if found is None:
            found = self._of_runs[unit.run] = self._near(unit.run)
        own = set(unit.files)
        if unit.recogniser.final:
            found = [*self._marked.get(unit.run, ()), *found]
        return tuple(path for path in found if path not in own)[:LIMIT]

    def _near(self, run: str) -> list[str]:
        above = [run]
        for _ in range(UP):
            if above[-1]:
                above.append(dirname(above[-1]))
        start = f"{run}/" if run else ""
        found = [
            path
            for path in self._files
            if path not in self._taken
            and (
                path.startswith(start)
                or dirname(path) in above
                or "/mlruns/" in f"/{path}"
                or _is_store_of(path, run)
            )
        ]
        return sorted(found, key=lambda path: (not path.startswith(start), path.count("/"), path))


def _is_store_of(path: str, run: str) -> bool:
    """Whether it is MLflow's database, which lies where the program was started."""
    folder, _, name = path.rpartition("/")
    return name == "mlflow.db" and (not folder or f"{run}/".startswith(f"{folder}/"))
