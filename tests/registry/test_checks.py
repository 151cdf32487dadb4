"""Checks: defined, trusted, run, told, and what waits for them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import regtui
from regtui.core.errors import BadInput, Denied, NotFound
from regtui.registry import Registry
from regtui.registry.answers_checks import CheckRunAnswer
from regtui.registry.checks import WantedCheck
from tests.registry.bundles import person

PASSES = {"run": "true"}
FAILS = {"run": "false"}


@pytest.fixture
def checked(ranker: Registry) -> Registry:
    """Return a registry with a check that passes on every model."""
    ranker.put_check("smoke", "*", PASSES)
    return ranker


def shell(program: str) -> dict[str, str]:
    return {"run": f"sh -c '{program}'"}


def one_run(registry: Registry, definition: dict[str, Any], reference: str = "ranker@1") -> Any:
    """Return the run of a new check, and what it printed."""
    registry.put_check("one", "*", definition)
    (run,) = registry.run_checks(reference, ["one"]).runs
    return run, registry.check_log(reference, "one")[1]


def test_a_check_is_put_changed_and_listed(ranker: Registry) -> None:
    made, changed = ranker.put_check("Smoke", "NLP/*", {"run": "true", "timeout": "10m"})
    assert (made.check, made.models, made.definition, changed) == (
        "smoke", "nlp/*", {"run": "true"}, True,
    )  # fmt: skip
    assert ranker.put_check("smoke", "nlp/*", {"run": "true"}) == (made, False)
    other, changed = ranker.put_check("smoke", "nlp/*", {"run": "true", "on": ["capture"]})
    assert (other.id, other.digest != made.digest, changed) == (made.id, True, True)
    assert ranker.checks() == [other] == ranker.checks("nlp/a")
    assert ranker.checks("cv/a") == []
    assert ranker.check("SMOKE") == other


def test_the_widest_check_of_a_name_holds(ranker: Registry) -> None:
    for models in ("*", "ranker", "nlp/*"):
        ranker.put_check("smoke", models, PASSES)
    assert [one.models for one in ranker.checks("ranker")] == ["*"]
    assert [one.models for one in ranker.checks("nlp/a")] == ["*"]
    assert [one.models for one in ranker.checks()] == ["*", "nlp/*", "ranker"]
    with pytest.raises(BadInput, match="3 checks called 'smoke'"):
        ranker.check("smoke")
    assert ranker.check("smoke", "nlp/*").models == "nlp/*"
    assert ranker.remove_check("smoke", "*").models == "*"
    assert [one.models for one in ranker.checks("ranker")] == ["ranker"]
    assert [one.models for one in ranker.checks("nlp/a")] == ["nlp/*"]


def test_a_removed_check_is_gone_until_it_is_put_again(checked: Registry) -> None:
    checked.run_checks("ranker@1")
    assert checked.remove_check("smoke").check == "smoke"
    assert checked.checks() == []
    assert [one.stale for one in checked.check_runs("ranker@1")] == [True]
    for verb in (checked.check, checked.remove_check, checked.trust_check):
        with pytest.raises(NotFound, match="no check 'smoke'"):
            verb("smoke")
    assert checked.put_check("smoke", "*", PASSES)[1]
    assert checked.run_checks("ranker@1").passed


@pytest.mark.parametrize(
    ("name", "models", "definition"),
    [
        ("", "*", PASSES),
        ("a/b", "*", PASSES),
        ("a", "", PASSES),
        ("a", "*x", PASSES),
        ("a", "*", {}),
        ("a", "*", {"run": " "}),
        ("a", "*", {"run": "true", "builtin": "loads"}),
        ("a", "*", {"builtin": "no-such"}),
        ("a", "*", {"run": "true", "on": ["sunday"]}),
        ("a", "*", {"run": "true", "timeout": "soon"}),
        ("a", "*", {"run": "true", "memory": "much"}),
        ("a", "*", {"run": "true", "unknown": 1}),
        ("a", "*", {"builtin": "metric-regression"}),
    ],
)
def test_such_a_check_is_refused_and_none_of_its_file_is_kept(
    ranker: Registry, name: str, models: str, definition: dict[str, Any]
) -> None:
    with pytest.raises(BadInput):
        ranker.put_checks([WantedCheck("good", "*", PASSES), WantedCheck(name, models, definition)])
    assert ranker.checks() == []
    assert ranker.trusted_checks() == []


def test_several_checks_are_put_as_one_step(ranker: Registry) -> None:
    put = ranker.put_checks([WantedCheck("a", "*", PASSES), WantedCheck("b", "*", FAILS)])
    assert [(one.check, changed) for one, changed in put] == [("a", True), ("b", True)]
    ranker.undo()
    assert ranker.checks() == []


def test_a_run_is_told_with_outcome_figures_and_log(checked: Registry) -> None:
    program = 'echo hello; echo "{\\"f1\\": 0.5}" > $REGTUI_FIGURES'
    run, log = one_run(checked, shell(program))
    assert (run.outcome, run.figures, run.stale, run.counts) == ("passed", {"f1": 0.5}, False, True)
    assert (run.reference, run.author) == ("ranker@1", checked.context.actor.name)
    assert log == "hello\n"
    assert checked.check_runs("ranker@1") == [run]
    assert checked.check_runs("ranker@1", "smoke") == []
    assert checked.check_runs("ranker@2") == []


def test_all_checks_that_hold_are_run_and_the_last_run_is_the_first_listed(
    checked: Registry,
) -> None:
    checked.put_check("bad", "ranker", FAILS)
    checked.put_check("other", "other", FAILS)
    found = checked.run_checks("ranker@champion")
    assert [(one.check, one.outcome) for one in found.runs] == [
        ("bad", "failed"), ("smoke", "passed"),
    ]  # fmt: skip
    assert not found.passed
    assert [one.check for one in checked.check_runs("ranker@1")] == ["smoke", "bad"]


def test_a_changed_definition_makes_results_stale(checked: Registry) -> None:
    checked.run_checks("ranker@1")
    assert [one.stale for one in checked.check_runs("ranker@1")] == [False]
    checked.put_check("smoke", "*", {"run": "true", "timeout": "1m"})
    assert [one.stale for one in checked.check_runs("ranker@1")] == [True]
    checked.run_checks("ranker@1")
    assert [one.stale for one in checked.check_runs("ranker@1")] == [False, True]
    checked.put_check("smoke", "ranker", FAILS)  # the wider one goes on to hold
    assert [one.stale for one in checked.check_runs("ranker@1")] == [False, True]
    checked.remove_check("smoke", "*")
    assert [one.stale for one in checked.check_runs("ranker@1")] == [True, True]


def test_a_query_goes_by_the_runs_that_gates_go_by(checked: Registry) -> None:
    def found(outcome: str) -> list[int | None]:
        return [one.number for one in checked.versions(f"check.smoke:{outcome}").versions]

    checked.run_checks("ranker@1")
    assert (found("passed"), found("*"), found("failed")) == ([1], [1], [])
    checked.put_check("smoke", "ranker", FAILS)  # the wider one goes on to hold
    assert found("*") == [1]
    checked.put_check("smoke", "*", {"run": "true", "timeout": "1m"})
    assert found("*") == []
    checked.put_check("smoke", "*", FAILS)
    checked.run_checks("ranker@1")
    assert (found("passed"), found("failed")) == ([], [1])
    checked.remove_check("smoke", "*")
    checked.remove_check("smoke", "ranker")
    assert found("*") == []
    checked.report_check("ranker@1", "smoke", "passed")  # of a check that nobody defined
    assert found("passed") == [1]


def test_the_last_of_the_runs_that_are_told_within_a_millisecond_is_the_last(
    ranker: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = ranker.context.replica.clock() + 1_000_000
    monkeypatch.setattr(ranker.context.replica, "clock", lambda: now - now % 1000)
    for outcome in ("passed", "error", "failed", "passed"):
        ranker.report_check("ranker@1", "smoke", outcome)
        found = ranker.versions(f"check.smoke:{outcome}").versions
        assert [one.number for one in found] == [1], outcome
    assert len({one.told for one in ranker.check_runs("ranker@1")}) == 1


def test_a_command_gets_a_fresh_copy_of_the_files_and_words_about_the_version(
    ranker: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    program = (
        "pwd; ls $REGTUI_FILES; test $0 = $REGTUI_FILES && rm -r $0/* && touch $TMPDIR/x $0/y;"
        "echo $1 $REGTUI_VERSION $REGTUI_MODEL $REGTUI_NUMBER $REGTUI_CHECK"
    )
    definition = {"run": f"sh -c '{program}' {{files}} {{version}}"}
    for _ in range(2):
        run, log = one_run(ranker, definition)
        assert run.outcome == "passed", log
        assert log.splitlines() == [
            str(tmp_path), "model.bin", "serve.sh", "sub", "ranker@1 ranker@1 ranker 1 one",
        ]  # fmt: skip
    assert ranker.verify("ranker@1").damaged == []


def test_nothing_is_left_of_the_copy(
    ranker: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    for program in ("exit 1", "kill -9 $$", "mkdir -p $TMPDIR/a; touch $TMPDIR/a/b"):
        one_run(ranker, shell(program))
    assert list(scratch.iterdir()) == []


def test_a_command_that_can_not_be_tried_is_an_error_and_no_more(
    ranker: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for definition, told in (
        ({"run": "no-such-program"}, "there is no program 'no-such-program'"),
        ({"run": "sleep 1000", "timeout": "1s"}, "stopped after 1 s"),
    ):
        run, log = one_run(ranker, definition)
        assert (run.passed, told in log) == (False, True), log
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "file"))
    run, log = one_run(ranker, PASSES)
    assert (run.outcome, "Not a directory" in log) == ("error", True)


def test_files_that_are_not_here_are_an_error(ranker: Registry) -> None:
    shutil.rmtree(ranker.home / "objects")
    run, log = one_run(ranker, PASSES)
    assert (run.outcome, "regtui: " in log) == ("error", True)


def test_a_deleted_version_is_not_tried(checked: Registry) -> None:
    checked.change_state("version", "ranker@2", "delete")
    with pytest.raises(NotFound, match="ranker@2 is deleted"):
        checked.run_checks("ranker@2")
    assert checked.check_runs("ranker@2") == []


def test_the_files_are_intact_until_one_is_not(ranker: Registry) -> None:
    intact = {"builtin": "files-intact"}
    assert one_run(ranker, intact)[0].outcome == "passed"
    file = ranker.path("ranker@1", "model.bin")
    file.chmod(0o644)
    file.write_bytes(b"x" * file.stat().st_size)
    run, log = one_run(ranker, intact)
    assert (run.outcome, log) == ("failed", "model.bin: damaged\n")


def test_files_are_safe_and_load_or_not(registry: Registry, tmp_path: Path) -> None:
    good = Path(__file__).parents[1] / "capture" / "recorded"
    sources = {
        "keras": "keras/final.h5",
        "peft": "peft/out/checkpoint-4/adapter_model.safetensors",
    }
    for name, source in sources.items():
        registry.capture(good / source, model=name)
        for check in ("loads", "safe-files"):
            run, log = one_run(registry, {"builtin": check}, f"{name}@1")
            assert run.outcome == "passed", log
    cut = tmp_path / "cut.pt"
    cut.write_bytes((good / "torch/epoch0.pt").read_bytes()[:-200])
    registry.capture(cut, model="cut")
    assert one_run(registry, {"builtin": "loads"}, "cut@1")[0].outcome == "failed"
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    registry.capture(evil, model="evil")
    run, log = one_run(registry, {"builtin": "safe-files"}, "evil@1")
    assert (run.outcome, "posix.system" in log) == ("failed", True)


def test_a_card_is_complete_when_it_has_what_is_needed(ranker: Registry) -> None:
    definition = {"builtin": "card-complete", "needs": ["license"]}
    assert one_run(ranker, definition)[0].outcome == "failed"
    ranker.edit("ranker", {"card": "---\nlicense: mit\n---\n"})
    assert one_run(ranker, definition)[0].outcome == "passed"


def test_a_version_is_compared_with_the_one_that_an_alias_points_to(ranker: Registry) -> None:
    definition: dict[str, Any] = {"builtin": "metric-regression", "against": "champion"}
    assert one_run(ranker, definition, "ranker@2")[0].outcome == "error"
    ranker.edit("ranker", {"primary_metric": "f1"})
    for value, outcome in ((0.6, "passed"), (0.45, "failed"), ("NaN", "failed")):
        ranker.edit("ranker@2", {"metrics/f1": value})
        run, log = one_run(ranker, definition, "ranker@2")
        assert (run.outcome, run.figures) == (outcome, {"f1": value, "f1_against": 0.5}), log
    ranker.edit("ranker@2", {"metrics/f1": 0.45})
    assert one_run(ranker, {**definition, "tolerance": 0.1}, "ranker@2")[0].outcome == "passed"
    other = {**definition, "against": "stable"}
    assert one_run(ranker, other, "ranker@2")[0].outcome == "passed"


def test_what_another_put_runs_only_when_it_is_trusted(
    checked: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "all.bundle"
    checked.put_check("whole", "*", {"builtin": "files-intact"})
    checked.export(None, bundle)
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "bens"))
    ben = person("ben", tmp_path / "ben")
    ben.import_bundle(bundle)
    assert [(one.check, one.trusted) for one in ben.checks()] == [("smoke", False), ("whole", True)]
    found = ben.run_checks("ranker@1")
    assert ([one.check for one in found.runs], found.untrusted) == (["whole"], ["smoke"])
    with pytest.raises(Denied, match="not trusted on this machine: true"):
        ben.run_checks("ranker@1", ["smoke"])
    assert ben.trust_check("smoke").checks == ["smoke (*)"]
    assert ben.run_checks("ranker@1", ["smoke"]).passed


def test_trust_is_by_what_a_definition_does(checked: Registry) -> None:
    digest = checked.check("smoke").digest
    assert [one.digest for one in checked.trusted_checks()] == [digest]
    assert checked.untrust_check("smoke").digest == digest
    assert not checked.check("smoke").trusted
    assert checked.run_checks("ranker@1").untrusted == ["smoke"]
    assert checked.trust_check(digest[:12]).digest == digest
    assert checked.check("smoke").trusted
    assert checked.untrust_check(digest[:12]).digest == digest
    with pytest.raises(NotFound, match="not trusted"):
        checked.untrust_check("smoke")


def test_what_was_run_elsewhere_is_told(checked: Registry) -> None:
    told = checked.report_check(
        "ranker@1", "Eval", "failed", figures={"f1": 0.5, "loss": float("nan")}, log="no\n\x1b[1m",
        runner="ci-7",
    )  # fmt: skip
    assert (told.check, told.outcome, told.runner, told.stale) == ("eval", "failed", "ci-7", False)
    assert told.figures == {"f1": 0.5, "loss": "NaN"}
    assert checked.check_log("ranker@1", "EVAL") == (told, "no\n")
    assert checked.check_log("ranker@1", told.id)[0] == told
    assert checked.report_check("ranker@1", "smoke", "passed").stale is False
    with pytest.raises(BadInput, match="'fine' is no outcome"):
        checked.report_check("ranker@1", "eval", "fine")
    with pytest.raises(NotFound, match="was not run"):
        checked.check_log("ranker@2", "eval")


def test_a_long_log_is_shortened_before_it_is_told(checked: Registry) -> None:
    told = checked.report_check("ranker@1", "eval", "passed", log="\0\"'é" * 500_000)
    assert "bytes are left out" in checked.check_log("ranker@1", told.check)[1]


def test_what_waits_for_captures_are_the_newest_versions_without_a_run(
    checked: Registry, run: Path
) -> None:
    assert checked.pending_checks() == []
    checked.put_check("smoke", "*", {"run": "true", "on": ["capture"]})
    waiting = [(one.check, one.version.reference) for one in checked.pending_checks()]
    assert waiting == [("smoke", "ranker@2"), ("smoke", "ranker@1")]
    assert len(checked.pending_checks(limit=1)) == 1
    found = checked.run_pending_checks(limit=1)
    assert ([one.reference for one in found.runs], found.more) == (["ranker@2"], 1)
    assert [one.reference for one in checked.run_pending_checks().runs] == ["ranker@1"]
    assert checked.pending_checks() == []
    checked.put_check("smoke", "*", {"run": "false", "on": ["capture"]})
    assert len(checked.pending_checks()) == 2
    checked.change_states(["ranker@2"], "archive")
    assert [one.version.reference for one in checked.pending_checks()] == ["ranker@1"]
    checked.put_check("smoke", "ranker", {"run": "true", "on": ["capture"]})  # which doesn't hold
    assert len(checked.pending_checks()) == 1
    checked.put_check("smoke", "*", PASSES)
    assert checked.pending_checks() == []


def test_what_is_not_trusted_waits_and_is_told(checked: Registry) -> None:
    checked.put_check("smoke", "*", {"run": "true", "on": ["capture"]})
    checked.untrust_check("smoke")
    assert [one.trusted for one in checked.pending_checks()] == [False, False]
    found = checked.run_pending_checks()
    assert (found.runs, found.untrusted, found.more) == ([], ["smoke"], 0)


def test_a_check_of_captures_runs_once_on_a_version(checked: Registry) -> None:
    checked.put_check("begin", "*", {"run": "true", "on": ["capture"]})
    assert [one.check for one in checked.run_checks("ranker@1", on="capture").runs] == ["begin"]
    assert checked.run_checks("ranker@1", on="capture").runs == []


def test_an_undo_by_hand_passes_over_what_a_runner_told(checked: Registry) -> None:
    checked.edit("ranker@1", {"tags/env": "dev"})
    checked.run_checks("ranker@1")
    checked.undo()
    assert checked.version("ranker@1").tags == {"env": "prod"}
    assert len(checked.check_runs("ranker@1")) == 1


def test_checks_that_do_not_apply_are_named(checked: Registry) -> None:
    with pytest.raises(NotFound, match="no check 'other' for ranker"):
        checked.run_checks("ranker@1", ["other"])
    with pytest.raises(NotFound):
        checked.run_checks("ranker@9")


def test_what_is_done_is_told_though_no_reader_gets_a_turn(
    checked: Registry, keep_readers_out: Callable[[], None]
) -> None:
    keep_readers_out()
    assert checked.put_check("other", "*", FAILS)[0].check == "other"
    assert isinstance(checked.report_check("ranker@1", "eval", "passed"), CheckRunAnswer)
    assert checked.remove_check("other").check == "other"


def test_python_scripts_have_the_same_verbs(checked: Registry) -> None:
    assert regtui.open(checked.home).run_checks("ranker@1").passed
    assert os.environ.get("REGTUI_VERSION") is None
