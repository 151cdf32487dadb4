"""A server with people, models and files, on a real socket."""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from blake3 import blake3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Raw, Struct

from regtui.core import chain, encoding
from regtui.core.documents import Document, decode_document
from regtui.core.identity import environment_id, model_id, user_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import (
    FORMAT,
    KINDS,
    CaptureBody,
    Change,
    DeploymentBody,
    EnvironmentBody,
    ModelBody,
    StateBody,
)
from regtui.core.verdicts import Accepted, Verdict, decode_verdict
from regtui.wire.messages import PROTOCOL, Cursor, Push
from regtui.wire.statements import push_statement
from sync_server import schema
from sync_server.administration import Administration
from sync_server.artifacts import ArtifactStore
from sync_server.database import Database
from sync_server.http import make_app
from sync_server.http_artifacts import Artifacts, Limits
from sync_server.server import Server, make_registry, make_tables, uuid7
from sync_server.sync import Caller
from tests.server.tables import sqlite_with_tables


class Api(Struct):
    """What transfers need of a connection to a server."""

    client: httpx.Client
    registry: str


class Site:
    """A server; its clock can be moved."""

    def __init__(
        self, folder: Path, store: ArtifactStore, limits: Limits, url: str | None = None
    ) -> None:
        self.offset = 0
        self.database = Database(url or sqlite_with_tables(folder / "registry.sqlite"))
        make_tables(self.database)
        made = make_registry(self.database, "lab", "ann", self.clock)
        self.registry = made.registry
        self.server = Server(self.database, self.clock)
        self.artifacts = Artifacts(self.server, store, folder, limits)
        self.app = make_app(self.server, artifacts=self.artifacts)
        self.store = store
        self.port = 0
        self._key = Ed25519PrivateKey.generate()
        self._n, self._tip = 0, chain.GENESIS
        self._has_environment = False
        self._replica = self._administrate(
            lambda one: one.enrol(user_id("ann"), self._key.public_key().public_bytes_raw(), "x")
        )

    def clock(self) -> int:
        return time.time_ns() // 1000 + self.offset

    def person(self, name: str, **roles: str) -> str:
        """Make somebody with a role in scopes (`_` for `/*`), and return a token of his."""

        def make(one: Administration) -> str:
            one.put_user(name)
            for scope, role in roles.items():
                one.grant(name, role, scope)
            return one.create_token(user_id(name), "test")

        token: str = self._administrate(make)
        return token

    def token_of(self, name: str, roles: list[tuple[str, str]]) -> str:
        """Return a token of somebody, narrowed to roles."""
        made: str = self._administrate(
            lambda one: one.create_token(user_id(name), "test", roles=roles)
        )
        return made

    def revoke(self, name: str, scope: str) -> None:
        self._administrate(lambda one: one.grant(name, None, scope))

    def api(self, token: str, port: int | None = None) -> Api:
        base = f"http://127.0.0.1:{port or self.port}"
        headers = {"Authorization": f"Bearer {token}"}
        return Api(httpx.Client(base_url=base, headers=headers, timeout=30), self.registry)

    def model(self, name: str) -> str:
        """Make a model, and return its stream."""
        identity = model_id(name, 0)
        body = ModelBody(name, 0, {})
        self._push("model.create", identity, identity, body)
        return identity

    def version(self, stream: str, entries: list[FileEntry]) -> str:
        """Register a version that consists of files, and return its id."""
        digest = content_digest(entries)
        identity = version_id(stream, digest)
        size = sum(entry.size for entry in entries)
        body = CaptureBody(digest, "", size, len(entries), {})
        text = encoding.encode(sorted(entries)).decode()
        self._push("version.capture", stream, identity, body, {digest: text})
        return identity

    def stored(self, stream: str, files: dict[str, bytes]) -> str:
        """Upload files, register a version that consists of them, and return its id."""
        api = self.api(self.person("ann"))
        entries = []
        for path, content in files.items():
            digest = blake3(content).hexdigest()
            entries.append(FileEntry(path, len(content), False, digest))
            place = f"/v1/registries/{self.registry}/streams/{stream}/pieces/{digest}"
            sent = api.client.put(place, content=content, headers={"Upload-Offset": "0"})
            sent.raise_for_status()
        api.client.close()
        return self.version(stream, entries)

    def deployed(self, model: str) -> str:
        """Deploy a version of a new model, and return the deployment."""
        if not self._has_environment:
            body = EnvironmentBody("prod", {})
            self._push("environment.put", "registry", environment_id("prod"), body)
            self._has_environment = True
        stream = self.model(model)
        version = self.version(stream, [FileEntry("w", 1, False, "a" * 64)])
        identity = uuid7(self.clock())
        record = DeploymentBody(version, "prod", "", "live", None, None, None, {})
        self._push("deployment.record", stream, identity, record)
        return identity

    def delete(self, stream: str, version: str) -> None:
        state = self.document(version).fields["state"]
        last = self.document(version).by
        body = StateBody(last, {"state": Change("deleted", saw=state.by)})
        self._push("version.delete", stream, version, body)

    def document(self, identity: str) -> Document:
        c = schema.entity.c
        with self.database.reading() as connection:
            row = connection.execute(schema.entity.select().where(c.id == identity)).one()
        return decode_document(bytes(row.body))

    def _administrate(self, change: Any) -> Any:
        return self.server.administrate(self.registry, change)

    def _push(
        self, kind: str, stream: str, entity: str, body: Any, texts: dict[str, str] | None = None
    ) -> None:
        verdict = self.act(kind, stream, entity, body, texts)
        assert isinstance(verdict, Accepted), verdict

    def act(
        self, kind: str, stream: str, entity: str, body: Any, texts: dict[str, str] | None = None
    ) -> Verdict:
        """Push an operation of ann's, and return the verdict."""
        now = self.clock()
        draft = KINDS[kind](
            id=uuid7(now),
            replica=self._replica,
            at=now,
            actor=user_id("ann"),
            stream=stream,
            entity=entity,
            body=body,
            via="api",
            session=str(uuid.uuid4()),
        )
        _, data, tip = chain.seal(draft, n=self._n + 1, prev=self._tip)
        self._n, self._tip = self._n + 1, tip
        signed = push_statement(self.registry, self._replica, self._n, tip, "", 0, "")
        push = Push(
            protocol=PROTOCOL,
            schema=FORMAT,
            replica=self._replica,
            acked_n=self._n - 1,
            anchor=None,
            cursor=Cursor(),
            ops=[Raw(data)],
            texts=texts or {},
            n=self._n,
            tip=tip,
            signature=self._key.sign(signed).hex(),
        )
        answer = self.server.service.sync(self.registry, Caller(user_id("ann")), push)
        return decode_verdict(bytes(answer.verdicts[0]))


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Run the server on a socket, in a thread."""
    config = uvicorn.Config(site.app, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    site.port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        server.should_exit = True
        thread.join(10)
        site.server.close()
