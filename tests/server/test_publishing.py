"""A registry that had no server is published at one, with its history."""

import uuid
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, Denied, NotFound
from regtui.registry import Registry, open_registry
from tests.server.people import Person, invite, join
from tests.server.process import ServerProcess


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def ann(server_process: ServerProcess, tmp_path: Path) -> Person:
    """Eve, whose registry belongs to the server from its beginning."""
    return join(server_process, tmp_path / "eve-home", "eve", "maintainer")


def content(folder: Path, text: str) -> Path:
    file = folder / f"{text}.bin"
    file.write_text(text)
    return file


@pytest.fixture
def solo(tmp_path: Path) -> Registry:
    """A registry with a history of its own."""
    registry = open_registry(tmp_path / "solo")
    for text in ("one", "two"):
        registry.capture(
            content(tmp_path, text), model="nlp/bert", metrics={"f1": 0.9}, tags={"by": text}
        )
    registry.edit("nlp/bert@1", {"description": "the first", "metrics/f1": 0.8})
    registry.set_alias("nlp/bert@1", "champion")
    registry.set_alias("nlp/bert@2", "champion")
    registry.add_comment("nlp/bert@1", "good enough")
    registry.put_dataset("squad", {"uri": "s3://squad"})
    registry.undo()
    registry.put_dataset("squad2", {"uri": "s3://squad2"})
    registry.change_state("version", "nlp/bert@1", "archive")
    return registry


def invited(
    server: ServerProcess, registry: Registry, name: str, role: str = "maintainer"
) -> Registry:
    token = invite(server, name, role)
    registry.add_remote(server.url)
    assert registry.login(token).state == "not published"
    return registry


def twin(registry: Registry, folder: Path) -> Registry:
    """Return another home of a registry, which goes on by itself."""
    other = open_registry(folder / "other")
    meet(other, registry, folder)
    return other


def meet(registry: Registry, other: Registry, folder: Path) -> None:
    """Take in by file what another home did."""
    file = folder / f"{uuid.uuid4()}.regtui"
    other.export(None, file)
    registry.import_bundle(file)


def known(registry: Registry, reference: str) -> dict[str, object]:
    version = registry.version(reference)
    return {
        name: getattr(version, name)
        for name in ("digest", "metrics", "tags", "description", "state", "created", "aliases")
    }


def test_a_history_is_told_before_and_sent_whole(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    before = {number: known(solo, f"nlp/bert@{number}") for number in (1, 2)}
    invited(server_process, solo, "ben")
    assert solo.edit("nlp/bert@2", {"tags/late": "x"})  # it still decides for itself
    before[2] = known(solo, "nlp/bert@2")
    with pytest.raises(BadInput, match="history of its own"):
        solo.sync()
    planned = solo.publish(dry_run=True)
    assert [(m.name, m.exists, m.versions, m.renumbered) for m in planned.models] == [
        ("nlp/bert", False, 2, [])
    ]
    assert (planned.refused, planned.conflicts, planned.published) == ([], 0, False)
    assert solo.remote().state == "not published"
    assert solo.publish().published
    assert list((solo.home / "backups").glob("solo-*.duckdb"))
    done = solo.sync()
    assert (done.accepted, done.rejected, done.pending) == (planned.operations, 0, 0)
    assert done.sent_files == 2
    ann.registry.sync()
    for number in (1, 2):
        for registry in (solo, ann.registry):
            assert known(registry, f"nlp/bert@{number}") == before[number]
        assert ann.registry.version(f"nlp/bert@{number}").author == "ben"
    assert [one.number for one in ann.registry.holders("nlp/bert@champion")] == [2, 1]
    assert [one.text for one in ann.registry.comments("nlp/bert@1")] == ["good enough"]
    assert [one.dataset for one in ann.registry.datasets()] == ["squad2"]
    ann.registry.checkout("nlp/bert@2", tmp_path / "out")
    assert solo.verify_history().ok
    assert solo.verify().damaged == []
    solo.edit("nlp/bert@2", {"tags/late": "y"})
    solo.undo()
    assert solo.sync().rejected == 0
    assert solo.version("nlp/bert@2").tags["late"] == "x"


def test_what_is_refused_stays_and_goes_when_it_may(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    solo.capture(content(tmp_path, "hidden"), model="cv/mine", tags={"by": "hand"})
    token = invite(server_process, "ben", "maintainer", "nlp/*")
    solo.add_remote(server_process.url)
    solo.login(token)
    made = solo.publish()
    assert {one.model for one in made.refused} >= {"cv/mine"}
    refused = [one for one in solo.outbox() if one.state == "refused"]
    assert [one.id for one in refused] != []
    assert len(refused) == len(made.refused)
    solo.sync()
    assert [one.model for one in solo.models()] == ["nlp/bert"]
    assert solo.doctor().healthy
    solo.gc(grace=0)  # its files are needed

    with server_process.client() as client:
        grant = {"holder": "ben", "role": "maintainer", "scope": "*"}
        client.post(server_process.path("grants"), json=grant).raise_for_status()
    solo.sync()
    solo.retry()
    done = solo.sync()
    assert (done.rejected, done.sent_files) == (0, 1)
    ann.registry.sync()
    assert ann.registry.version("cv/mine@1").tags == {"by": "hand"}
    ann.registry.checkout("cv/mine@1", tmp_path / "theirs")
    assert solo.outbox() == []


def test_numbers_that_change_stay_as_tags_and_what_differs_becomes_a_conflict(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    for text in ("zero", "two"):
        ann.registry.capture(content(tmp_path, text), model="nlp/bert", tags={"by": "eve"})
    ann.registry.sync()
    ann.registry.set_alias("nlp/bert@2", "champion")
    ann.registry.edit("nlp/bert@2", {"description": "eve's"})
    ann.registry.sync()
    solo.edit("nlp/bert@2", {"description": "ben's"})
    invited(server_process, solo, "ben")
    (model,) = solo.publish(dry_run=True).models
    assert (model.exists, model.versions, model.known) == (True, 2, 1)
    assert [(one.old, one.new) for one in model.renumbered] == [(1, 3)]
    solo.publish()
    done = solo.sync()
    assert (done.rejected, done.pending) == (0, 0)
    ann.registry.sync()
    assert solo.version("nlp/bert@3").tags == {"by": "one", "solo-number": "1"}
    versions = ann.registry.versions("tag.solo-number=1 state:any").versions
    assert [version.number for version in versions] == [3]
    assert solo.version("nlp/bert@2").metrics == {"f1": 0.9}
    for registry in (ann.registry, solo):
        (conflict,) = registry.conflicts()
        assert conflict.field == "description"
        assert registry.version("nlp/bert@2").description == "eve's"
    assert ann.registry.version("nlp/bert@champion").number == 2


@pytest.mark.slow
def test_who_may_change_nothing_publishes_nothing(
    server_process: ServerProcess, solo: Registry
) -> None:
    invited(server_process, solo, "ben", "viewer")
    assert solo.publish(dry_run=True).operations == 0
    with pytest.raises(Denied, match="may publish nothing"):
        solo.publish()
    assert solo.version("nlp/bert@2").number == 2
    assert solo.remote().state == "not published"


@pytest.mark.slow
def test_a_publication_leaves_no_replica_behind(
    server_process: ServerProcess, solo: Registry, tmp_path: Path
) -> None:
    invited(server_process, solo, "ben")
    keys = set((tmp_path / "config" / "keys").iterdir())
    solo.publish(dry_run=True)
    assert set((tmp_path / "config" / "keys").iterdir()) == keys
    with server_process.client() as client:
        replicas = client.get(server_process.path("replicas")).json()["replicas"]
    assert [one["state"] for one in replicas if one["user"] == "ben"] == ["revoked"]
    assert [one.name for one in (solo.home / "tmp").iterdir()] == ["lock"]


def test_only_a_history_of_ones_own_is_published(ann: Person, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="belongs to its remote"):
        ann.registry.publish()
    with pytest.raises(BadInput, match="nothing to publish"):
        open_registry(tmp_path / "empty").publish()
    lonely = open_registry(tmp_path / "lonely")
    lonely.create_model("m")
    with pytest.raises(NotFound, match="no remote"):
        lonely.publish()


@pytest.mark.slow
def test_a_killed_publication_changes_nothing(
    server_process: ServerProcess, solo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited(server_process, solo, "ben")
    before = known(solo, "nlp/bert@1")

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("regtui.registry.publishing.adopt", killed)
        with pytest.raises(KeyboardInterrupt):
            solo.publish()
    again = open_registry(solo.home)
    assert known(again, "nlp/bert@1") == before
    again.publish()
    assert again.sync().rejected == 0


def test_what_was_decided_by_rules_is_published_as_it_ended(
    server_process: ServerProcess, ann: Person, solo: Registry
) -> None:
    solo.put_policies([{"name": "prod", "models": "*", "alias": "production", "checks": ["smoke"]}])
    solo.put_check("smoke", "*", {"run": "true"})
    asked = solo.request_promotion("nlp/bert@2", "production")
    assert solo.report_check("nlp/bert@2", "smoke", "passed").counts
    assert solo.promotion(asked.request).state == "applied"
    invited(server_process, solo, "ben")
    assert solo.publish().refused == []
    assert solo.sync().rejected == 0
    ann.registry.sync()
    assert ann.registry.promotion(asked.request).state == "applied"
    assert ann.registry.version("nlp/bert@production").number == 2
    assert [one.outcome for one in ann.registry.check_runs("nlp/bert@2")] == ["passed"]
    assert ann.registry.policies() == []
    assert (solo.check("smoke").trusted, ann.registry.check("smoke").trusted) == (True, False)


def test_a_promotion_that_the_policies_there_forbid_is_told(
    server_process: ServerProcess, ann: Person, solo: Registry
) -> None:
    ann.registry.put_policies(
        [{"name": "prod", "models": "*", "alias": "production", "approvals": 1}]
    )
    asked = solo.request_promotion("nlp/bert@2", "production")
    assert asked.state == "applied"
    invited(server_process, solo, "ben")
    told = [(one.kind, one.code) for one in solo.publish(dry_run=True).refused]
    assert told == [("promotion.apply", "blocked")]
    assert [(one.kind, one.code) for one in solo.publish().refused] == told
    solo.sync()
    assert solo.promotion(asked.request).state == "open"


def test_deployments_are_published_with_what_ended_them(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    solo.change_state("version", "nlp/bert@1", "restore")
    solo.put_environment("prod", {})
    for version in (1, 2):
        solo.deploy(f"nlp/bert@{version}", "prod")
    other, _ = solo.deploy("nlp/bert@2", "prod", target="eu")
    assert other is not None
    solo.transition(other.deployment, "stopped")
    solo.roll_back("nlp/bert", "prod")
    before = {one.id: one.state for one in solo.deployments(ended=True)}
    assert sorted(before.values()) == ["live", "rolled_back", "stopped", "stopped"]
    invited(server_process, solo, "ida", "admin")
    assert solo.publish().refused == []
    solo.sync()
    assert {one.id: one.state for one in solo.deployments(ended=True)} == before
    with pytest.raises(BadInput, match="not here as a whole"):
        solo.export(None, tmp_path / "registry.bundle")


def test_what_was_captured_in_two_places_is_published_with_its_files(
    server_process: ServerProcess, ann: Person, tmp_path: Path
) -> None:
    registry = open_registry(tmp_path / "twice")
    for folder in ("A", "B"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "w.bin").write_text("the same")
        registry.capture(tmp_path / folder / "w.bin", model="nlp/twice")
    registry.edit("nlp/twice@1", {"description": "in two places"})
    invited(server_process, registry, "ben")
    assert registry.publish().refused == []
    assert registry.sync().rejected == 0
    ann.registry.sync()
    assert ann.registry.pull(["nlp/twice@1"]).files == 1


def test_what_was_done_beside_each_other_is_published_as_it_stands(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    """Two homes that met by file: what conflicted stays so, what was settled stays settled."""
    for text in ("three", "four", "five"):
        solo.capture(content(tmp_path, text), model="nlp/bert")
    other = twin(solo, tmp_path)
    for registry, own, alias in ((other, "theirs", 3), (solo, "ours", 2)):
        registry.edit("nlp/bert@2", {"description": own, "tags/who": own})
        registry.edit("nlp/bert@3", {"description": own})
        registry.set_alias(f"nlp/bert@{alias}", "production")
    other.change_state("version", "nlp/bert@4", "delete")
    solo.edit("nlp/bert@4", {"tags/kept": "yes"})
    meet(solo, other, tmp_path)
    conflicts = {(one.field, one.alias or one.number): one for one in solo.conflicts()}
    assert len(conflicts) == 4, conflicts
    moved = conflicts["version", "production"]
    solo.resolve(moved.id, "candidate", candidate=str(moved.candidates[0].id))
    solo.resolve(conflicts["description", 3].id, "accepted")

    def stands(registry: Registry) -> dict[str, object]:
        return {
            "aliases": {one.alias: one.version_id for one in registry.aliases()},
            "versions": {
                one.short_id: known(registry, one.short_id)
                for one in registry.versions("state:any").versions
            },
            "open": sorted(
                (one.field, str(one.accepted.value), *(str(o.value) for o in one.candidates))
                for one in registry.conflicts()
            ),
        }

    before = stands(solo)
    invited(server_process, solo, "ben")
    published = solo.publish()
    assert (published.refused, published.conflicts) == ([], 2)
    assert stands(solo) == before
    assert solo.sync().rejected == 0
    assert stands(solo) == before
    ann.registry.sync()
    assert stands(ann.registry) == before


def test_what_was_deleted_by_who_had_seen_the_others_work_stays_so(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    for text in ("three", "four"):
        solo.capture(content(tmp_path, text), model="nlp/bert")
    other = twin(solo, tmp_path)
    other.change_state("version", "nlp/bert@4", "delete")
    other.edit("nlp/bert@3", {"tags/who": "other"})
    meet(solo, other, tmp_path)
    solo.change_state("version", "nlp/bert@3", "delete")
    before = {one.short_id: one.state for one in solo.versions("state:any").versions}
    invited(server_process, solo, "ben")
    published = solo.publish()
    assert (published.refused, published.conflicts) == ([], 0)
    solo.sync()
    ann.registry.sync()
    for registry in (solo, ann.registry):
        found = registry.versions("state:any").versions
        assert {one.short_id: one.state for one in found} == before


def test_what_a_server_decides_for_takes_in_no_registry(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    """Whoever reads the registry knows its id, and could make up a bundle that bears it."""
    solo.export(None, tmp_path / "all.regtui")
    invited(server_process, solo, "ben")
    solo.publish()
    solo.sync()
    before = solo.sql("select seq, bytes from base.operation order by all").rows
    with pytest.raises(BadInput, match="a server decides"):
        solo.import_bundle(tmp_path / "all.regtui")
    with pytest.raises(BadInput, match="a server decides"):
        ann.registry.import_bundle(tmp_path / "all.regtui", dry_run=True)
    assert solo.sql("select seq, bytes from base.operation order by all").rows == before


def test_a_conflict_that_ended_in_another_home_is_published_as_what_it_led_to(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    """Both moved an alias to one version; one of them moved on, met the other, and took that."""
    for text in ("three", "four"):
        solo.capture(content(tmp_path, text), model="nlp/bert")
    solo.set_alias("nlp/bert@2", "production")
    other = twin(solo, tmp_path)
    for registry, numbers in ((solo, (3,)), (other, (3, 4))):
        for number in numbers:
            registry.set_alias(f"nlp/bert@{number}", "production")
    meet(other, solo, tmp_path)
    (conflict,) = other.conflicts()
    other.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    meet(solo, other, tmp_path)
    assert (solo.conflicts(), solo.version("nlp/bert@production").number) == ([], 3)
    invited(server_process, solo, "ben")
    published = solo.publish()
    assert (published.refused, published.conflicts) == ([], 0)
    solo.sync()
    ann.registry.sync()
    for registry in (solo, ann.registry):
        assert registry.version("nlp/bert@production").number == 3


def test_moves_after_a_promotion_in_another_home_are_published_in_their_order(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    solo.capture(content(tmp_path, "three"), model="nlp/bert")
    solo.request_promotion("nlp/bert@2", "production")
    solo.set_alias("nlp/bert@3", "production")
    solo.request_promotion("nlp/bert@3", "champion")
    solo.request_promotion("nlp/bert@2", "champion")
    other = twin(solo, tmp_path)
    before = {one.alias: one.number for one in other.aliases()}
    invited(server_process, other, "ben")
    published = other.publish()
    assert (published.refused, published.conflicts) == ([], 0)
    other.sync()
    ann.registry.sync()
    for registry in (other, ann.registry):
        assert {one.alias: one.number for one in registry.aliases()} == before
        assert registry.conflicts() == []


def test_what_was_captured_again_has_the_number_that_it_had(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    for text in ("one", "three", "two"):
        solo.capture(content(tmp_path, text), model="nlp/bert", tags={"again": "yes"})
    invited(server_process, solo, "ben")
    (model,) = solo.publish().models
    assert (model.versions, model.renumbered) == (3, [])
    solo.sync()
    ann.registry.sync()
    found = ann.registry.versions("state:any").versions
    assert {one.number: one.tags.get("solo-number") for one in found} == {1: None, 2: None, 3: None}


@pytest.mark.parametrize("what", ["alias", "description"])
def test_a_conflict_that_ended_by_giving_in_stays_ended(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path, what: str
) -> None:
    """One home takes the value of the other one, which publishes."""
    solo.capture(content(tmp_path, "three"), model="nlp/bert")
    other = twin(solo, tmp_path)
    if what == "alias":
        other.set_alias("nlp/bert@3", "production")
        solo.set_alias("nlp/bert@2", "production")
    else:
        other.edit("nlp/bert", {"description": "other"})
        solo.edit("nlp/bert", {"description": "solo"})
    meet(solo, other, tmp_path)
    (found,) = solo.conflicts()
    solo.resolve(found.id, "candidate", candidate=str(found.candidates[0].id))
    meet(other, solo, tmp_path)
    assert solo.conflicts() == other.conflicts() == []
    invited(server_process, other, "ben")
    made = other.publish()
    assert (made.conflicts, made.refused, made.left_out) == (0, [], 0)
    other.sync()
    ann.registry.sync()
    assert other.conflicts() == ann.registry.conflicts() == []
    if what == "alias":
        assert ann.registry.version("nlp/bert@production").number == 3
    else:
        assert ann.registry.model("nlp/bert").description == "other"


def test_the_state_of_a_comment_is_published_as_a_conflict_left_it(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    comment = solo.add_comment("nlp/bert@2", "fine").id
    other = twin(solo, tmp_path)
    other.withdraw_comment(comment)
    other.undo()
    solo.withdraw_comment(comment)
    meet(other, solo, tmp_path)
    (found,) = other.conflicts()
    other.resolve(found.id, "candidate", candidate=str(found.candidates[0].id))
    invited(server_process, solo, "ben")
    solo.publish()
    solo.sync()
    solo.undo()
    solo.sync()
    invited(server_process, other, "carl")
    made = other.publish()
    # What is there already, by the other home, is told; nothing breaks off.
    assert {one.code for one in made.refused} <= {"no_change", "denied"}
    assert made.published


def test_what_a_home_deleted_stays_where_others_have_it(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    solo.capture(content(tmp_path, "three"), model="nlp/bert")
    solo.change_state("version", "nlp/bert@3", "delete")
    solo.capture(content(tmp_path, "four"), model="nlp/t5")
    solo.change_state("model", "nlp/t5", "delete")
    ann.registry.capture(content(tmp_path, "three"), model="nlp/bert", tags={"owner": "eve"})
    ann.registry.capture(content(tmp_path, "five"), model="nlp/t5")
    ann.registry.sync()
    invited(server_process, solo, "ben")
    made = solo.publish()
    assert (made.conflicts, made.refused) == (2, [])
    solo.sync()
    ann.registry.sync()
    assert ann.registry.version("nlp/bert@1").tags["owner"] == "eve"
    assert ann.registry.model("nlp/t5").state == "active"
    assert {one.field for one in ann.registry.conflicts()} == {"state"}


@pytest.mark.parametrize("ended", [False, True], ids=["live", "stopped"])
def test_what_is_live_at_the_server_is_ended_by_no_publication(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path, ended: bool
) -> None:
    solo.put_environment("production", {"kind": "production"})
    solo.deploy("nlp/bert@2", "production")
    if ended:
        (running,) = solo.deployments()
        solo.transition(running.deployment, "stopped")
    ann.registry.capture(content(tmp_path, "three"), model="nlp/bert")
    ann.registry.put_environment("production", {"kind": "production"})
    ann.registry.sync()
    ann.registry.deploy("nlp/bert@1", "production")
    ann.registry.sync()
    invited(server_process, solo, "ben")
    made = solo.publish()
    told = [(one.kind, one.code) for one in made.refused]
    kinds = ["deployment.record", "deployment.transition"][: 1 + ended]
    assert told == [(kind, "in_use") for kind in kinds]
    solo.sync()
    ann.registry.sync()
    there = {(one.number, one.state) for one in ann.registry.deployments(ended=True)}
    assert there == {(1, "live")}


def test_a_promotion_of_the_home_moves_nothing_that_somebody_put_there(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    for version in (2, 3):
        solo.capture(content(tmp_path, f"v{version}"), model="nlp/bert")
        assert solo.request_promotion(f"nlp/bert@{version}", "production").state == "applied"
    ann.registry.capture(content(tmp_path, "theirs"), model="nlp/bert")
    ann.registry.sync()
    ann.registry.set_alias("nlp/bert@1", "production")
    ann.registry.sync()
    invited(server_process, solo, "ben")
    made = solo.publish()
    assert {(one.kind, one.code) for one in made.refused} == {
        ("promotion.apply", "changed_meanwhile")
    }
    solo.sync()
    ann.registry.sync()
    assert ann.registry.version("nlp/bert@production").number == 1
    assert [one.state for one in ann.registry.promotions()] == ["open", "open"]


def test_promotions_of_the_home_follow_one_another(
    server_process: ServerProcess, ann: Person, solo: Registry, tmp_path: Path
) -> None:
    solo.set_alias("nlp/bert@2", "production")
    for name in ("three", "four"):
        version = solo.capture(content(tmp_path, name), model="nlp/bert").version.short_id
        assert solo.request_promotion(version, "production").state == "applied"
    invited(server_process, solo, "ben")
    assert solo.publish().refused == []
    solo.sync()
    ann.registry.sync()
    assert ann.registry.version("nlp/bert@production").number == 4
