"""A server's registry of N versions for a newcomer to read, made by the server's own code.

One replica's operations are judged in the server's process, some thousands at a time. With *edits*,
every version was edited so often before: what a newcomer reads should not depend on that.
"""

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec import Raw

from benchmarks.cache import cache_folder
from benchmarks.sync_clients import metadata
from benchmarks.sync_site import serving
from regtui.core import chain, encoding
from regtui.core.identity import model_id, user_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import KINDS, CaptureBody, Change, EditBody, ModelBody
from regtui.registry.changes import changes
from regtui.replica.ids import uuid7
from regtui.replica.keys import passing_key
from regtui.wire.messages import NOTHING, PROTOCOL, Cursor, Push
from regtui.wire.statements import push_statement
from sync_server.configuration import Configuration
from sync_server.data_folder import opened
from sync_server.sync import Caller

MODELS = 100
BATCH = 2_000

Made = tuple[bytes, dict[str, str]]
"""An operation's bytes and the texts that it names."""


def served(versions: int, edits: int = 0) -> Path:
    """Return the data folder of a server with so many versions, made now where there is none."""
    folder = cache_folder() / f"served-{versions}-{edits}"
    if not folder.exists():
        beside = folder.with_name(f"{folder.name}.part-{os.getpid()}")
        shutil.rmtree(beside, ignore_errors=True)
        with serving(beside):
            pass  # makes the registry and signs its admin in
        _fill(beside, versions, edits)
        beside.rename(folder)
    return folder


def _fill(data: Path, versions: int, edits: int) -> None:
    ann, key = user_id("ann"), passing_key()
    with opened(data, Configuration()) as server:
        registry = server.registry().id
        caller = Caller(ann)
        server.administrate(registry, lambda one: one.enrol(ann, key.public, "bench"))
        n, tip, now = 0, chain.GENESIS, server.clock()
        batch: list[Raw] = []
        texts: dict[str, str] = {}

        def send() -> None:
            signed = key.sign(push_statement(registry, key.replica, n, tip, "", 0, "")).hex()
            push = Push(
                protocol=PROTOCOL,
                schema=1,
                replica=key.replica,
                acked_n=0,
                anchor=None,
                cursor=Cursor(),
                ops=batch,
                texts=texts,
                n=n,
                tip=tip,
                signature=signed,
                limit=NOTHING,
            )
            # One request judges for its slice of time; the same one again goes on behind that.
            while len(server.service.sync(registry, caller, push).verdicts) < len(batch):
                pass
            batch.clear()
            texts.clear()

        for kind, stream, entity, body, named in _story(versions, edits):
            now += 1_000
            draft = KINDS[kind](
                id=uuid7(now),
                replica=key.replica,
                at=now,
                actor=ann,
                stream=stream,
                entity=entity,
                body=body,
                via="api",
                session=key.replica,
            )
            n += 1
            _, made, tip = chain.seal(draft, n=n, prev=tip)
            batch.append(Raw(made))
            texts |= named
            if len(batch) == BATCH:
                send()
        if batch:
            send()


def _story(versions: int, edits: int) -> Iterator[tuple[str, str, str, Any, dict[str, str]]]:
    """Yield kind, stream, entity, body and texts of each operation."""
    rng = random.Random(versions)
    models = [f"team/model-{number}" for number in range(MODELS)]
    for name in models:
        model = model_id(name, 0)
        yield "model.create", model, model, ModelBody(name, 0, {}), {}
    for number in range(versions):
        model = model_id(models[number % MODELS], 0)
        files = [FileEntry("", 100_000_000, False, rng.randbytes(32).hex())]
        digest = content_digest(files)
        version = version_id(model, digest)
        first = changes(metadata(rng), "version", None)
        body = CaptureBody(digest=digest, nonce="", size=files[0].size, files=1, set=first)
        listed = {digest: encoding.encode(files).decode()}
        yield "version.capture", model, version, body, listed
        for edit in range(edits):
            change = Change(f"value {edit}", saw=None)
            yield "version.edit", model, version, EditBody({"tags/env": change}), {}
