"""What replicas know of the history at the server, and how they find out that it was changed."""

import sqlite3
from pathlib import Path

import pytest

from regtui.core.errors import NotFound
from regtui.registry import open_registry
from tests.depth import few_of
from tests.pieces.site import Site
from tests.server.people import Person, join, sign_in, token_of
from tests.server.process import ServerProcess


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def eve(server_process: ServerProcess, tmp_path: Path) -> Person:
    return join(server_process, tmp_path / "eve", "eve", "admin")


@pytest.fixture
def worked(eve: Person, tmp_path: Path) -> Person:
    """Eve, who has worked and synced."""
    (tmp_path / "w").write_text("w")
    eve.registry.capture(tmp_path / "w", model="nlp/bert", metrics={"f1": 0.9})
    eve.registry.sync()
    eve.registry.edit("nlp/bert@1", {"description": "good"})
    eve.registry.set_alias("nlp/bert@1", "champion")
    eve.registry.sync()
    return eve


def test_a_first_sync_carries_the_newest_history_and_the_rest_comes_when_asked_for(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_server.pull.LOG_LIMIT", 6)
    monkeypatch.setattr("sync_server.history.LIMIT", 3)
    early, late = (open_registry(tmp_path / name) for name in ("early", "late"))
    for registry in (early, late):
        registry.add_remote(f"http://127.0.0.1:{site.port}")
        registry.login(site.person("eve", **{"*": "admin"}))
    (tmp_path / "w").write_text("w")
    early.capture(tmp_path / "w", model="nlp/bert")
    early.edit("nlp/bert@latest", {"description": "good"})
    for index in range(8):
        early.create_model(f"m{index}")
    early.sync()
    late.sync()
    assert len(late.log().operations) == 5  # one more is of the access stream
    assert late.log("nlp/bert@1").operations == []
    assert late.version("nlp/bert@1").description == "good"
    assert late.fetch_history() == 6
    assert late.fetch_history() == 0
    early.fetch_history()  # its own operations are no exception
    whole = [one.id for one in late.log().operations]
    assert whole == [one.id for one in early.log().operations]
    assert len(late.log("nlp/bert@1").operations) == 2
    assert late.verify_history().ok


def test_a_history_that_is_whole_is_proven_by_signatures(
    server_process: ServerProcess, worked: Person, tmp_path: Path
) -> None:
    ben = join(server_process, tmp_path / "ben", "ben", "viewer", "nlp/*")
    ben.registry.sync()
    for person in (worked, ben):
        found = person.registry.verify_history(remote=True)
        assert found.ok, found.problems
        assert found.remote is not None
        assert (found.remote.operations, found.remote.proven) == (4, 4)
    anchor = worked.registry.anchor().anchor
    worked.registry.create_model("later")
    worked.registry.sync()
    assert worked.registry.verify_history(anchor, remote=True).extends is True


CHANGES = {
    "an operation": "update operation set "
    "bytes = cast(replace(cast(bytes as text), 'good', 'evil') as blob) "
    "where cast(bytes as text) like '%good%'",
    "a verdict": "update operation set verdict = "
    "cast(replace(cast(verdict as text), '\"now\":', '\"now\": ') as blob) "
    "where place = 2 and stream <> 'access'",
    "a link": "update operation set stream_link = zeroblob(32) where place = 2 "
    "and stream <> 'access'",
    "a head": "update stream set link = zeroblob(32) where id not in ('access', 'registry')",
    "a signature": "update push_signature set signature = zeroblob(64)",
    "a key": "update replica set public_key = zeroblob(32)",
    "an operation less": "delete from operation where place = 3 and stream <> 'access'",
}


@pytest.mark.parametrize("change", few_of(CHANGES, 4))
def test_what_was_changed_at_the_server_is_found(
    server_process: ServerProcess,
    worked: Person,
    change: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The server will be at another port, for which nobody signed in.
    monkeypatch.setenv("REGTUI_TOKEN", token_of(server_process, "eve"))
    server_process.stop()
    with sqlite3.connect(next(server_process.data.glob("*.sqlite"))) as connection:
        assert connection.execute(CHANGES[change]).rowcount > 0
    server_process.start()
    registry = worked.registry
    with registry.context.replica.changing() as base:
        base.execute("update base.remote set url = ?", [server_process.url])
    found = open_registry(registry.home).verify_history(remote=True)
    assert not found.ok
    assert found.problems


def test_a_document_that_the_server_made_up_is_found_by_who_gets_it(
    server_process: ServerProcess, worked: Person, tmp_path: Path
) -> None:
    server_process.stop()
    with sqlite3.connect(next(server_process.data.glob("*.sqlite"))) as connection:
        connection.execute(
            "update entity set body = cast(replace(cast(body as text), 'good', 'evil') as blob) "
            "where kind = 'version'"
        )
    server_process.start()
    late = sign_in(server_process, tmp_path / "late", "eve")
    done = late.registry.sync()
    assert (done.refetched, len(done.differing)) == (1, 1)
    assert late.registry.version("nlp/bert@1").description == "evil"
    found = late.registry.verify_history(remote=True)
    assert "document" in {problem.kind for problem in found.problems}


def test_without_a_server_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    registry = open_registry(tmp_path / "solo")
    registry.create_model("m")
    with pytest.raises(NotFound, match="no server decides"):
        registry.verify_history(remote=True)
    with pytest.raises(NotFound):
        registry.fetch_history()
