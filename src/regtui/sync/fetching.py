"""Fetching files into the store, each from the byte on that it reached.

Files come into the store through `Receiver`, inside a lease: they are hashed as they come, flushed,
and get their names only then, so no collection takes what just came, and nothing half-written has a
name. Names are given to groups, so that folders are flushed less often; when the work is called off
or fails, what is whole gets its name nevertheless.
"""

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from blake3 import blake3

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.receiving import Receiver
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import Damaged, NotFound
from regtui.sync.piece_calls import PieceCalls, WrongBytes
from regtui.sync.retrying import Again, Attempts, Retry, Stopped
from regtui.sync.tally import Mark, Tally

_GROUP_FILES = 32
_GROUP_BYTES = 64 << 20
_DISTRUST = 3  # wrong bytes so often are no accident of the network


class Fetcher:
    """Fetches files of one stream; several threads may do so at once.

    Args:
        calls: To the server.
        store: Where the files are to be.
        folder: The folder of a lease on it.
        tally: Is told what is done.
        retry: How often to try again.
    """

    def __init__(
        self, calls: PieceCalls, store: ObjectStore, folder: Path, tally: Tally, retry: Retry
    ) -> None:
        self._calls = calls
        self._root = store.root
        self._folder = folder
        self._tally = tally
        self._retry = retry
        self._numbers = itertools.count()

    def fetch_all(self, digests: Iterator[str], stop: threading.Event) -> None:
        """Fetch files until there are no more, or until it is called off.

        Raises:
            Stopped: It was called off.
            RegtuiError: See `download`.
        """
        own = self._folder / f"fetched-{next(self._numbers)}"
        with disk_errors(f"writing to the store {self._root}"):
            own.mkdir(mode=0o700)
        with Receiver(self._root, own) as receiver:
            group = _Group(receiver)
            try:
                for digest in digests:
                    self._fetch(digest, group, stop)
            finally:
                group.name()

    def _fetch(self, digest: str, group: "_Group", stop: threading.Event) -> None:
        attempts, mark = Attempts(self._retry, stop), Mark(self._tally)
        for _ in range(_DISTRUST):
            with _Coming(self._calls, digest, attempts, stop) as coming:
                try:
                    size = coming.begin()
                    group.take(digest, size, coming.blocks(mark))
                except NotFound:
                    self._tally.note_absent(digest)
                    return
                except WrongBytes:
                    continue
            self._tally.note_done(size)
            return
        message = f"the server sends other bytes than those of {digest[:10]}"
        raise Damaged(message, "its operator finds more with `regtui-server doctor --files`")


class _Group:
    """Received files that get their names together."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._files = self._size = 0

    def take(self, digest: str, size: int, blocks: Iterator[memoryview]) -> None:
        self._receiver.take(digest, size, blocks)
        self._files, self._size = self._files + 1, self._size + size
        if self._files >= _GROUP_FILES or self._size >= _GROUP_BYTES:
            self.name()

    def name(self) -> None:
        if self._files:
            self._files = self._size = 0
            self._receiver.name_all()


class _Coming(ExitStack):
    """A file as it comes from the server, over as many connections as it takes."""

    def __init__(
        self, calls: PieceCalls, digest: str, attempts: Attempts, stop: threading.Event
    ) -> None:
        super().__init__()
        self._calls = calls
        self._digest = digest
        self._attempts = attempts
        self._stop = stop
        self._offset = self._size = 0
        self._bytes: Iterator[bytes] = iter(())

    def begin(self) -> int:
        """Connect, and return the size of the whole file."""
        while True:
            self.close()
            try:
                opened = self._calls.get(self._digest, self._offset)
                self._size, self._bytes = self.enter_context(opened)
            except Again as again:
                self._attempts.failed(again, self._offset)
            else:
                return self._size

    def blocks(self, mark: Mark) -> Iterator[memoryview]:
        """Yield the file's bytes, which are those of its digest when they end."""
        hasher = blake3()
        while True:
            try:
                for block in self._bytes:
                    if self._stop.is_set():
                        raise Stopped
                    hasher.update(block)
                    self._offset += len(block)
                    yield memoryview(block)
                    mark.reach(self._offset)
                break
            except Again as again:
                if self._offset == self._size:  # it was cut behind the last byte
                    break
                self._attempts.failed(again, self._offset)
            self.begin()
        if hasher.hexdigest() != self._digest:
            raise WrongBytes
