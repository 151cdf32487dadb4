"""Sync: send what waits and read what is newer; the files that others need go along."""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct

from regtui.artifacts.copying import Progress
from regtui.core.errors import BadInput, NotFound, RegtuiError, Unreachable
from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context
from regtui.registry.purging import purge_files
from regtui.registry.remote import ADDRESS, address_of, has_token, is_solo, token_of
from regtui.replica.remote import OFFLINE, REVOKED, read_remote, write_remote
from regtui.sync.client import OnStep, SyncClient, Synced

if TYPE_CHECKING:
    from regtui.sync.transport import HttpTransport

SLICE = 2.0
"""Seconds of one request for news: whoever waits can be stopped after it."""

DIRECTIONS = ("both", "push", "pull")
"""Whether a sync sends and reads, sends only, or reads only."""


class Pulled(Struct, frozen=True, kw_only=True):
    """What a pull of files did.

    Attributes:
        versions: Whose files are here now.
        files: Files that came down.
        bytes: Their bytes.
        warnings: Sentences about files that are dangerous to load.
    """

    versions: list[VersionAnswer]
    files: int
    bytes: int
    warnings: list[str]


def sync(
    context: Context,
    *,
    artifacts: str | None = None,
    direction: str = "both",
    on_progress: Progress | None = None,
    on_step: OnStep | None = None,
) -> Synced:
    """Sync with the remote.

    Args:
        context: The registry.
        artifacts: Whose files travel, both ways: `all`, `aliased` or `none`; None sends those of
            versions that were captured here, and fetches none.
        direction: One of `DIRECTIONS`.
        on_progress: Is told how many more bytes of files are done.
        on_step: Is told what the sync does next; what it raises ends it with nothing half done.

    Raises:
        BadInput: There is no such choice of files or direction.
        NotFound: There is no remote, or nobody is signed in.
        Unreachable: The server does not answer; local work is safe.
        Denied: The token is not good any more; local work goes on.
        Busy: Another process syncs this registry.
    """
    from regtui.registry.transferring import check_artifacts, fetch_files, send_files

    check_artifacts(artifacts)
    if direction not in DIRECTIONS:
        raise BadInput(f"there is no direction {direction!r}", f"one of {', '.join(DIRECTIONS)}")
    sends, reads = direction != "pull", direction != "push"
    with signed_in(context) as transport:
        client = SyncClient(
            context.replica,
            transport,
            context.session,
            sends=sends,
            reads=reads,
            on_step=on_step,
        )
        done = client.sync()
        if reads and (done.pulled or done.healing):
            _keep_what_it_told(context)
        purge_files(context)
        if sends:
            sent = send_files(context, transport, artifacts, on_progress)
            done.sent_files, done.sent_bytes = sent.files, sent.size
            done.absent += sent.absent
            done.withheld = sent.withheld
        if reads:
            fetched = fetch_files(context, transport, artifacts, on_progress)
            done.fetched_files, done.fetched_bytes = fetched.files, fetched.size
            done.absent += fetched.absent
    return done


def _keep_what_it_told(context: Context) -> None:
    from regtui.registry.remote_history import fetch_history, has_what_it_told, missing_before

    with context.reading() as connection:
        is_whole = missing_before(connection) <= 1 or has_what_it_told(connection)
    if not is_whole:
        fetch_history(context, is_enough=has_what_it_told)


def pull(
    context: Context, references: Iterable[str], on_progress: Progress | None = None
) -> Pulled:
    """Fetch the files of versions from the remote; those that are here already stay.

    Args:
        context: The registry.
        references: Of versions.
        on_progress: Is told how many more bytes are done.

    Raises:
        NotFound: There is no such version, no remote, or its files are not on the server.
        Unreachable: The server does not answer; what came stays.
        Denied: The token is not good any more.
        RegtuiError: The disk is full.
    """
    from regtui.registry.capture_layouts import warnings
    from regtui.registry.transferring import fetch_version
    from regtui.registry.versions import manifest

    # A wrong name is told before anything is fetched.
    wanted = [manifest(context, reference) for reference in references]
    files, size, told = 0, 0, []
    with signed_in(context) as transport:
        for answer, entries in wanted:
            moved = fetch_version(context, transport, answer, on_progress)
            files, size = files + moved.files, size + moved.size
            if moved.files:
                names: dict[str, list[str]] = {}
                for entry in entries:
                    names.setdefault(entry.digest, []).append(entry.path)
                told += warnings(context, names, {})
    versions = [answer for answer, _ in wanted]
    return Pulled(versions=versions, files=files, bytes=size, warnings=told)


def wait_for_news(
    context: Context, seconds: float, is_over: Callable[[], bool] | None = None
) -> bool:
    """Wait until somebody else changed the registry at the remote; False when the time is over.

    Args:
        context: The registry.
        seconds: How long to wait.
        is_over: Is asked every other second whether to stop.

    Raises:
        NotFound: There is no remote, or nobody is signed in.
        Unreachable: The server does not answer.
        Denied: The token is not good any more.
    """
    with context.reading() as connection:
        remote = read_remote(connection)
    after = 0 if remote is None else int(remote.cursor.get("seq", 0))
    end = time.monotonic() + seconds
    with signed_in(context) as transport:
        path = f"/v1/registries/{transport.registry}/wait"
        while True:
            began = time.monotonic()
            wanted = max(0.0, min(SLICE, end - began))
            if transport.ask("GET", path, after=after, seconds=wanted)["news"]:
                return True
            if time.monotonic() >= end or (is_over is not None and is_over()):
                return False
            # A server where too many wait answers at once.
            time.sleep(max(0.0, wanted - (time.monotonic() - began)))


def is_signed_in(context: Context) -> bool:
    """Tell whether there is a remote that somebody is signed in to."""
    with context.reading() as connection:
        remote = read_remote(connection)
    return remote is not None and has_token(context, remote.url)


@contextlib.contextmanager
def signed_in(context: Context) -> "Iterator[HttpTransport]":
    """Yield a connection to the remote; how the server was found is noted.

    Raises:
        NotFound: There is no remote, or nobody is signed in.
    """
    from regtui.sync.transport import HttpTransport, SignedOut

    with context.reading() as connection:
        remote = read_remote(connection)
        row = connection.execute("select registry::varchar from base.replica").fetchone()
        solo = is_solo(connection)
    if remote is None and solo and (context.home / ADDRESS).exists():
        raise BadInput(
            "this registry has a history of its own, which its remote does not know",
            "`regtui sync --publish` tells what publishing it does, and asks",
        )
    if remote is None or row is None:
        if (context.home / ADDRESS).exists():
            raise NotFound(f"nobody is signed in to {address_of(context)}", "`regtui login`")
        raise NotFound("there is no remote", "`regtui remote add URL` and `regtui login`")
    with HttpTransport(remote.url, token_of(context, remote.url)) as transport:
        transport.registry = row[0]
        try:
            yield transport
        except SignedOut:
            note_state(context, REVOKED)
            raise
        except Unreachable:
            note_state(context, OFFLINE)
            raise


def note_state(context: Context, state: str) -> None:
    """Note how the server was found, for whoever looks at it later."""
    try:
        with context.replica.changing() as connection:
            remote = read_remote(connection)
            if remote is not None and remote.state != state:
                remote.state = state
                write_remote(connection, remote)
    except RegtuiError:
        return  # what made the sync fail is what people have to hear
