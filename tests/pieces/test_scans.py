"""What the server finds in files decides whether a version may be promoted."""

import json
import pickle
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from regtui.core.identity import alias_id, environment_id, policy_id
from regtui.core.manifest import FileEntry
from regtui.core.operations import (
    ActBody,
    AliasBody,
    Change,
    DeploymentBody,
    EditBody,
    EnvironmentBody,
    PolicyBody,
    ReportBody,
    RequestBody,
)
from regtui.core.verdicts import Accepted, Rejected, Verdict
from regtui.formats import detect
from sync_server import scans, schema
from sync_server.artifacts import ArtifactStore
from sync_server.http_artifacts import Limits
from sync_server.scans import BLOCK, CACHED, Scans, StoredSource
from sync_server.server import uuid7
from tests.pieces.site import Site, serving


class Runs:
    """An object whose pickle runs a command when it is loaded."""

    def __reduce__(self) -> Any:
        import os

        return os.system, ("true",)


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(8)


CODE = pickle.dumps(Runs())


@pytest.fixture
def site(tmp_path: Path, store: ArtifactStore) -> Iterator[Site]:
    with serving(Site(tmp_path, store, Limits(spare=1 << 20))) as made:
        yield made


@pytest.fixture
def stream(site: Site) -> str:
    """A model whose alias `production` lets in only what runs no code."""
    made = site.model("nlp/bert")
    put(site, {"alias": "production", "safe_files": True})
    return made


def put(site: Site, definition: dict[str, Any], name: str = "safe") -> None:
    body = PolicyBody(name, "nlp/*", {"definition": Change(definition)})
    accepted(site.act("policy.put", "registry", policy_id("nlp/*", name), body))


def accepted(verdict: Verdict) -> None:
    assert isinstance(verdict, Accepted), verdict


def reason(verdict: Verdict) -> str:
    assert isinstance(verdict, Rejected), verdict
    assert verdict.code == "blocked"
    return verdict.message


def move(site: Site, stream: str, version: str) -> Verdict:
    body = AliasBody("production", {"version": Change(version)})
    return site.act("alias.set", stream, alias_id(stream, "production"), body)


def request(site: Site, stream: str, version: str, *, auto: bool = False) -> tuple[str, Verdict]:
    identity = uuid7(site.clock())
    body = RequestBody(version, "alias", "production", auto, {})
    return identity, site.act("promotion.request", stream, identity, body)


def apply(site: Site, stream: str, promotion: str) -> Verdict:
    return site.act("promotion.apply", stream, promotion, ActBody(None, {}))


def looked_at(site: Site) -> dict[str, bool]:
    with site.database.reading() as connection:
        return {row.suffix: row.safe for row in connection.execute(sa.select(schema.scan))}


def test_a_pickle_that_runs_code_blocks_a_promotion_and_tensors_pass(
    site: Site, stream: str
) -> None:
    bad = site.stored(stream, {"model.pkl": CODE, "config.json": b"{}"})
    good = site.stored(stream, {"model.safetensors": safetensors(), "README.md": b"a model"})
    promotion, made = request(site, stream, bad)
    accepted(made)
    assert "model.pkl: loading it runs code that it chooses" in reason(
        apply(site, stream, promotion)
    )
    promotion, made = request(site, stream, good)
    accepted(made)
    accepted(apply(site, stream, promotion))
    assert site.document(alias_id(stream, "production")).value("version") == good
    assert looked_at(site) == {".pkl": False, ".json": True, ".safetensors": True, ".md": True}
    assert "model.pkl" in reason(move(site, stream, bad))


def test_the_same_bytes_are_harmless_as_a_text_and_not_as_a_program(
    site: Site, stream: str
) -> None:
    accepted(move(site, stream, site.stored(stream, {"notes.txt": b"print(1)"})))
    assert "model.py" in reason(move(site, stream, site.stored(stream, {"model.py": b"print(1)"})))


def test_missing_files_block_what_has_to_be_complete(site: Site, stream: str) -> None:
    put(site, {"alias": "production", "complete": True}, "whole")
    version = site.version(stream, [FileEntry("model.safetensors", 9, False, "a" * 64)])
    told = reason(move(site, stream, version))
    assert "complete: files are missing" in told
    assert "safe_files: a file is not here" in told


def test_a_request_applies_itself_once_its_files_were_looked_at(site: Site, stream: str) -> None:
    version = site.stored(stream, {"model.safetensors": safetensors()})
    promotion, made = request(site, stream, version, auto=True)
    accepted(made)
    assert site.document(promotion).value("state") == "applied"


def test_a_report_applies_the_request_that_waits_for_it(site: Site, stream: str) -> None:
    put(site, {"alias": "production", "checks": ["smoke"]}, "smoke")
    version = site.stored(stream, {"model.safetensors": safetensors()})
    promotion, _ = request(site, stream, version, auto=True)
    assert site.document(promotion).value("state") == "open"
    with site.database.writing() as connection:
        connection.execute(sa.delete(schema.scan))
    now = site.clock()
    body = ReportBody(version, "smoke", None, "passed", {}, "here", now, now, None, {})
    accepted(site.act("check.report", stream, uuid7(now), body))
    assert site.document(promotion).value("state") == "applied"


@pytest.mark.parametrize("kind", ["version", "model"])
def test_an_edit_applies_the_request_that_waits_for_it(site: Site, stream: str, kind: str) -> None:
    wanted, path = ("tags.owner", "tags/owner") if kind == "version" else ("owners", "owners/me")
    put(site, {"alias": "production", "metadata": [wanted]}, "whose")
    version = site.stored(stream, {"model.safetensors": safetensors()})
    promotion, _ = request(site, stream, version, auto=True)
    assert site.document(promotion).value("state") == "open"
    with site.database.writing() as connection:
        connection.execute(sa.delete(schema.scan))
    body = EditBody({path: Change("me" if kind == "version" else True)})
    accepted(site.act(f"{kind}.edit", stream, version if kind == "version" else stream, body))
    assert site.document(promotion).value("state") == "applied"


def test_what_is_deployed_is_looked_at(site: Site, stream: str) -> None:
    environment = EnvironmentBody("prod", {})
    accepted(site.act("environment.put", "registry", environment_id("prod"), environment))
    put(site, {"environment": "prod", "safe_files": True}, "prod")
    version = site.stored(stream, {"model.pkl": CODE})

    def deploy(version: str) -> Verdict:
        body = DeploymentBody(version, "prod", "", "live", None, None, None, {})
        return site.act("deployment.record", stream, uuid7(site.clock()), body)

    assert "model.pkl" in reason(deploy(version))
    accepted(deploy(site.stored(stream, {"model.safetensors": safetensors()})))


def test_a_verdict_of_an_older_reader_does_not_count(site: Site, stream: str) -> None:
    version = site.stored(stream, {"model.pkl": CODE})
    reason(move(site, stream, version))
    with site.database.writing() as connection:
        older = {"reader": detect.READER - 1, "safe": True}
        connection.execute(sa.update(schema.scan).values(**older))
    assert "runs code" in reason(move(site, stream, version))


def test_without_time_nothing_is_safe_and_trying_again_goes_on(site: Site, stream: str) -> None:
    version = site.stored(stream, {"model.safetensors": safetensors()})
    service = site.server.service
    looking = service.scans
    service.scans = Scans(site.database, site.store, service.people, seconds=0)
    assert "was not looked at yet; try again" in reason(move(site, stream, version))
    service.scans = looking
    accepted(move(site, stream, version))


def test_bytes_that_are_gone_are_not_safe_and_are_read_again_when_they_are_back(
    site: Site, stream: str, tmp_path: Path
) -> None:
    content = safetensors()
    version = site.stored(stream, {"model.safetensors": content})
    with site.database.reading() as connection:
        row = connection.execute(sa.select(schema.piece)).one()
    key = f"pieces/{row.digest[:2]}/{row.digest}.{row.generation}"
    site.store.delete(key)
    assert "could not be read: its bytes are missing" in reason(move(site, stream, version))
    file = tmp_path / "again"
    file.write_bytes(content)
    site.store.adopt(file, key)
    accepted(move(site, stream, version))


def test_nothing_is_looked_at_where_nobody_asks_for_it(site: Site) -> None:
    stream = site.model("cv/eyes")
    accepted(move(site, stream, site.stored(stream, {"model.pkl": CODE})))
    assert looked_at(site) == {}


def test_a_stored_file_is_read_like_one_in_memory(
    store: ArtifactStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "BLOCK", 1_000)
    monkeypatch.setattr(scans, "CACHED", 8)
    content = bytes(range(256)) * 40
    file = tmp_path / "file"
    file.write_bytes(content)
    store.adopt(file, "pieces/x")
    source = StoredSource(store, "pieces/x", len(content), float("inf"))
    for offset in (0, 1, 999, 1_000, 4_321, len(content) - 1, len(content), len(content) + 5, -1):
        for length in (0, 1, 999, 1_001, 5_000, 20_000):
            expected = content[offset : offset + length] if offset >= 0 else b""
            assert source.read(offset, length) == expected
    assert BLOCK * CACHED <= 16 << 20
