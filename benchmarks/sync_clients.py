"""What clients of a sync do: whole replicas, in processes of their own."""

import random
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from msgspec import Struct

from benchmarks.sync_site import Site
from regtui.core.identity import model_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import CaptureBody, EditBody, ModelBody
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.remote import add_remote, login
from regtui.replica.authority import SoloAuthority
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica, wall_clock
from regtui.sync.client import SyncClient, Synced
from regtui.sync.transport import HttpTransport
from regtui.wire.messages import Answer, Push

CAPTURES = 0.7
"""Which part of the operations captures a version; the rest edits one."""

BATCH = 1_000


class Seen(Struct):
    """What a sync did and took.

    Attributes:
        seconds: On the clock, from the first request to the last commit.
        requests: How many.
        sent: Bytes of their bodies, as they travelled.
        got: Bytes of the answers' bodies.
        documents: That came.
        pushed: Operations that went.
        judged: Seconds until the last verdict had come.
        memory: The process's peak, in MB.
    """

    seconds: float
    requests: int
    sent: int
    got: int
    documents: int
    pushed: int
    judged: float
    memory: float


class _Counting(HttpTransport):
    """A transport that counts what goes over the wire."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__(url, token)
        self.sent = self.got = self.requests = 0
        self.judged = 0.0
        self.client.event_hooks = {"request": [self._count_sent], "response": [self._count_got]}

    def sync(self, registry: str, push: Push) -> Answer:
        answer = super().sync(registry, push)
        if answer.verdicts:
            self.judged = time.perf_counter()
        return answer

    def _count_sent(self, request: Any) -> None:
        self.requests += 1
        self.sent += len(request.content)

    def _count_got(self, response: Any) -> None:
        response.read()
        self.got += response.num_bytes_downloaded


def join(home: Path, site: Site) -> None:
    """Make a home and sign it in."""
    context = _context(home)
    add_remote(context, site.url)
    login(context, site.token)


def make_waiting(home: Path, operations: int, seed: int) -> None:
    """Let somebody work offline: so many operations on one model wait to be sent."""
    rng = random.Random(seed)
    context = _context(home)
    name = f"bench/m{seed}"
    model = model_id(name, 0)
    versions: list[str] = []
    for start in range(0, operations, BATCH):
        with context.writing() as authority:
            for number in range(start, min(start + BATCH, operations)):
                if number == 0:
                    authority.submit("model.create", model, model, ModelBody(name, 0, {}))
                elif len(versions) < 2 or rng.random() < CAPTURES:
                    versions.append(_capture(authority, model, rng))
                else:
                    version = rng.choice(versions[-50:])
                    document = authority.view.document(version)
                    made = changes({f"tags/t{number}": "seen"}, "version", document)
                    authority.submit("version.edit", model, version, EditBody(made))


def _capture(authority: SoloAuthority, model: str, rng: random.Random) -> str:
    files = [FileEntry("", 100_000_000, False, rng.randbytes(32).hex())]
    digest = content_digest(files)
    version = version_id(model, digest)
    body = CaptureBody(
        digest=digest,
        nonce="",
        size=files[0].size,
        files=1,
        set=changes(metadata(rng), "version", None),
    )
    authority.submit("version.capture", model, version, body)
    authority.add_files(version, files)
    return version


def metadata(rng: random.Random) -> dict[str, Any]:
    """Return what is known of a version, by path."""
    return {
        "metrics/loss": {"value": rng.random(), "step": 1_000},
        "metrics/accuracy": {"value": rng.random(), "step": 1_000},
        "params/lr": rng.random() / 100,
        "tags/env": "dev",
    }


def sync(home: Path, site: Site) -> Seen:
    """Sync once, in this process."""
    context = _context(home)
    with _Counting(site.url, site.token) as transport:
        client = SyncClient(context.replica, transport, context.session)
        started = time.perf_counter()
        done: Synced = client.sync()
        seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = peak * (1 if sys.platform == "darwin" else 1024) / 1e6
    return Seen(
        seconds=seconds,
        requests=transport.requests,
        sent=transport.sent,
        got=transport.got,
        documents=done.pulled,
        pushed=done.pushed,
        judged=max(0.0, transport.judged - started),
        memory=memory,
    )


def sync_all(homes: list[Path], site: Site, at: float) -> list[float | str]:
    """Sync homes at once, a thread each, from a moment on; return seconds, or what went wrong."""
    with ThreadPoolExecutor(len(homes)) as pool:
        return list(pool.map(lambda home: _sync_at(home, site, at), homes))


def _sync_at(home: Path, site: Site, at: float) -> float | str:
    time.sleep(max(0.0, at - time.time()))
    try:
        return sync(home, site).seconds
    except Exception as error:  # noqa: BLE001 -- it is counted
        return f"{type(error).__name__}: {error}"


def _context(home: Path) -> Context:
    return Context(Replica(home), "api", uuid7(wall_clock()))
