"""Bringing files to a server and from it: only what is missing, several at a time.

Up: the server is asked which files the stream lacks, in batches, and gets these (`sending`). Down:
what the store lacks is fetched (`fetching`). A file whose connection was cut goes on at the byte
that it reached; what the server holds of an upload outlives this process, too. The server hashes
what it gets, and what comes from it is hashed here before it gets a name in the store. So whenever
this ends, in whatever way, both sides have whole files and nothing else, and doing it again does
the rest.
"""

import threading
from collections.abc import Iterable

from msgspec import Struct

from regtui.artifacts.leases import lease
from regtui.artifacts.store import ObjectStore
from regtui.sync.fetching import Fetcher
from regtui.sync.piece_calls import Api, PieceCalls
from regtui.sync.retrying import Again, Attempts, Retry
from regtui.sync.sending import Sender
from regtui.sync.tally import Progress, Tally
from regtui.sync.workers import work_off
from regtui.wire.pieces import DIGESTS_LIMIT

WORKERS = 4
"""Files that are under way at a time."""


class Transferred(Struct, frozen=True):
    """What came of a transfer.

    Attributes:
        files: Files that went over the network.
        size: Their bytes.
        absent: Digests of files that were not to be had: not in the store for an upload, not in the
            stream on the server for a download, or not for who asks.
    """

    files: int
    size: int
    absent: list[str]


def upload(  # noqa: PLR0913 -- what, from where, whereto, and how
    api: Api,
    store: ObjectStore,
    stream: str,
    digests: Iterable[str],
    *,
    progress: Progress | None = None,
    workers: int = WORKERS,
    retry: Retry | None = None,
) -> Transferred:
    """Bring those files of the store to a stream that the server lacks.

    Args:
        api: The connection to the server.
        store: Where the files are.
        stream: Id of the model's stream.
        digests: Of the files.
        progress: Is told what is done; files that were there already count as done.
        workers: Files that are under way at a time.
        retry: How often to try again.

    Raises:
        Unreachable: The network or the server failed for too long.
        Denied: The server refuses.
        NotFound: It knows of no such stream.
        Damaged: A file in the store is not what its name says.
        RegtuiError: The store can't be read, or the server's disk is full.
    """
    calls, tally, retry = PieceCalls(api, stream), Tally(progress), retry or Retry()
    sender = Sender(calls, store, tally, retry)
    wanted = list(dict.fromkeys(digests))
    for start in range(0, len(wanted), DIGESTS_LIMIT):
        batch = wanted[start : start + DIGESTS_LIMIT]
        missing = _missing(calls, batch, retry)
        for digest in set(batch).difference(missing):
            tally.report(store.size_of(digest) or 0, 1)
        work_off(missing, sender.send_all, workers)
    return _result(tally)


def download(  # noqa: PLR0913 -- what, from where, whereto, and how
    api: Api,
    store: ObjectStore,
    stream: str,
    digests: Iterable[str],
    *,
    progress: Progress | None = None,
    workers: int = WORKERS,
    retry: Retry | None = None,
) -> Transferred:
    """Bring those files of a stream into the store that it lacks.

    Args:
        api: The connection to the server.
        store: Where the files are to be.
        stream: Id of the model's stream.
        digests: Of the files.
        progress: Is told what is done; files that were there already count as done.
        workers: Files that are under way at a time.
        retry: How often to try again.

    Raises:
        Unreachable: The network or the server failed for too long.
        Denied: The server refuses.
        Damaged: What the server sends is not what was asked for.
        RegtuiError: The store can't be written, or its disk is full.
    """
    tally = Tally(progress)
    with lease(store.root) as folder:
        fetcher = Fetcher(PieceCalls(api, stream), store, folder, tally, retry or Retry())
        lacking = []
        for digest in dict.fromkeys(digests):
            size = store.renew(digest)
            if size is None:
                lacking.append(digest)
            else:
                tally.report(size, 1)
        work_off(lacking, fetcher.fetch_all, workers)
    return _result(tally)


def _missing(calls: PieceCalls, digests: list[str], retry: Retry) -> list[str]:
    attempts = Attempts(retry, threading.Event())
    while True:
        try:
            return calls.missing(digests)
        except Again as again:
            attempts.failed(again)


def _result(tally: Tally) -> Transferred:
    return Transferred(tally.files, tally.size, sorted(tally.absent))
