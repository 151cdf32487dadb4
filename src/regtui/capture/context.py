"""Context: what is known of the run behind a version, beside what the trainer wrote.

Git, the writing process with its command, Python and packages, the machine, and when it began and
ended. Each of these can be switched off; what looks like a secret is never kept (`redaction`).
It is collected once a run: git and hardware don't change under it, and a process that has ended
tells nothing any more.
"""

from pathlib import Path
from typing import Any

from msgspec import Struct

from regtui.capture.git_state import git_state
from regtui.capture.hardware import hardware
from regtui.capture.processes import WritingProcess, writing_process

PARTS = ("git", "diff", "command", "environment", "packages", "hardware")
"""What can be collected, and left out."""


class RunContext(Struct, frozen=True):
    """What is known of a run.

    Attributes:
        values: Nested JSON values: `git`, `command`, `folder`, `python`, `environment`, `started`,
            `ended` (milliseconds since 1970), and what `hardware` tells.
        packages: Version by name; kept as a text of its own.
        diff: What was changed against the commit; kept as a text of its own.
    """

    values: dict[str, Any] = {}
    packages: dict[str, str] = {}
    diff: str | None = None


def run_context(
    folder: Path, *, parts: frozenset[str] = frozenset(PARTS), ended: int | None = None
) -> RunContext:
    """Collect what is known of the run that writes into a folder, or wrote there.

    Args:
        folder: The folder of the run.
        parts: What to collect, of `PARTS`.
        ended: When the last file of a run was written whose process is gone, milliseconds since
            1970.
    """
    writer = writing_process(folder) if parts & {"command", "environment", "packages"} else None
    values: dict[str, Any] = {}
    diff = None
    if "git" in parts:
        values |= _git(Path(writer.folder) if writer and writer.folder else folder, folder)
        diff = values.get("git", {}).pop("diff", None)
    if writer is not None:
        values |= _of_process(writer, parts)
    elif ended is not None:
        values["ended"] = ended
    if "hardware" in parts:
        values |= hardware()
    return RunContext(
        values=values,
        packages=writer.packages() if writer is not None and "packages" in parts else {},
        diff=diff if "diff" in parts else None,
    )


def _git(started_in: Path, folder: Path) -> dict[str, Any]:
    """Return the repository of the folder that the run was started in, else of its output."""
    found = git_state(started_in) or (git_state(folder) if started_in != folder else None)
    if found is None:
        return {}
    told = {
        "commit": found.commit,
        "branch": found.branch,
        "remote": found.remote,
        "dirty": found.dirty,
        "diff": found.diff,
    }
    return {"git": {name: value for name, value in told.items() if value is not None}}


def _of_process(writer: WritingProcess, parts: frozenset[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "command" in parts:
        values |= {"command": list(writer.command), "folder": writer.folder}
        values |= {"python": writer.python} if writer.python else {}
    if "environment" in parts and writer.environment:
        values["environment"] = writer.environment
    if writer.started is not None:
        values["started"] = writer.started
    return values
