"""The files of a unit and those beside it, as readers see them.

A reader names files by their paths relative to the watched root and never learns where they really
are: the watcher may have pinned them under another name, or hold nothing but an open descriptor of
a file whose name is gone.

Invariants: a path is opened only if it was given; only regular files are read, and opening one
never waits (a pipe would); at most `TEXT_LIMIT` bytes of a text are read.
"""

import copy
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from posixpath import basename, dirname
from typing import Any, Final

from regtui.artifacts.file_source import FileSource
from regtui.formats import detect
from regtui.formats.cursor import TooMuch
from regtui.formats.values import Facts, Source

TEXT_LIMIT: Final = 64 << 20
"""Bytes of one text, JSON, YAML or CSV file."""

Place = Path | int
"""Where a file can be opened: its path, or a descriptor, which is left open."""


class RunFiles:
    """What one unit may be described by.

    Args:
        unit: Path of the unit, a folder or a file, relative to the watched root, with `/`.
        files: Place by relative path of what makes the version.
        beside: Place by relative path of what is only read for facts.
        run: Folder of the run, relative to the root; the unit's own folder where it is not known.
        step: The step that the unit's name tells.
        facts: What is known already of some of the files.
        memory: Kept by the caller over the units of one run, for readers that go on where they
            stopped; whatever it holds is theirs.

    Attributes:
        unit: As given.
        run: As given.
        step: As given.
        own: Paths of `files`, those with the fewest folders first.
        beside: Paths of `beside` that are not in `files`, the nearest first.
        memory: As given.
    """

    def __init__(  # noqa: PLR0913 - each is told by the watcher
        self,
        unit: str,
        files: Mapping[str, Place],
        beside: Mapping[str, Place] | None = None,
        *,
        run: str | None = None,
        step: int | None = None,
        facts: Mapping[str, Facts] | None = None,
        memory: dict[str, Any] | None = None,
    ) -> None:
        self._places = {**(beside or {}), **files}
        self._facts = dict(facts or {})
        self._taken: set[str] = set()
        self._hidden: frozenset[str] = frozenset()
        self.unit = unit
        self.run = dirname(unit) if run is None else run
        self.step = step
        self.memory: dict[str, Any] = {} if memory is None else memory
        self.own = tuple(sorted(files, key=lambda path: (path.count("/"), path)))
        others = set(beside or {}) - set(files)
        self.beside = tuple(sorted(others, key=self._distance))

    @property
    def paths(self) -> tuple[str, ...]:
        """All paths: the unit's own, then what is beside it, the nearest first."""
        return (*self.own, *self.beside)

    @property
    def inside(self) -> tuple[str, ...]:
        """The unit's own files, then those that lie in its folder but are left out of it."""
        if self.unit in self.own:  # a file, which nothing lies in
            return self.own
        return (*self.own, *(path for path in self.beside if dirname(path) == self.unit))

    @property
    def modified(self) -> int | None:
        """When the unit's own files were last written, in microseconds; None where unknown."""
        times = [time for path in self.own if (time := _modified(self._places[path])) is not None]
        return max(times, default=None)

    @property
    def untaken(self) -> "RunFiles":
        """The same files, but those that a reader has opened or claimed so far match nothing."""
        others = copy.copy(self)
        others._hidden = frozenset(self._taken)  # noqa: SLF001 - its own kind
        return others

    def at_step(self, step: int | None) -> "RunFiles":
        """Return the same files with a step, where they have none yet."""
        if self.step is not None or step is None:
            return self
        others = copy.copy(self)
        others.step = step
        return others

    def claim(self, *patterns: str) -> None:
        """Say that a reader knows files of these names, so that no other one guesses at them."""
        self._taken.update(self.matching(*patterns))

    def path_of(self, path: str) -> Path | None:
        """Return where a file lies by name, for libraries that open files themselves."""
        place = self._places.get(path)
        return place if isinstance(place, Path) else None

    def matching(self, *patterns: str) -> tuple[str, ...]:
        """Return the paths whose file name matches one of the patterns, the nearest first.

        Args:
            patterns: Such as `*.csv`, case-sensitive; one with a `/` is matched with the end of the
                path.
        """
        return tuple(
            path
            for path in self.paths
            if path not in self._hidden and any(_fits(path, one) for one in patterns)
        )

    def find(self, *patterns: str) -> str | None:
        """Return the nearest path that matches, by the first pattern that any file matches."""
        return next((path for one in patterns for path in self.matching(one)), None)

    def nearest(self, *patterns: str) -> str | None:
        """Return the nearest path that matches any pattern; in one folder, by the first pattern."""
        found = self.matching(*patterns)
        folder = dirname(found[0]) if found else ""
        together = [path for path in found if dirname(path) == folder]
        ranks = {path: _rank(path, patterns) for path in together}
        return min(together, key=lambda path: ranks[path], default=None)

    @contextmanager
    def open(self, path: str) -> Iterator[Source]:
        """Open a file for the block, to read at any place of it.

        Raises:
            OSError: It can't be opened, or is no regular file.
        """
        place = self._places.get(path)
        self._taken.add(path)
        if place is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        if isinstance(place, int):
            yield _source(place, path)
            return
        descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            yield _source(descriptor, path)
        finally:
            os.close(descriptor)

    def content(self, path: str, limit: int = TEXT_LIMIT) -> bytes:
        """Return the bytes of a file.

        Raises:
            TooMuch: There are more than `limit`.
            OSError: The file could not be read.
        """
        with self.open(path) as source:
            if source.size > limit:
                raise TooMuch(f"it has {source.size:,} bytes, more than can be read")
            return source.read(0, source.size)

    def text(self, path: str, limit: int = TEXT_LIMIT) -> str:
        """Return a file as text; bytes that are no UTF-8 are replaced.

        Raises:
            TooMuch: It has more than `limit` bytes.
            OSError: The file could not be read.
        """
        return self.content(path, limit).decode("utf-8-sig", "replace")

    def facts(self, path: str) -> Facts:
        """Return what `regtui.formats` reads of a file, each file read once.

        Raises:
            OSError: The file could not be read.
        """
        if path not in self._facts:
            with self.open(path) as source:
                self._facts[path] = detect.read(source, path)
        return self._facts[path]

    def _distance(self, path: str) -> tuple[int, int, str]:
        """How far from the unit a path lies: folders up, then folders down."""
        folder = dirname(self.unit) if self.unit in self.own else self.unit
        up = 0
        while folder and not path.startswith(f"{folder}/"):
            folder, up = dirname(folder), up + 1
        down = path[len(folder) :].lstrip("/").count("/")
        return up + down, down, path


def on_disk(  # noqa: PLR0913 - as a unit has them
    root: Path,
    unit: str,
    files: Iterable[str],
    beside: Iterable[str] = (),
    *,
    run: str | None = None,
    step: int | None = None,
) -> RunFiles:
    """Return the files of a unit where they lie under the watched root."""
    return RunFiles(
        unit,
        {path: root / path for path in files},
        {path: root / path for path in beside},
        run=run,
        step=step,
    )


def _fits(path: str, pattern: str) -> bool:
    if "/" in pattern:
        return fnmatchcase(f"/{path}", f"*/{pattern}")
    return fnmatchcase(basename(path), pattern)


def _rank(path: str, patterns: tuple[str, ...]) -> int:
    return next(rank for rank, pattern in enumerate(patterns) if _fits(path, pattern))


def _modified(place: Place) -> int | None:
    try:
        return _status(place).st_mtime_ns // 1000
    except OSError:
        return None


def _status(place: Place) -> os.stat_result:
    return os.fstat(place) if isinstance(place, int) else place.stat()


def _source(descriptor: int, path: str) -> FileSource:
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file", path)
    return FileSource(descriptor)
