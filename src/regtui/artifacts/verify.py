"""Looking for damage: every object is read again and compared with its name.

Each digest is looked at once, however many entries name it. Two files are read at a time, since
reading from the disk and hashing use different parts of the machine. Memory is two buffers,
whatever the size of the files.

What is found is what the disk, or the system's cache of it, says now. What is not looked for:
objects that no entry names, and damage in places that are not the objects' bytes.
"""

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Literal, TypeAlias

from msgspec import Struct

from regtui.artifacts.copying import Progress, hash_file, silent
from regtui.artifacts.store import ObjectStore

_READERS = 2
_BUFFER = 2 << 20
_AHEAD = 16

Problem: TypeAlias = Literal["missing", "wrong size", "damaged", "unreadable"]


class Damage(Struct, frozen=True):
    """An object that is not what its name says.

    Attributes:
        digest: The name: blake3 of the bytes it should have.
        problem: `missing`, `wrong size`, `damaged` (the size is right, the bytes are not) or
            `unreadable` (the disk or its permissions refuse).
    """

    digest: str
    problem: Problem


def verify(
    store: ObjectStore,
    entries: Iterable[tuple[str, int]],
    *,
    on_progress: Progress | None = None,
) -> Iterator[Damage]:
    """Read objects again, and yield those that are damaged, in the order of their first entry.

    Args:
        store: Where they lie.
        entries: Digest and size in bytes of each; repeated digests are read once.
        on_progress: Is told how many bytes were read since the last call; comes from the reading
            threads, never from two at once.

    Raises:
        BadInput: A digest is not 64 lower-case hex digits.
    """
    reader = _Reader(on_progress or silent)
    running: deque[tuple[str, Future[Problem | None]]] = deque()
    pool = ThreadPoolExecutor(_READERS, thread_name_prefix="verify")
    try:
        for digest, size in dict(entries).items():
            running.append((digest, pool.submit(reader.check, store.path_of(digest), digest, size)))
            if len(running) > _AHEAD:
                yield from _next(running)
        while running:
            yield from _next(running)
    finally:
        pool.shutdown(cancel_futures=True)


def _next(running: deque[tuple[str, Future[Problem | None]]]) -> Iterator[Damage]:
    digest, future = running.popleft()
    problem = future.result()
    if problem:
        yield Damage(digest, problem)


class _Reader:
    """What the reading threads share: their buffers and the way to report progress."""

    def __init__(self, on_progress: Progress) -> None:
        self._buffers: SimpleQueue[memoryview] = SimpleQueue()
        for _ in range(_READERS):
            self._buffers.put(memoryview(bytearray(_BUFFER)))
        self._on_progress = on_progress
        self._one_at_a_time = threading.Lock()

    def check(self, path: Path, digest: str, size: int) -> Problem | None:
        buffer = self._buffers.get()
        try:
            with path.open("rb", buffering=0) as file:
                if os.fstat(file.fileno()).st_size != size:
                    return "wrong size"
                found, _ = hash_file(file.fileno(), buffer, self._report)
        except FileNotFoundError:
            return "missing"
        except OSError:
            return "unreadable"
        finally:
            self._buffers.put(buffer)
        return None if found == digest else "damaged"

    def _report(self, count: int) -> None:
        with self._one_at_a_time:
            self._on_progress(count)
