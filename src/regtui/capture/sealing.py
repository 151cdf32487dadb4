"""Sealing: from a state that is ready to what the registry is given.

What the files say is read first, for keep rules decide by it, before anything is hashed. Then the
list of files is made from the pins as they are at that moment; the store compares it before and
after it reads each file, so a state that changes after all is refused, not mixed.
"""

from pathlib import Path
from typing import Any

from regtui.artifacts.scan import Identity, Scan, SourceFile
from regtui.capture.findings import Findings
from regtui.capture.generation import Generation, state_of
from regtui.capture.readers import read_all
from regtui.capture.run_files import RunFiles
from regtui.core.errors import RegtuiError


def findings_of(
    generation: Generation, root: Path, beside: tuple[str, ...], memory: dict[str, Any]
) -> Findings:
    """Return what the files of a state, and those beside it, say of it.

    Args:
        generation: The state.
        root: The watched folder.
        beside: Paths of what lies beside it.
        memory: Kept over the states of one run, for readers that go on where they stopped.
    """
    unit = generation.unit
    files = RunFiles(
        unit.path,
        {path: pin.place for path, pin in generation.pins.items()},
        {path: root / path for path in beside},
        run=unit.run,
        step=unit.step,
        memory=memory,
    )
    return read_all(unit.recogniser.readers, files)


def scan_of(generation: Generation, root: Path) -> Scan:
    """Return the files of a state, as the store takes them.

    Raises:
        RegtuiError: It changed since it was judged, or a pin is gone.
    """
    unit = generation.unit
    try:
        found = {path: pin.status() for path, pin in generation.pins.items()}
    except OSError as error:
        raise RegtuiError(f"a pin of {unit.path or root} is gone: {error.strerror}") from error
    if state_of({path: Identity.of(one) for path, one in found.items()}) != generation.state:
        raise RegtuiError(
            f"{unit.path or root} changed after it was ready", "it is looked at again"
        )
    files = [
        SourceFile(
            real_path=str(generation.pins[path].opened),
            path=unit.inner(path),
            size=status.st_size,
            executable=bool(status.st_mode & 0o100),
            identity=Identity.of(status),
            names=status.st_nlink,
            own=generation.removed and generation.pins[path].is_alone(),
        )
        for path, status in found.items()
    ]
    single = len(files) == 1 and not unit.is_folder
    place = root / unit.path if unit.path else root
    return Scan(place, single=single, files=tuple(sorted(files, key=lambda file: file.path)))
