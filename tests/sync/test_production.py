"""Production over a real server: what policies govern is decided there, and nowhere else."""

import contextlib
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from regtui.cli.promotion_text import request_text
from regtui.core.access import Grant, Role
from regtui.core.errors import BadInput, Blocked, Denied, NotFound, RegtuiError
from regtui.core.operations import Operation, UnknownKind, decode_operation
from regtui.registry import deciding, policies
from sync_server.database import Database
from tests.sync.world import Person, World, signed_in

POLICY = {
    "name": "prod",
    "models": "nlp/*",
    "alias": "production",
    "approvals": 1,
    "rollback": "free",
}


def weights(folder: Path, content: str) -> Path:
    file = folder / f"{content}.bin"
    file.write_text(content)
    return file


@pytest.fixture
def model(ann: Person, ben: Person, tmp_path: Path) -> str:
    """A model with two versions; production points to the first one."""
    for content in ("one", "two"):
        ann.registry.capture(weights(tmp_path, content), model="nlp/bert")
    ann.sync()
    ann.registry.set_alias("nlp/bert@1", "production")
    ann.sync()
    ben.sync()
    return "nlp/bert"


@pytest.fixture
def policed(ann: Person, ben: Person, model: str) -> str:
    """The same, under a policy."""
    put_policies(ann, [POLICY])
    ben.sync()
    return model


def put_policies(person: Person, tables: list[dict[str, Any]]) -> None:
    """Put policies as the command does, without its network."""
    context = person.registry.context
    wanted = [policies.read_policy(table) for table in tables]
    _, waiting = policies.submit_policies(context, wanted)
    person.sync()
    refused = deciding.refusal_of(context, waiting)
    if refused is not None:
        person.registry.discard(None)
        raise refused


def at(person: Person) -> int | None:
    return person.registry.version("nlp/bert@production").number


def test_a_policy_is_changed_by_the_server_alone(ann: Person, ben: Person, policed: str) -> None:
    (policy,) = ben.registry.policies()
    assert (policy.policy, policy.target, policy.author) == ("prod", "production", "ann")


def test_an_approved_request_moves_the_alias_for_everybody(
    ann: Person, ben: Person, policed: str
) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production", reason="better")
    assert [gate.passed for gate in asked.gates] == [True, True, False]
    ann.sync()
    ben.sync()
    (seen,) = ben.registry.promotions(mine=True)
    said = ben.registry.review(seen.request, "approve", "fine")
    assert said.reviews[0].author == "ben"
    ben.sync()
    ann.sync()
    assert (at(ann), at(ben)) == (2, 2)
    found = ann.registry.promotion(asked.request)
    assert found.state == "applied"
    assert {gate.gate: gate.reason for gate in found.gates}["approvals"] == "1 of 1 approval"
    assert ann.documents == ben.documents


def test_what_is_governed_is_requested_offline_and_done_in_one_sync(
    ann: Person, ben: Person, policed: str
) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production", auto=False)
    ann.sync()
    ben.sync()
    ben.registry.review(asked.request, "approve")
    answer, outcome = ben.registry.apply_promotion(asked.request)
    assert outcome.requested
    assert answer.requested
    assert at(ben) == 1
    with pytest.raises(BadInput, match="is to be applied already"):
        ben.registry.apply_promotion(asked.request)
    (alias,) = ben.registry.aliases()
    assert (alias.protected, alias.requested) == (True, "nlp/bert@2")
    ben.sync()
    ann.sync()
    assert (at(ann), at(ben)) == (2, 2)
    back = ann.registry.revert("nlp/bert@production")
    assert (back.requested, back.changed, at(ann)) == (True, False, 2)
    assert ann.registry.aliases()[0].requested == "nlp/bert@1"
    ann.sync()
    assert ann.registry.aliases()[0].requested is None
    assert at(ann) == 1


def test_an_edit_by_somebody_else_moves_what_waits_for_it(
    ann: Person, ben: Person, model: str
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0, "metadata": ["tags.owner"]}])
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    ann.sync()
    ben.sync()
    ben.registry.edit("nlp/bert@2", {"tags/owner": "ben"})
    assert at(ben) == 1
    ben.sync()
    ann.sync()
    assert (at(ann), at(ben)) == (2, 2)
    assert ann.registry.promotion(asked.request).state == "applied"
    assert ann.documents == ben.documents


def test_a_request_that_passes_since_a_policy_changed_is_applied_when_made_again(
    ann: Person, policed: str
) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    ann.sync()
    put_policies(ann, [{**POLICY, "approvals": 0}])
    again = ann.registry.request_promotion("nlp/bert@2", "production")
    assert (again.request, again.requested, at(ann)) == (asked.request, True, 1)
    ann.sync()
    assert at(ann) == 2


def test_a_contributor_can_not_move_what_is_protected(
    world: World, ann: Person, policed: str
) -> None:
    world.grant("carl", "contributor", "*")
    carl = signed_in(world, "carl")
    carl.sync()
    with pytest.raises(Blocked, match="it needs a maintainer"):
        carl.registry.set_alias("nlp/bert@2", "production")
    with pytest.raises(Denied):
        put_policies(carl, [{**POLICY, "approvals": 0}])
    assert carl.registry.outbox() == []


def test_a_policy_of_a_scope_that_is_not_seen_is_not_seen(world: World, ann: Person) -> None:
    world.grant("eve", "maintainer", "cv/*")
    put_policies(ann, [POLICY, {"name": "all", "models": "*", "alias": "champion"}])
    eve = signed_in(world, "eve")
    eve.sync()
    assert [one.policy for one in eve.registry.policies()] == ["all"]
    with pytest.raises(Denied):
        put_policies(eve, [{"name": "all", "models": "*", "alias": "champion", "approvals": 9}])


def test_without_the_server_a_policy_is_not_changed(
    world: World, ann: Person, policed: str
) -> None:
    with pytest.raises(NotFound, match="only the server decides this"):
        ann.registry.put_policies([{**POLICY, "approvals": 0}])
    assert ann.registry.outbox() == []
    assert ann.registry.policy("prod").definition["approvals"] == 1


def test_a_policy_that_can_not_be_sent_does_not_wait(
    ann: Person, policed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise RegtuiError("the disk is full")

    monkeypatch.setattr(policies, "require_server", lambda _: None)
    monkeypatch.setattr("regtui.registry.syncing.sync", full)
    with pytest.raises(RegtuiError, match="only the server decides this, and the disk is full"):
        ann.registry.put_policies([{**POLICY, "approvals": 0}])
    assert ann.registry.outbox() == []


def test_a_server_that_is_too_old_for_policies_is_told(
    ann: Person, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def older(data: bytes) -> Operation:
        if b'"policy.put"' in data:
            raise UnknownKind("policy.put")
        return decode_operation(data)

    monkeypatch.setattr(policies, "require_server", lambda _: None)
    monkeypatch.setattr("regtui.registry.syncing.sync", lambda *_, **__: ann.sync())
    monkeypatch.setattr("sync_server.authority.decode_operation", older)
    monkeypatch.setattr("sync_server.view.decode_operation", older)
    with pytest.raises(BadInput, match=r"the server is too old for policy\.put"):
        ann.registry.put_policies([POLICY, {**POLICY, "name": "more"}])
    assert ann.registry.outbox() == []


def test_what_was_decided_comes_back_after_a_restore_without_being_asked_again(
    world: World, ann: Person, ben: Person, policed: str
) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    ann.sync()
    ben.sync()
    before = world.folder / "before.sqlite"
    with (
        contextlib.closing(sqlite3.connect(world.folder / "server.sqlite")) as source,
        contextlib.closing(sqlite3.connect(before)) as target,
    ):
        source.backup(target)
    ben.registry.review(asked.request, "approve")
    ben.sync()
    ann.sync()
    assert (at(ann), at(ben)) == (2, 2)
    world.database.close()
    for end in ("-wal", "-shm"):
        (world.folder / f"server.sqlite{end}").unlink(missing_ok=True)
    shutil.copyfile(before, world.folder / "server.sqlite")
    world.database = Database(world.url)
    world.server = world.open_server()
    put_policies(ann, [{**POLICY, "approvals": 2}])
    for _ in range(3):
        ann.sync()
        ben.sync()
    assert (at(ann), at(ben)) == (2, 2)
    assert ben.registry.promotion(asked.request).state == "applied"
    assert ann.documents == ben.documents


def test_what_is_only_requested_is_taken_back_before_it_is_sent(
    ann: Person, ben: Person, model: str
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0, "complete": True}])
    ann.registry.edit("nlp/bert@1", {"description": "kept"})
    assert ann.registry.move_alias("nlp/bert@2", "production")[1].requested
    undone = ann.registry.undo()
    assert [one.kind for one in undone.undone] == ["alias.set"]
    assert (undone.requested, undone.lines) == (False, ["let go: set production to @2"])
    assert [one.kind for one in ann.registry.outbox()] == ["version.edit"]
    assert ann.registry.aliases()[0].requested is None
    assert ann.registry.version("nlp/bert@1").description == "kept"
    ann.sync()
    assert at(ann) == 1


def test_a_request_past_the_gates_is_taken_back_as_a_whole(
    world: World, ann: Person, policed: str
) -> None:
    world.grant("ann", "admin", "*")
    ann.sync()
    put_policies(ann, [{**POLICY, "break_glass": True}])
    asked = ann.registry.request_promotion("nlp/bert@2", "production", break_glass="it burns")
    assert asked.requested
    # What is asked for is told, and not the gates that it passes by.
    assert (asked.break_glass, asked.ready, asked.state) == ("it burns", True, "open")
    assert [one.gate for one in asked.gates] == ["maintainer", "no_conflict", "break_glass"]
    told = request_text(asked)
    assert "to be passed by an admin without its gates: it burns" in told
    assert "the server decides at the next `regtui sync`" in told
    with pytest.raises(BadInput, match="is to be applied already"):
        ann.registry.request_promotion("nlp/bert@2", "production", break_glass="it burns")
    ann.registry.undo()
    assert not ann.registry.promotion(asked.request).requested
    ann.sync()
    assert ann.registry.promotion(asked.request).state == "withdrawn"
    assert at(ann) == 1


def test_the_end_of_a_conflict_that_is_only_requested_is_told_at_its_alias(
    ann: Person, ben: Person, model: str, tmp_path: Path
) -> None:
    ann.registry.capture(weights(tmp_path, "three"), model=model)
    ann.sync()
    ben.sync()
    ann.registry.set_alias("nlp/bert@2", "production")
    ben.registry.set_alias("nlp/bert@3", "production")
    ann.sync()
    ben.sync()
    put_policies(ann, [{**POLICY, "approvals": 0, "complete": True}])
    (conflict,) = ann.registry.conflicts()
    ann.registry.resolve(conflict.id, "candidate", candidate=str(conflict.candidates[0].id))
    (alias,) = ann.registry.aliases()
    assert (alias.number, alias.requested) == (2, "nlp/bert@3")


def test_an_environment_where_somebody_deployed_meanwhile_stays(
    ann: Person, ben: Person, model: str
) -> None:
    ann.registry.put_environment("production", {})
    ann.sync()
    ben.sync()
    ann.registry.deploy("nlp/bert@1", "production")
    ann.sync()
    ben.registry.remove_environment("production")
    ben.sync()
    (refused,) = ben.registry.outbox()
    assert (refused.code, refused.reason) == ("in_use", "a deployment runs in production")
    assert [one.live for one in ben.registry.environments()] == [1]
    with pytest.raises(BadInput, match="a deployment runs in production"):
        ann.registry.remove_environment("production")


def test_what_waits_twice_for_one_target_leaves_one_live(ann: Person, model: str) -> None:
    ann.registry.put_environment("production", {})
    ann.sync()
    for version in ("nlp/bert@1", "nlp/bert@2"):
        assert ann.registry.deploy(version, "production", target="eu")[1].requested
    ann.registry.deploy("nlp/bert@1", "production", target="eu", beside=True)
    ann.sync()
    found = {one.version: one.state for one in ann.registry.deployments(ended=True)}
    states = sorted(one.state for one in ann.registry.deployments(ended=True))
    assert states == ["live", "live", "stopped"]
    assert found["nlp/bert@2"] == "live"


def test_a_request_that_moves_at_the_next_sync_says_so_and_is_not_applied_twice(
    ann: Person, model: str
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0}])
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    assert (asked.requested, asked.ready, at(ann)) == (True, True, 1)
    assert "(requested)" in request_text(asked)
    assert "it moves where all gates pass: the server decides at the next" in request_text(asked)
    assert "request apply" not in request_text(asked)
    assert ann.registry.aliases()[0].requested == "nlp/bert@2"
    for glass in (None, "an outage"):
        with pytest.raises(BadInput, match="moves by itself at the next sync"):
            ann.registry.apply_promotion(asked.request, break_glass=glass)
    assert [one.kind for one in ann.registry.outbox()] == ["promotion.request"]
    ann.sync()
    assert at(ann) == 2
    assert ann.registry.aliases()[0].requested is None
    assert ann.registry.outbox() == []


def test_what_a_gate_holds_up_is_not_said_to_move(ann: Person, policed: str) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    assert (asked.requested, ann.registry.aliases()[0].requested) == (False, None)
    put_policies(ann, [{**POLICY, "approvals": 0}])
    by_hand = ann.registry.request_promotion("nlp/bert@1", "next", auto=False)
    assert not by_hand.requested


def test_a_review_that_may_move_a_request_is_not_followed_by_an_order_to(
    ann: Person, ben: Person, policed: str
) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    ann.sync()
    ben.sync()
    said = ben.registry.review(asked.request, "approve")
    assert said.requested
    with pytest.raises(BadInput, match="moves by itself at the next sync"):
        ben.registry.apply_promotion(asked.request)
    ben.sync()
    assert at(ben) == 2
    assert ben.registry.outbox() == []


def test_undo_and_redo_of_what_is_protected_are_requested_and_say_so(
    ann: Person, model: str
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0}])
    ann.registry.move_alias("nlp/bert@2", "production")
    ann.sync()
    assert at(ann) == 2
    assert ann.registry.edit("nlp/bert@1", {"description": "kept"})
    plain = ann.registry.undo()
    assert (plain.requested, plain.lines) == (False, [plain.operations[0].summary])
    end = "; the server decides at the next `regtui sync`"
    for take_back, verb, before, after in (
        (ann.registry.undo, "undo", 2, 1),
        (ann.registry.redo, "redo", 1, 2),
    ):
        answer = take_back()
        assert (answer.requested, at(ann)) == (True, before)
        (line,) = answer.lines
        assert line.startswith(f"requested: {verb} #")
        assert line.endswith(end)
        ann.sync()
        assert at(ann) == after


def test_the_server_moves_a_request_when_its_version_is_back(
    ann: Person, ben: Person, policed: str
) -> None:
    asked = ann.registry.request_promotion("nlp/bert@2", "production")
    ann.registry.change_state("version", "nlp/bert@2", "archive")
    ann.sync()
    ben.sync()
    ben.registry.review(asked.request, "approve")
    ben.sync()
    ann.sync()
    assert (at(ann), ann.registry.promotion(asked.request).version_state) == (1, "archived")
    ann.registry.change_state("version", "nlp/bert@2", "restore")
    assert ann.registry.promotion(asked.request).requested
    ann.sync()
    assert at(ann) == 2


def test_the_gates_of_a_request_ask_what_its_author_may_do(
    world: World, ann: Person, ben: Person, policed: str
) -> None:
    world.grant("carl", "contributor", "*")
    world.grant("max", "approver", "*")
    carl, max_ = signed_in(world, "carl"), signed_in(world, "max")
    anns = ann.registry.request_promotion("nlp/bert@2", "production")
    ann.sync()
    for one in (carl, max_, ben):
        one.sync()
    seen = max_.registry.promotion(anns.request)
    gate = seen.gates[0]
    assert (gate.gate, gate.passed) == ("maintainer", None)
    assert gate.reason == (
        "the server knows whether who asked is a maintainer; a maintainer may apply it by hand"
    )
    ann.registry.withdraw_promotion(anns.request)
    ann.sync()
    carl.sync()
    carls = carl.registry.request_promotion("nlp/bert@2", "production")
    assert (carls.gates[0].passed, carls.requested) == (False, False)
    assert carls.gates[0].reason == (
        "carl is contributor, it needs a maintainer; a maintainer may apply it by hand"
    )
    carl.sync()
    max_.sync()
    max_.registry.review(carls.request, "approve")
    max_.sync()
    ben.sync()
    assert at(ben) == 1
    seen = ben.registry.promotion(carls.request)
    assert (seen.gates[0].passed, seen.ready, seen.requested) == (None, None, False)
    told = f"the server has to say the rest: `regtui request apply {seen.request}` asks it"
    assert told in request_text(seen)
    assert ben.registry.apply_promotion(carls.request)[1].requested
    ben.sync()
    assert at(ben) == 2


@pytest.mark.parametrize("approvals", [0, 1])
def test_a_request_moves_with_no_more_rights_than_the_token_that_made_it(
    world: World, ann: Person, ben: Person, model: str, approvals: int
) -> None:
    put_policies(ann, [{**POLICY, "approvals": approvals, "rollback": "gated"}])
    world.grant("ben", "maintainer", "*")
    ben.token = (Grant(Role.CONTRIBUTOR, "nlp/*"),)
    ben.sync()
    asked = ben.registry.request_promotion(f"{model}@2", "production")
    ben.sync()
    ann.sync()
    ann.registry.review(asked.request, "approve")
    ann.sync()
    ben.token = None
    ben.sync()
    assert (at(ann), ben.registry.promotion(asked.request).state) == (1, "open")
    told = {one.gate: one.passed for one in ann.registry.promotion(asked.request).gates}
    assert told["maintainer"] is not True
    ben.registry.apply_promotion(asked.request)
    ben.sync()
    assert at(ben) == 2


@pytest.mark.parametrize("target", ["champion", "production"])
def test_a_request_does_not_overwrite_a_move_that_its_author_did_not_see(
    ann: Person, ben: Person, model: str, target: str
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0, "rollback": "gated"}])
    ann.registry.set_alias(f"{model}@1", "champion")
    ann.sync()
    ben.sync()
    asked = ben.registry.request_promotion(model, target, remove=True)
    ann.registry.request_promotion(f"{model}@2", target)
    ann.sync()
    ben.sync()
    assert ben.registry.version(f"{model}@{target}").number == 2
    seen = ben.registry.promotion(asked.request)
    gate = next(one for one in seen.gates if one.gate == "unmoved")
    assert (seen.state, gate.passed) == ("open", False)
    assert gate.reason == f"somebody moved {target} meanwhile: approve it anew, or ask again"
    ben.registry.request_promotion(model, target, remove=True)
    ben.sync()
    assert ben.registry.promotion(asked.request).state == "applied"
    assert [one.alias for one in ben.registry.aliases() if one.alias == target] == []


def test_who_approves_has_seen_where_the_alias_stands(
    ann: Person, ben: Person, policed: str, tmp_path: Path
) -> None:
    ann.registry.capture(weights(tmp_path, "three"), model="nlp/bert")
    ann.sync()
    asked = [ann.registry.request_promotion(f"nlp/bert@{n}", "production") for n in (2, 3)]
    ann.sync()
    for one, number in zip(asked, (2, 3), strict=True):
        ben.sync()
        ben.registry.review(one.request, "approve")
        ben.sync()
        assert at(ben) == number


def test_what_is_applied_by_hand_moves_the_alias_from_where_it_was_seen(
    ann: Person, ben: Person, policed: str, tmp_path: Path
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0, "rollback": "gated"}])
    ann.registry.capture(weights(tmp_path, "three"), model="nlp/bert")
    ann.sync()
    ben.sync()
    by_hand = ben.registry.request_promotion("nlp/bert@2", "production", auto=False)
    ben.sync()
    ben.registry.apply_promotion(by_hand.request)
    ann.registry.request_promotion("nlp/bert@3", "production")
    ann.sync()
    ben.sync()
    (refused,) = ben.registry.outbox()
    assert (refused.code, refused.reason) == (
        "changed_meanwhile",
        "somebody moved production meanwhile",
    )
    assert at(ben) == 3
    ben.registry.discard(None)
    ben.registry.apply_promotion(by_hand.request)
    ben.sync()
    assert at(ben) == 2


def test_a_conflict_on_an_alias_that_nothing_protects_holds_up_requests(
    ann: Person, ben: Person, model: str, tmp_path: Path
) -> None:
    ann.registry.capture(weights(tmp_path, "three"), model=model)
    ann.sync()
    ben.sync()
    ann.registry.set_alias(f"{model}@2", "champion")
    ben.registry.set_alias(f"{model}@1", "champion")
    ann.sync()
    ben.sync()
    ann.sync()
    asked = ann.registry.request_promotion(f"{model}@3", "champion")
    ann.sync()
    seen = ann.registry.promotion(asked.request)
    assert (seen.state, [one.gate for one in seen.gates]) == ("open", ["no_conflict"])
    (conflict,) = ann.registry.conflicts()
    ann.registry.resolve(conflict.id, "accepted")
    ann.registry.request_promotion(f"{model}@3", "champion")
    ann.sync()
    assert ann.registry.version(f"{model}@champion").number == 3


def test_the_history_tells_which_request_a_change_set_off(
    ann: Person, ben: Person, model: str
) -> None:
    put_policies(ann, [{**POLICY, "approvals": 0, "metadata": ["tags.owner"]}])
    ben.sync()
    ann.registry.request_promotion(f"{model}@2", "production")
    ann.sync()
    ben.sync()
    ben.registry.edit(f"{model}@2", {"tags/owner": "ben"})
    ben.sync()
    assert at(ben) == 2
    told = ben.registry.log(f"{model}@production", limit=1).operations[0].summary
    assert told == "set tag.owner; that applied the request for production"
