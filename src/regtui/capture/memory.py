"""What a watcher remembers between two runs: which states of files are dealt with already.

One file of a watched root, `watch/<16 hex>.jsonl` in the registry's home: a line for each unit that
is done, the last one counts. It spares reading files again, and tells keep rules what was kept.
Without it a state is read once more and found to be the version that it is: the content decides.

A line that can't be read is passed over, such as the last one of a watcher that was killed.
"""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import msgspec
from blake3 import blake3
from msgspec import Struct

from regtui.artifacts.faults import disk_errors

FOLDER = "watch"
"""Where it lies in the registry's home."""


class Done(Struct, frozen=True, omit_defaults=True):
    """A state that was dealt with.

    Attributes:
        path: Of the unit.
        state: Digest of what `stat` said of its files.
        files: How many they were.
        newest: When the newest of them was written, in nanoseconds.
        version: Id of the version; None for a state that a rule left out, or that is no model.
        labels: Its other names at that time.
        run: The folder of its run.
        step: Of the state.
        value: Of the metric that decides which state is best.
    """

    path: str
    state: str
    files: int
    newest: int
    version: str | None = None
    labels: tuple[str, ...] = ()
    run: str = ""
    step: int | None = None
    value: float | None = None


class Memory:
    """What is done below one root.

    Its folder is made here and never later: where the home is removed or moved meanwhile, nothing
    of it may come back.

    Args:
        home: The registry's home.
        root: The watched folder.
    """

    def __init__(self, home: Path, root: Path) -> None:
        self._file = home / FOLDER / f"{file_name(root)}.jsonl"
        self._done: dict[str, Done] = {}
        make_folder(home)
        with suppress(OSError):
            for line in self._file.read_bytes().splitlines():
                with suppress(msgspec.DecodeError):
                    one = msgspec.json.decode(line, type=Done)
                    self._done[one.path] = one

    def of(self, path: str) -> Done | None:
        """Return what was done with a unit last."""
        return self._done.get(path)

    def of_run(self, run: str) -> list[Done]:
        """Return the last state of each unit of a run."""
        return [one for one in list(self._done.values()) if one.run == run]

    @property
    def versions(self) -> set[str]:
        """Ids of all versions that it names."""
        return {one.version for one in self._done.values() if one.version is not None}

    def add(self, done: Done) -> None:
        """Remember a state.

        Raises:
            RegtuiError: The disk is full.
        """
        if self._done.get(done.path) == done:
            return
        self._done[done.path] = done
        with disk_errors(f"writing {self._file}"), self._file.open("ab") as file:
            file.write(msgspec.json.encode(done) + b"\n")

    def keep_only(self, versions: Collection[str]) -> None:
        """Forget what became versions that are not there, as after a restored backup.

        Raises:
            RegtuiError: The disk is full.
        """
        self._done = {
            path: one
            for path, one in self._done.items()
            if one.version is None or one.version in versions
        }
        if not self._file.exists():
            return
        with disk_errors(f"writing {self._file}"):
            beside = self._file.with_suffix(f".{os.getpid()}.new")
            lines = (msgspec.json.encode(one) + b"\n" for one in self._done.values())
            beside.write_bytes(b"".join(lines))
            beside.replace(self._file)


def is_remembered(home: Path, root: Path) -> bool:
    """Tell whether anything is remembered of a folder."""
    return (home / FOLDER / f"{file_name(root)}.jsonl").is_file()


def make_folder(home: Path) -> None:
    """Make the folder; where that can't be, it is met again when something is written."""
    with suppress(OSError):
        (home / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)


def file_name(root: Path) -> str:
    """Return what the files of a watched folder are called, without their suffix."""
    return blake3(os.fsencode(root)).hexdigest()[:16]
