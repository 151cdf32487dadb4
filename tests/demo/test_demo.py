"""The demo: real models, the same each time, in a folder that holds nothing else."""

from pathlib import Path

import pytest

import regtui
from regtui.core.errors import BadInput
from regtui.demo import make
from regtui.demo.make import MARK, Demo, make_demo
from regtui.registry import Registry

MODELS = [
    "forecast/sales",
    "forecast/tuned",
    "inbox/mystery",
    "nlp/sentiment",
    "nlp/sentiment-small",
    "vision/digits",
]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        return make_demo(folder / "demo")


@pytest.fixture
def registry(demo: Demo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return regtui.open(demo.home)


def test_every_screen_has_something_true_to_show(registry: Registry) -> None:
    names = [model.model for model in registry.models()]
    assert [name for name in names if name != "vision/digits-forest"] == MODELS
    best = registry.version("nlp/sentiment@best")
    assert 0.7 < float(best.metrics["f1"]) < 1
    assert len(registry.plot([best.reference], "f1").lines[0].y) > 2
    assert registry.version("nlp/sentiment@6").parents
    assert registry.comments("nlp/sentiment")
    assert "license" in registry.card("nlp/sentiment")
    assert registry.version("forecast/sales@production").number == 3
    assert {one.actor for one in registry.log(limit=50).operations} >= {"ann", "ben"}


def test_production_came_to_be_by_rules_and_went_back_once(registry: Registry) -> None:
    (live,) = registry.deployments(environment="production")
    assert live.version == registry.version("nlp/sentiment@production").reference
    assert live.usage["day"]["requests"] > live.usage["day"]["errors"] > 0
    assert len(registry.usage(live.deployment).buckets) > 20
    (asked,) = registry.promotions("nlp/sentiment")
    failing = {gate.gate for gate in asked.gates if gate.passed is False}
    assert failing == {"approvals", "four_eyes", "check:no-regression"}
    applied = registry.promotions(state="applied")
    assert [[one.author for one in request.reviews] for request in applied] == [["ben"], ["ben"]]
    assert {run.outcome for run in registry.check_runs("nlp/sentiment@5")} == {"passed"}


def test_a_folder_was_watched_and_what_came_of_it_is_told(registry: Registry) -> None:
    status = registry.watch_status()
    [folder] = status.folders
    assert (folder.is_there, folder.watchers) == (True, [])
    assert folder.rule is not None
    told = {(one.event, (one.path or "").rpartition("/")[2]) for one in status.events}
    assert {("captured", "step-3200.safetensors"), ("waiting", "step-3400.safetensors")} <= told
    assert "skipped" in {event for event, _ in told}
    versions = registry.versions("model:forecast/tuned").versions
    assert {one.params["step"] for one in versions} == {400, 800, 3200}
    assert len({one.metrics["val_mse"] for one in versions}) == 3


def test_what_the_card_says_of_its_tensors_is_true(registry: Registry) -> None:
    answer = registry.diff("nlp/sentiment@5", "nlp/sentiment@6")

    assert list(answer.tensors.changed) == ["classifier.bias"]


def test_the_file_that_runs_code_is_told_apart(registry: Registry) -> None:
    _, files = registry.files("inbox/mystery@1")

    assert [(file.path, file.safety) for file in files] == [("weights.pkl", "dangerous")]


def test_everything_that_is_stored_is_whole(registry: Registry) -> None:
    assert registry.verify().damaged == []
    assert registry.verify_history().problems == []


def test_a_demo_that_is_there_is_taken_as_it_is(demo: Demo) -> None:
    again = make_demo(Path(demo.folder))

    assert (again.home, again.created) == (demo.home, False)


def test_what_is_no_demo_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(BadInput, match="is no demo and not empty"):
        make_demo(tmp_path, again=True)

    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_making_that_breaks_off_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(make, "tell", breaks)

    with pytest.raises(KeyboardInterrupt):
        make_demo(tmp_path / "demo")

    assert list(tmp_path.iterdir()) == []


def test_the_same_is_learned_every_time(demo: Demo, tmp_path: Path) -> None:
    from regtui.demo import data
    from regtui.demo.learners import Softmax

    courses = [
        Softmax(2, data.WORDS, seed=1).train(
            data.reviews(60, 7), data.reviews(60, 99), epochs=2, rate=0.05
        )
        for _ in range(2)
    ]

    assert courses[0] == courses[1]
    assert courses[0].values["loss"][-1] < courses[0].values["loss"][0]
    assert Path(demo.folder, MARK).exists()
