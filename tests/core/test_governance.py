"""Gates come after state and before anything takes effect."""

import pytest

from regtui.core import governance
from regtui.core.access import Actor
from regtui.core.governance import GateResult
from regtui.core.judgement import judge
from regtui.core.operations import Operation
from regtui.core.verdicts import Judged, Rejected
from regtui.core.view import View
from tests.core.registry_state import Authority, Replica


@pytest.fixture(params=[True, False, None])
def answer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool | None:
    """What the one gate of alias moves says."""

    def gate(operation: Operation, view: View, actor: Actor, now: int) -> GateResult:
        return GateResult("approvals", request.param, "1 of 2 approvals")

    monkeypatch.setitem(governance.GATES, "alias.set", (gate,))
    passed: bool | None = request.param
    return passed


def test_only_a_gate_that_fails_blocks(
    authority: Authority, ann: Replica, model: str, version: str, answer: bool | None
) -> None:
    operation = ann.point(model, "champion", version)
    judged = judge(operation, authority.state, ann.actor, authority.now)
    blocked = isinstance(judged.verdict, Rejected) and judged.verdict.code == "blocked"
    assert blocked == (answer is False)


def test_a_blocked_operation_has_no_effect(
    authority: Authority, ann: Replica, model: str, version: str, answer: bool | None
) -> None:
    operation = ann.point(model, "champion", version)
    judged = judge(operation, authority.state, ann.actor, authority.now)
    assert (judged == Judged(judged.verdict)) == (answer is False)


def test_state_is_judged_before_gates(
    authority: Authority, ann: Replica, model: str, answer: bool | None
) -> None:
    operation = ann.point(model, "champion", "no such version")
    verdict = judge(operation, authority.state, ann.actor, authority.now).verdict
    assert isinstance(verdict, Rejected)
    assert verdict.code == "not_found"


def test_other_kinds_have_no_gates(ann: Replica, model: str, answer: bool | None) -> None:
    ann.edit(model, {"description": "x"})
    assert not isinstance(ann.sync()[0], Rejected)
