"""Making the layouts of files that are being captured, beside the wait for the disk.

Small files are described at once from the memory that they were hashed in: the flushing threads
work meanwhile, and another thread would only fight for the interpreter's lock. Larger ones are
described by one background thread from the session's folder, where their bytes still are in the
system's cache; what it does most, hashing, needs no lock.

Nothing here stops a capture: a file that can't be described has no layout, and gets one when it is
asked for.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from regtui.artifacts.file_source import opened
from regtui.artifacts.layouts import Layout, layout_of_source, small_layout

Take: TypeAlias = Callable[[str, Layout], None]
"""Is given the digest of a file and its layout, in the thread that captures."""


class Describer:
    """Makes layouts of the files that it is told of; use it as a context.

    Args:
        take: Is given each layout; None for nobody, and then nothing is described.
    """

    def __init__(self, take: Take | None) -> None:
        self._take = take
        self._given_up = False
        self._running: list[tuple[str, Future[Layout | None]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="describe")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._given_up = error is not None
        self._thread.shutdown(cancel_futures=True)

    def small(self, digest: str, name: str, content: memoryview) -> None:
        """Describe a file that is in memory."""
        if self._take is not None:
            self._take(digest, small_layout(bytes(content), name, digest))

    def large(self, digest: str, name: str, path: Path) -> None:
        """Begin to describe a file that is written; it keeps its path until `finish` returned."""
        if self._take is not None:
            self._running.append((digest, self._thread.submit(self._describe, path, name)))

    def finish(self) -> None:
        """Return when every layout was given away."""
        for digest, running in self._running:
            layout = running.result()
            if layout is not None and self._take is not None:
                self._take(digest, layout)
        self._running = []

    def _describe(self, path: Path, name: str) -> Layout | None:
        try:
            with opened(path, lambda: self._given_up) as source:
                return layout_of_source(source, [name])
        except OSError:
            return None
