"""Real trainers run beside a watcher: each state that they finish is one version.

Needs the dependency group `trainers`; a library that is not installed is skipped. `just
test-trainers`.
"""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

import regtui
from regtui.registry import Registry
from tests.registry.watched import Watch, watching

HERE = Path(__file__).parent
PATIENCE = float(os.environ.get("REGTUI_PATIENCE", "300"))

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * PATIENCE)]


class Expected(Struct, frozen=True):
    """What a trainer leaves.

    Attributes:
        needs: Libraries.
        states: How many different states it finishes.
        metrics: Names that every version of `model` has.
        params: Names that every version of `model` has.
        settings: Given to `train`.
    """

    needs: tuple[str, ...]
    states: int
    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    settings: dict[str, Any] = {}


TRAINERS = {
    "transformers": Expected(
        ("transformers", "accelerate", "tensorboard"), 3, ("loss", "eval_loss"), ("learning_rate",)
    ),
    "peft": Expected(("peft", "transformers", "accelerate"), 3, (), ("step",)),
    "accelerate": Expected(("accelerate",), 2, (), ("optimizer.param_groups.0.lr",)),
    "lightning": Expected(
        ("lightning",), 3, ("val_loss", "train_loss"), ("lr", "step"),
        {"pause": 1.0, "save_top_k": -1, "save_last": False},
    ),
    "torch": Expected(("torch",), 3, ("val_loss", "loss"), ("lr", "step")),
    "keras": Expected(("keras", "torch"), 4, ("val_loss",), ("optimizer.name",), {"pause": 1.0}),
    "timm": Expected(
        ("timm",), 3, ("eval_top1", "metric"), ("arch", "step"), {"pause": 1.0}
    ),
    "ultralytics": Expected(("ultralytics",), 5, ("train/box_loss",), ("imgsz",)),
    "openclip": Expected(("open_clip_train",), 2, ("clip_val_loss",), ("batch_size",)),
    "sklearn": Expected(("sklearn", "skops"), 4, ("accuracy",), ("class",)),
    "xgboost": Expected(("xgboost",), 3, ("eval/auc",), ("objective.name",)),
    "lightgbm": Expected(("lightgbm",), 1, ("valid/binary_logloss",), ("num_leaves",)),
    "catboost": Expected(("catboost",), 1, ("test/AUC",), ("boosting_options.iterations",)),
    "mlflow": Expected(("mlflow", "sqlalchemy"), 2, ("eval/f1",), ("lr",)),
}  # fmt: skip


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    return regtui.open(tmp_path / "home")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def skip_without(name: str) -> None:
    missing = [one for one in TRAINERS[name].needs if find_spec(one) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed")


def train(name: str, folder: Path, **settings: Any) -> None:
    """Run a trainer to its end, in a process of its own."""
    program = (
        f"import json, sys; sys.path.insert(0, {str(HERE)!r}); from run_{name} import train; "
        "from pathlib import Path; train(Path(sys.argv[1]), **json.loads(sys.argv[2]))"
    )
    told = {
        **os.environ, "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "",
        "YOLO_CONFIG_DIR": str(folder.parent),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(folder), json.dumps(settings)],
        cwd=folder, env=told, capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]


def ended_well(seen: Watch) -> None:
    """Nothing is lost; what was written anew while it was taken is looked at again."""
    failures = [one.message for one in seen.told("failed") if not one.message.endswith("again")]
    assert failures == []
    assert [one.message for one in seen.told("lost", "unreadable")] == []
    assert [one.message for one in seen.told("problem") if "dangerous" not in one.message] == []


@pytest.mark.parametrize("name", TRAINERS)
def test_each_state_of_a_trainer_is_one_version_with_what_it_says(
    name: str, registry: Registry, folder: Path
) -> None:
    skip_without(name)
    expected = TRAINERS[name]
    with watching(registry, folder) as seen:
        train(name, folder, **expected.settings)
        seen.until(lambda: registry.count() >= expected.states)

    ended_well(seen)
    versions = registry.versions().versions
    assert len(versions) == expected.states
    told = [one for one in versions if "base" not in one.model]
    for version in told:
        assert version.metrics.keys() >= set(expected.metrics), version.source
        assert version.params.keys() >= set(expected.params), version.source


def test_a_trainer_that_keeps_one_checkpoint_and_saves_twice_a_second_loses_none(
    registry: Registry, folder: Path
) -> None:
    skip_without("transformers")
    with watching(registry, folder) as seen:
        train(
            "transformers", folder, steps=24, pause=0.25, save_steps=2, eval_steps=2,
            logging_steps=1, save_total_limit=1, load_best_model_at_end=False,
            metric_for_best_model=None, greater_is_better=None,
        )  # fmt: skip
        seen.until(lambda: registry.count() >= 13)

    ended_well(seen)
    steps = [one.params["step"] for one in registry.versions().versions]
    assert sorted(steps) == sorted([*range(2, 25, 2), 24])  # the final save is one of its own
    assert len(list(folder.glob("out/checkpoint-*"))) == 1


def test_best_and_last_of_lightning_are_names_of_states_that_were_captured(
    registry: Registry, folder: Path
) -> None:
    skip_without("lightning")
    with watching(registry, folder) as seen:
        train("lightning", folder, epochs=6, pause=0.7, save_top_k=1)
        seen.until(lambda: registry.count() >= 6)
        seen.until(lambda: any("last.ckpt" in str(one.path) for one in seen.events))

    ended_well(seen)
    # The bytes of last.ckpt may differ from those of the state that it follows.
    steps = {one.params["step"] for one in registry.versions().versions}
    assert steps == {4, 8, 12, 16, 20, 24}
    assert len(list(folder.rglob("*.ckpt"))) == 2
