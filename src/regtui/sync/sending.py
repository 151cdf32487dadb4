"""Sending files of the store, each from the byte on that the server waits for."""

import os
import threading
from collections.abc import Iterator

from regtui.artifacts.copying import PIECE, hash_file
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import Damaged
from regtui.sync.piece_calls import PieceCalls, WrongBytes
from regtui.sync.retrying import Again, Attempts, Retry, Stopped
from regtui.sync.tally import Mark, Tally

_BLOCK = 256 << 10
_SMALL = 4 << 20  # is sent again sooner than it is asked how much of it came
_DISTRUST = 3  # wrong bytes so often are no accident of the network


class Sender:
    """Sends files to one stream; several threads may do so at once.

    Args:
        calls: To the server.
        store: Where the files are.
        tally: Is told what is done.
        retry: How often to try again.
    """

    def __init__(self, calls: PieceCalls, store: ObjectStore, tally: Tally, retry: Retry) -> None:
        self._calls = calls
        self._store = store
        self._tally = tally
        self._retry = retry

    def send_all(self, digests: Iterator[str], stop: threading.Event) -> None:
        """Send files until there are no more, or until it is called off.

        Raises:
            Stopped: It was called off.
            RegtuiError: See `upload`.
        """
        for digest in digests:
            size = self._store.size_of(digest)
            if size is None:
                self._tally.note_absent(digest)
            else:
                self._send(digest, size, stop)
                self._tally.note_done(size)

    def _send(self, digest: str, size: int, stop: threading.Event) -> None:
        attempts, mark = Attempts(self._retry, stop), Mark(self._tally)
        offset, distrust, asks = 0, 0, size > _SMALL
        while True:
            try:
                if asks:
                    state = self._calls.state(digest)
                    if state.present:
                        break
                    offset = state.offset if state.offset <= size else 0
                mark.reach(offset)
                self._calls.put(digest, offset, size, self._blocks(digest, offset, mark, stop))
                break
            except Again as again:
                attempts.failed(again, offset)
                asks = True
            except WrongBytes:
                # What it had of an earlier upload may have been at fault: it is gone now.
                distrust, offset = distrust + 1, 0
                if distrust == _DISTRUST or not self._is_intact(digest):
                    message = f"the stored file {digest[:10]} is damaged"
                    raise Damaged(message, "`regtui verify` tells more") from None
        mark.reach(size)

    def _blocks(
        self, digest: str, offset: int, mark: Mark, stop: threading.Event
    ) -> Iterator[bytes]:
        with self._store.path_of(digest).open("rb", buffering=0) as file:
            file.seek(offset)
            while block := self._read(file.fileno()):
                if stop.is_set():
                    raise Stopped
                yield block
                offset += len(block)
                mark.reach(offset)

    def _read(self, descriptor: int) -> bytes:
        with disk_errors(f"reading the store {self._store.root}"):
            return os.read(descriptor, _BLOCK)

    def _is_intact(self, digest: str) -> bool:
        with (
            disk_errors(f"reading the store {self._store.root}"),
            self._store.path_of(digest).open("rb", buffering=0) as file,
        ):
            found, _ = hash_file(file.fileno(), memoryview(bytearray(PIECE)))
        return found == digest
