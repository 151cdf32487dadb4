"""A team brings a version into production by its rules, at a real server, and goes back."""

from pathlib import Path

import pytest

from regtui.core.errors import BadInput, Blocked, Denied, NotFound, Unreachable
from regtui.registry import Registry
from tests.server.people import Person, join
from tests.server.process import ServerProcess

POLICIES = [
    {
        "name": "prod",
        "models": "nlp/*",
        "alias": "production",
        "approvals": 1,
        "four_eyes": True,
        "rollback": "free",
    },
    {"name": "live", "models": "nlp/*", "environment": "production", "complete": True},
]


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def mia(server_process: ServerProcess, tmp_path: Path) -> Person:
    """A maintainer, whose model has two versions and policies; production is at the first."""
    person = join(server_process, tmp_path / "mia", "mia", "maintainer")
    for text in ("one", "two"):
        file = tmp_path / f"{text}.bin"
        file.write_text(text)
        person.registry.capture(file, model="nlp/bert")
    person.registry.sync()  # they get their numbers
    person.registry.set_alias("nlp/bert@1", "production")
    person.registry.put_environment("production", {"kind": "production"})
    person.registry.sync()
    person.registry.put_policies(POLICIES)
    return person


@pytest.fixture
def ben(server_process: ServerProcess, mia: Person, tmp_path: Path) -> Person:
    """An approver."""
    person = join(server_process, tmp_path / "ben", "ben", "approver", "nlp/*")
    person.registry.sync()
    return person


def at(registry: Registry) -> int | None:
    return registry.version("nlp/bert@production").number


def test_a_request_that_is_approved_moves_production_and_one_sync_goes_back(
    mia: Person, ben: Person
) -> None:
    asked = mia.registry.request_promotion("nlp/bert@2", "production", reason="better")
    mia.registry.sync()
    ben.registry.sync()
    (waiting,) = ben.registry.promotions(mine=True)
    ben.registry.review(waiting.request, "approve", "looked at it")
    ben.registry.sync()
    mia.registry.sync()
    assert at(mia.registry) == 2
    applied = mia.registry.promotion(asked.request)
    assert [one.author for one in applied.reviews] == ["ben"]
    assert all(gate.passed for gate in applied.gates)
    assert mia.registry.revert("nlp/bert@production").requested
    assert at(mia.registry) == 2
    mia.registry.sync()
    ben.registry.sync()
    assert (at(mia.registry), at(ben.registry)) == (1, 1)


def test_nobody_moves_it_past_its_policies(mia: Person, ben: Person) -> None:
    with pytest.raises(Blocked, match="0 of 1 approval"):
        mia.registry.set_alias("nlp/bert@2", "production")
    with pytest.raises(Blocked, match="needs a maintainer"):
        ben.registry.set_alias("nlp/bert@2", "production")
    with pytest.raises(Denied):
        ben.registry.put_policies([{**POLICIES[0], "approvals": 0}])
    asked = mia.registry.request_promotion("nlp/bert@2", "production")
    mia.registry.review(asked.request, "approve")  # his own
    mia.registry.sync()
    assert at(mia.registry) == 1
    with pytest.raises(Blocked, match="by others than the authors"):
        mia.registry.apply_promotion(asked.request)


def test_a_governed_deployment_waits_for_the_server_and_for_its_files(
    mia: Person, tmp_path: Path
) -> None:
    deployed, outcome = mia.registry.deploy("nlp/bert@1", "production")
    assert deployed is None
    assert outcome.requested
    assert [gate.passed for gate in outcome.gates] == [True, None]
    mia.registry.sync()
    (live,) = mia.registry.deployments()
    assert (live.version, live.state, live.by) == ("nlp/bert@1", "live", "mia")
    (tmp_path / "late.bin").write_text("late")
    mia.registry.capture(tmp_path / "late.bin", model="nlp/bert")
    mia.registry.sync(artifacts="none")
    mia.registry.deploy("nlp/bert@3", "production")
    mia.registry.sync(artifacts="none")
    (refused,) = [one for one in mia.registry.outbox() if one.state == "refused"]
    assert refused.code == "blocked"
    assert "complete" in str(refused.reason)
    assert [one.version for one in mia.registry.deployments()] == ["nlp/bert@1"]


def test_policies_are_compared_with_those_of_the_server_and_not_with_a_copy(
    server_process: ServerProcess, mia: Person, tmp_path: Path
) -> None:
    zoe = join(server_process, tmp_path / "zoe", "zoe", "maintainer")
    zoe.registry.sync()
    zoe.registry.remove_policy("prod")
    put = mia.registry.put_policies(POLICIES)
    assert [(one.state, changed) for one, changed in put] == [("active", True), ("active", False)]
    zoe.registry.put_policies([{**POLICIES[0], "approvals": 2}])
    with pytest.raises(BadInput, match="somebody changed it meanwhile"):
        mia.registry.put_policies(POLICIES)
    assert mia.registry.policy("prod").definition["approvals"] == 2  # which he looks at now
    mia.registry.put_policies(POLICIES)
    zoe.registry.sync()
    assert zoe.registry.policy("prod").definition["approvals"] == 1
    zoe.registry.remove_policy("prod")
    with pytest.raises(NotFound):
        mia.registry.remove_policy("prod")


def test_an_environment_is_opened_as_it_is_at_the_server(
    server_process: ServerProcess, mia: Person, tmp_path: Path
) -> None:
    mia.registry.put_environment("production", {"protected": False})
    zoe = join(server_process, tmp_path / "zoe", "zoe", "maintainer")
    zoe.registry.sync()
    zoe.registry.put_environment("production", {"protected": True})
    zoe.registry.sync()
    _, changed = mia.registry.put_environment("production", {"protected": False})
    zoe.registry.sync()
    assert (changed, zoe.registry.environments()[0].protected) == (True, False)


def test_without_the_server_policies_stay_as_they_are(
    server_process: ServerProcess, mia: Person
) -> None:
    server_process.stop()
    with pytest.raises(Unreachable, match="only the server decides this"):
        mia.registry.put_policies([{**POLICIES[0], "approvals": 0}])
    with pytest.raises(Unreachable):
        mia.registry.remove_policy("prod")
    assert mia.registry.policy("prod").definition["approvals"] == 1
    assert mia.registry.outbox() == []
    assert not mia.registry.aliases()[0].requested


def test_a_step_of_a_deployment_that_waits_says_what_takes_its_place(mia: Person) -> None:
    mia.registry.put_environment("open", {"protected": False})
    mia.registry.deploy("nlp/bert@1", "open")
    mia.registry.sync()
    (live,) = mia.registry.deployments()
    mia.registry.transition(live.deployment, "stopped")
    with pytest.raises(BadInput, match="it waits to be sent, and nothing takes it back"):
        mia.registry.undo()
