"""Two people work offline, sync, meet, and hold equal replicas."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sync.world import World, signed_in


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    made = World(tmp_path)
    yield made
    made.close()


def weights(folder: Path, content: str) -> Path:
    file = folder / f"{content}.bin"
    file.write_text(content)
    return file


def test_what_one_captures_offline_the_other_has_after_two_syncs(
    world: World, tmp_path: Path
) -> None:
    world.grant("ann", "contributor", "*")
    world.grant("ben", "contributor", "*")
    ann, ben = signed_in(world, "ann"), signed_in(world, "ben")
    captured = ann.registry.capture(weights(tmp_path, "one"), model="nlp/bert", metrics={"f1": 0.9})
    assert captured.version.number is None
    assert captured.version.pending
    done = ann.sync()
    assert (done.pushed, done.accepted, done.rejected, done.pending) == (2, 2, 0, 0)
    assert ann.registry.version("nlp/bert@1").metrics == {"f1": 0.9}
    assert not ann.registry.version("nlp/bert@1").pending
    assert ben.sync().pulled == 2
    assert ben.documents == ann.documents
    assert ben.registry.version("nlp/bert@1").author == "ann"
    assert [file.path for file in ben.registry.files("nlp/bert@1")[1]] == ["one.bin"]


def test_concurrent_edits_merge_and_what_can_not_is_a_conflict_that_both_see(
    world: World, tmp_path: Path
) -> None:
    for name in ("ann", "ben"):
        world.grant(name, "contributor", "*")
    ann, ben = signed_in(world, "ann"), signed_in(world, "ben")
    ann.registry.capture(weights(tmp_path, "one"), model="bert")
    ann.sync()
    ben.sync()
    ann.registry.edit("bert@1", {"description": "ann's", "tags/env": "prod"})
    ben.registry.edit("bert@1", {"description": "ben's", "tags/team": "nlp"})
    ann.sync()
    assert ben.sync().conflicted == 1
    ann.sync()
    assert ann.documents == ben.documents
    (conflict,) = ann.registry.conflicts()
    assert conflict.accepted.value == "ann's"
    assert [one.value for one in conflict.candidates] == ["ben's"]
    ann.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    ann.sync()
    ben.sync()
    assert ann.documents == ben.documents
    assert ben.registry.version("bert@1").description == "ben's"
    assert ben.registry.conflicts() == []


def test_nothing_of_a_hidden_model_comes_and_a_revocation_takes_it_away(
    world: World, tmp_path: Path
) -> None:
    world.grant("ann", "contributor", "*")
    world.grant("eve", "contributor", "public/*")
    ann, eve = signed_in(world, "ann"), signed_in(world, "eve")
    ann.registry.capture(weights(tmp_path, "one"), model="secret/canary")
    ann.registry.capture(weights(tmp_path, "two"), model="public/bert")
    ann.sync()
    eve.sync()
    assert [model.model for model in eve.registry.models()] == ["public/bert"]
    eve.replica.close()
    assert b"canary" not in eve.replica.home.database.read_bytes()
    world.grant("eve", "viewer", "secret/*")
    eve.sync()
    assert len(eve.registry.models()) == 2
    world.grant("eve", None, "secret/*")
    assert eve.sync().purged == 2
    assert [model.model for model in eve.registry.models()] == ["public/bert"]
    for table in ("document", "operation", "log", "text", "file"):
        assert "canary" not in str(eve.table(f"select * from base.{table}"))


def test_an_idle_sync_is_one_small_request(world: World, tmp_path: Path) -> None:
    world.grant("ann", "contributor", "*")
    ann = signed_in(world, "ann")
    ann.registry.capture(weights(tmp_path, "one"), model="bert")
    ann.sync()
    ann.sync()
    ann.wire.sizes.clear()
    assert ann.sync().requests == 1
    ((up, down),) = ann.wire.sizes
    assert up < 1024
    assert down < 1024


def test_what_is_refused_stands_in_the_outbox_with_its_reason(world: World, tmp_path: Path) -> None:
    world.grant("ann", "contributor", "*")
    world.grant("ben", "contributor", "*")
    ann, ben = signed_in(world, "ann"), signed_in(world, "ben")
    ann.registry.capture(weights(tmp_path, "one"), model="bert")
    ann.sync()
    ben.sync()
    world.grant("ben", "viewer", "*")
    ben.registry.edit("bert@1", {"description": "ben's"})
    done = ben.sync()
    assert (done.pushed, done.rejected) == (1, 1)
    assert ben.documents == ann.documents
    ((state, verdict),) = ben.table("select state, verdict from base.outbox")
    assert state == "refused"
    assert '"denied"' in str(verdict)


def test_the_audit_recomputes_what_came_and_notices_a_change(world: World, tmp_path: Path) -> None:
    world.grant("ann", "contributor", "*")
    ann = signed_in(world, "ann")
    ann.registry.capture(weights(tmp_path, "one"), model="bert")
    ann.sync()
    ann.registry.edit("bert@1", {"description": "waits"})
    assert ann.registry.verify_history().ok
    with ann.replica.changing() as connection:
        connection.execute(
            "update base.shadow set body = replace(body, '\"size\":3', '\"size\":4')"
        )
    problems = ann.registry.verify_history().problems
    assert {problem.kind for problem in problems} == {"document", "stream"}


def test_doctor_finds_nothing_wrong_with_a_synced_replica(world: World, tmp_path: Path) -> None:
    world.grant("ann", "contributor", "*")
    world.grant("ben", "contributor", "*")
    ann, ben = signed_in(world, "ann"), signed_in(world, "ben")
    ann.registry.capture(weights(tmp_path, "one"), model="bert")
    ann.sync()
    ben.sync()
    ben.registry.edit("bert@1", {"description": "waits"})
    for person in (ann, ben):
        person.replica.close()
        assert [one for one in person.registry.doctor().checks if one.status == "problem"] == []


def test_doctor_takes_the_word_of_the_remote_for_what_has_no_operation_here(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync_server.pull.LOG_LIMIT", 3)
    world.grant("ann", "contributor", "*")
    world.grant("ben", "contributor", "*")
    ann, ben = signed_in(world, "ann"), signed_in(world, "ben")
    ann.registry.capture(weights(tmp_path, "one"), model="bert")
    for number in range(5):
        ann.registry.create_model(f"later/{number}")
    ann.sync()
    ben.sync()
    ben.registry.edit("bert@1", {"description": "waits"})
    ben.replica.close()
    assert [one for one in ben.registry.doctor().checks if one.status == "problem"] == []
    with ben.replica.changing() as connection:
        connection.execute(
            "update base.shadow set body = replace(body, '\"size\":3', '\"size\":4')"
        )
    ben.replica.close()
    problems = [one for one in ben.registry.doctor().checks if one.status == "problem"]
    assert [one.check for one in problems] == ["documents"]


def test_following_tells_what_waits_and_again_when_it_was_accepted(world: World) -> None:
    world.grant("ann", "contributor", "*")
    ann = signed_in(world, "ann")
    ann.registry.create_model("before")
    ann.sync()
    acts: Iterator[Callable[[], object]] = iter(
        [
            lambda: ann.registry.create_model("one"),
            ann.sync,
            lambda: ann.registry.create_model("two"),
            ann.sync,
        ]
    )

    def act(_: float) -> None:
        time.sleep(0.02)  # times of files are not exact
        next(acts)()

    told = ann.registry.follow(wait=act)
    found = [(one.model, one.waiting) for one in itertools.islice(told, 4)]
    assert found == [("one", True), ("one", False), ("two", True), ("two", False)]
