"""What the checks that are built in say to what is known of a version."""

import math

import pytest

from regtui.checks.builtin import (
    Figure,
    card_complete,
    files_intact,
    loads,
    metric_regression,
    safe_files,
)
from regtui.formats.values import Facts

CARD = "---\nlicense: mit\nintended_use:\n  primary: ranking\nempty: ''\n---\n# Ranker\n"


def test_stored_files_are_intact_or_named() -> None:
    assert files_intact(3, []).outcome == "passed"
    failed = files_intact(3, [("model.bin", "damaged"), ("a", "missing")])
    assert (failed.outcome, failed.reason) == ("failed", "model.bin: damaged, and 1 more")
    assert failed.log == "model.bin: damaged\na: missing\n"


def test_files_that_run_code_are_not_safe() -> None:
    safe = {
        "a.safetensors": Facts("safetensors", "no-code"),
        "b.pt": Facts("torch", "tensors-only"),
    }
    assert safe_files(safe).outcome == "passed"
    pickled = Facts("pickle", "dangerous", globals=("posix.system",))
    for bad in (pickled, Facts("joblib", "needs-classes"), Facts("unknown", "unread")):
        assert safe_files({**safe, "c": bad}).outcome == "failed"
    assert "c: pickle, would run foreign code" in safe_files({"c": pickled}).log
    assert "posix.system" in safe_files({"c": pickled}).log


def test_model_files_have_to_be_whole() -> None:
    whole = Facts("safetensors", "no-code", complete=True)
    readme = Facts("markdown", "no-code")
    assert loads({"m": whole, "README.md": readme}).outcome == "passed"
    assert loads({"README.md": readme}).reason == "there is no model file in it"
    cut = loads({"m": Facts("safetensors", "unread", complete=False)})
    assert cut.reason == "m: safetensors, cut off before its end"
    assert loads({"m": whole, "x": Facts("unknown", "unread", problem="?")}).outcome == "failed"
    assert loads({"m": Facts("pickle", "dangerous", problem="it calls")}).outcome == "passed"


@pytest.mark.parametrize(
    ("card", "needs", "outcome"),
    [
        (CARD, [], "passed"),
        (CARD, ["license", "intended_use.primary"], "passed"),
        (CARD, ["license", "empty"], "failed"),
        (CARD, ["intended_use.other"], "failed"),
        ("# Ranker", ["license"], "failed"),
        ("", [], "failed"),
        (None, [], "failed"),
    ],
)
def test_a_card_has_what_it_needs(card: str | None, needs: list[str], outcome: str) -> None:
    assert card_complete(card, needs).outcome == outcome


@pytest.mark.parametrize(
    ("direction", "value", "other", "tolerance", "outcome"),
    [
        ("max", 0.9, 0.8, 0.0, "passed"),
        ("max", 0.8, 0.8, 0.0, "passed"),
        ("max", 0.7, 0.8, 0.0, "failed"),
        ("max", 0.75, 0.8, 0.1, "passed"),
        ("min", 0.7, 0.8, 0.0, "passed"),
        ("min", 0.9, 0.8, 0.0, "failed"),
        ("min", 0.85, 0.8, 0.1, "passed"),
        ("max", math.nan, 0.8, 9.0, "failed"),
        ("max", 0.8, math.nan, 9.0, "failed"),
        ("max", math.nan, None, 9.0, "failed"),
        ("max", math.inf, math.inf, 0.0, "passed"),
        ("max", 0.8, None, 0.0, "passed"),
        ("max", None, 0.8, 0.0, "failed"),
    ],
)
def test_a_metric_is_not_worse_than_another_version_s(
    direction: str, value: float | None, other: float | None, tolerance: float, outcome: str
) -> None:
    figures = [Figure("f1", direction, value, other)]
    assert metric_regression(figures, "champion", tolerance).outcome == outcome


def test_the_figures_of_both_versions_are_told() -> None:
    found = metric_regression([Figure("f1", "max", 0.9, math.nan)], "champion", 0.0)
    assert found.figures == {"f1": 0.9, "f1_against": "NaN"}
    assert found.log == "f1 0.9, champion has nan: worse by more than 0 (max is better)\n"
