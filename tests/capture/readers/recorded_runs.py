"""The recorded output of real trainers, as readers see it."""

import shutil
from pathlib import Path
from typing import Any, Final

from regtui.capture.findings import Findings
from regtui.capture.readers import read_all
from regtui.capture.run_files import RunFiles

RECORDED: Final = Path(__file__).parent.parent / "recorded"


def files_in(
    root: Path, unit: str, *, step: int | None = None, memory: dict[str, Any] | None = None
) -> RunFiles:
    """Return a unit with all files of its root beside it."""
    paths = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    own = [path for path in paths if path == unit or path.startswith(f"{unit}/") or not unit]
    places = {path: root / path for path in paths}
    return RunFiles(
        unit,
        {path: places[path] for path in own},
        {path: places[path] for path in paths if path not in own},
        step=step,
        memory=memory,
    )


def found_in(trainer: str, unit: str, *readers: str, step: int | None = None) -> Findings:
    """Return what readers find of a recorded unit; those of the trainer's name if none is given."""
    return read_all(readers or (trainer,), files_in(RECORDED / trainer, unit, step=step))


def copy_of(trainer: str, folder: Path) -> Path:
    """Return a copy of a recorded run that a test may change."""
    return Path(shutil.copytree(RECORDED / trainer, folder / trainer))
