"""Checks over a real server: who tells what counts, and whose commands run where."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.core.errors import Denied
from tests.sync.world import Person, World, signed_in

SMOKE = {"run": "true", "on": ["capture"]}


@pytest.fixture
def model(ann: Person, tmp_path: Path) -> str:
    """A model with a version, and a check of ann's for it."""
    (tmp_path / "weights.bin").write_text("weights")
    ann.registry.capture(tmp_path / "weights.bin", model="nlp/bert")
    ann.registry.put_check("smoke", "nlp/*", {"builtin": "card-complete", "on": ["capture"]})
    ann.registry.edit("nlp/bert", {"card": "# Bert\n"})
    ann.sync()
    return "nlp/bert"


@pytest.fixture
def runner(world: World, model: str) -> Iterator[Person]:
    """A machine that runs the checks of others."""
    world.grant("ci", "viewer", "nlp/*")
    world.grant("ci", "reporter", "*")
    made = signed_in(world, "ci")
    made.sync()
    yield made
    made.replica.close()


def test_what_a_reporter_runs_counts_for_everybody(ann: Person, runner: Person, model: str) -> None:
    (run,) = runner.registry.run_pending_checks().runs
    assert (run.outcome, run.counts, run.pending) == ("passed", True, True)
    runner.sync()
    ann.sync()
    (seen,) = ann.registry.check_runs("nlp/bert@1")
    assert (seen.id, seen.counts, seen.author, seen.pending) == (run.id, True, "ci", False)
    assert ann.registry.check_log("nlp/bert@1", "smoke")[1] == "the card has a text\n"
    assert runner.registry.pending_checks() == []


def test_what_others_run_does_not_count_and_waits_still_for_a_reporter(
    ben: Person, runner: Person, model: str
) -> None:
    ben.sync()
    (run,) = ben.registry.run_checks("nlp/bert@1").runs
    assert not run.counts
    assert ben.registry.pending_checks() == []
    ben.sync()
    runner.sync()
    assert [one.check for one in runner.registry.pending_checks()] == ["smoke"]


def test_a_command_that_came_by_sync_runs_once_it_is_trusted_as_it_is(
    ann: Person, ben: Person, runner: Person, model: str
) -> None:
    ann.registry.put_check("smoke", "nlp/*", SMOKE)
    ann.sync()
    runner.sync()
    assert [one.trusted for one in runner.registry.pending_checks()] == [False]
    assert runner.registry.run_pending_checks().untrusted == ["smoke"]
    with pytest.raises(Denied, match="not trusted on this machine: true"):
        runner.registry.run_checks("nlp/bert@1", ["smoke"])
    runner.registry.trust_check("smoke")
    assert [one.trusted for one in runner.registry.pending_checks()] == [True]
    ben.sync()
    ben.registry.put_check("smoke", "nlp/*", {**SMOKE, "run": "false"})
    ben.sync()
    runner.sync()
    assert runner.registry.run_pending_checks().untrusted == ["smoke"]


def test_a_check_that_was_changed_elsewhere_makes_its_results_stale(
    ann: Person, runner: Person, model: str
) -> None:
    runner.registry.run_pending_checks()
    ann.registry.put_check("smoke", "nlp/*", {"builtin": "loads", "on": ["capture"]})
    ann.sync()
    runner.sync()
    assert [one.stale for one in runner.registry.check_runs("nlp/bert@1")] == [True]
    assert len(runner.registry.pending_checks()) == 1


def test_a_version_that_somebody_wants_to_promote_waits_for_its_checks(
    ann: Person, runner: Person, model: str
) -> None:
    ann.registry.put_check("asked", "nlp/*", {"builtin": "card-complete", "on": ["request"]})
    ann.sync()
    runner.sync()
    assert [one.check for one in runner.registry.pending_checks()] == ["smoke"]
    ann.registry.request_promotion("nlp/bert@1", "production", reason="good", auto=False)
    ann.sync()
    runner.sync()
    waiting = [(one.check, one.on) for one in runner.registry.pending_checks()]
    assert waiting == [("asked", "request"), ("smoke", "capture")]


def test_checks_are_for_maintainers_and_reports_for_who_may_contribute(
    world: World, model: str
) -> None:
    for name, role in (("eve", "viewer"), ("carl", "contributor")):
        world.grant(name, role, "*")
        person = signed_in(world, name)
        person.sync()
        with pytest.raises(Denied):
            person.registry.put_check("own", "nlp/*", SMOKE)
        assert person.registry.trusted_checks() == []
        if name == "eve":
            assert person.registry.pending_checks() == []
            with pytest.raises(Denied, match="needs the role"):
                person.registry.run_checks("nlp/bert@1")
            with pytest.raises(Denied):
                person.registry.report_check("nlp/bert@1", "smoke", "passed")
        else:
            assert len(person.registry.pending_checks()) == 1
            assert not person.registry.report_check("nlp/bert@1", "smoke", "passed").counts
        person.replica.close()


def test_what_waits_is_newer_than_all_that_was_told_whatever_the_clocks_say(
    world: World, ann: Person, runner: Person, model: str
) -> None:
    def outcomes(person: Person) -> list[str]:
        return [
            outcome
            for outcome in ("failed", "passed", "error")
            if person.registry.versions(f"check.eval:{outcome}").versions
        ]

    for outcome in ("failed", "passed"):
        runner.registry.report_check("nlp/bert@1", "eval", outcome)
        assert outcomes(runner) == [outcome]  # where both are told at once, and wait
    runner.sync()
    ann.sync()
    assert (outcomes(runner), outcomes(ann)) == (["passed"], ["passed"])
    runner.skew = -24 * 3600 * 1_000_000
    for outcome in ("failed", "error"):
        runner.registry.report_check("nlp/bert@1", "eval", outcome)
    newest_first = ["error", "failed", "passed", "failed"]
    assert outcomes(runner) == ["error"]
    assert [one.outcome for one in runner.registry.check_runs("nlp/bert@1")] == newest_first
    report = runner.registry.report_text("nlp/bert@1")
    rows = [line for line in report.splitlines() if line.startswith("| eval |")]
    assert [row.split(" | ")[1] for row in rows] == newest_first
    runner.sync()
    ann.sync()
    assert (outcomes(runner), outcomes(ann)) == (["error"], ["error"])
