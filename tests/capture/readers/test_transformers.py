"""Checkpoints, final saves and adapters of the Trainer of Hugging Face, as it really wrote them."""

import json
import math
from pathlib import Path

import pytest

from regtui.capture.findings import Findings, ParentHint
from regtui.capture.readers import read, read_all
from regtui.capture.run_files import on_disk
from tests.capture.readers.recorded_runs import RECORDED, copy_of, files_in, found_in

ALL = ("sidecar", "transformers", "peft", "headers", "tensorboard", "nearby")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return copy_of("transformers", tmp_path)


def test_a_checkpoint_tells_its_step_figures_and_curves() -> None:
    found = found_in("transformers", "out/checkpoint-20", *ALL)

    assert found.step == 20
    assert found.series["loss"].steps == (5, 10, 15, 20)
    assert found.series["eval_loss"].steps == (10, 20)
    value, step = found.metrics["eval_loss"]
    assert (value, step) == (found.series["eval_loss"].values[-1], 20)
    assert found.metrics["best_metric"] == (found.series["eval_loss"].values[0], 10)
    assert found.metrics["epoch"] == (2.5, 20)
    assert found.problems == ()


def test_the_trainer_says_which_way_its_metric_is_better() -> None:
    found = found_in("transformers", "out/checkpoint-20")

    assert found.directions == {"eval_loss": "min", "best_metric": "min"}


def test_arguments_are_parameters_and_the_models_stand_under_config() -> None:
    params = found_in("transformers", "out/checkpoint-10", *ALL).params

    assert params["learning_rate"] == 3e-3
    assert params["max_steps"] == 20
    assert params["seed"] == 7
    assert params["report_to"] == '["tensorboard"]'
    assert params["config.hidden_size"] == 8
    assert params["config.architectures"] == '["BertForSequenceClassification"]'
    assert "hidden_size" not in params
    assert not any(key.startswith(("_", "torch.", "distributed_state")) for key in params)


def test_the_token_in_the_arguments_is_hidden() -> None:
    recorded = (RECORDED / "transformers/out/checkpoint-10/training_args.bin").read_bytes()
    found = found_in("transformers", "out/checkpoint-10", *ALL)

    assert b"hf_notARealToken" in recorded
    assert found.params["hub_token"] == "[hidden]"
    assert "hf_notARealToken" not in repr(found)


def test_events_of_tensorboard_are_not_told_a_second_time() -> None:
    found = found_in("transformers", "out/checkpoint-20", *ALL)

    assert not any("/" in name for name in found.series)


def test_the_final_save_is_the_best_state_where_that_was_brought_back() -> None:
    found = found_in("transformers", "out", *ALL)

    assert found.step == 10
    assert found.metrics["eval_loss"][1] == 10
    assert found.metrics["train_loss"][1] is None  # of train_results.json
    assert found.params["load_best_model_at_end"] is True


def test_what_a_final_save_leaves_beside_its_model_still_tells_of_it() -> None:
    given = files_in(RECORDED / "transformers", "out")
    own = ["out/config.json", "out/training_args.bin"]
    root = RECORDED / "transformers"

    found = read("transformers", on_disk(root, "out", own, set(given.paths) - set(own)))

    assert found.step == 10
    assert found.metrics["train_runtime"][1] is None


def test_a_final_save_without_its_state_is_told_by_the_last_checkpoint(run: Path) -> None:
    (run / "out/trainer_state.json").unlink()
    (run / "out/training_args.bin").unlink()
    files = files_in(run, "out/model")
    for name in ("model.safetensors", "config.json"):
        (run / "out/model").mkdir(exist_ok=True)
        (run / "out/model" / name).write_bytes((run / "out/config.json").read_bytes())
    files = files_in(run, "out/model")

    found = read("transformers", files)

    assert found.series["loss"].steps == (5, 10)  # the best was brought back: checkpoint-10's


def test_checkpoints_of_a_run_that_goes_on_tell_nothing_of_a_model_beside(run: Path) -> None:
    (run / "out/trainer_state.json").unlink()
    for state in run.glob("out/checkpoint-*/trainer_state.json"):
        told = json.loads(state.read_text())
        state.write_text(json.dumps({**told, "max_steps": 1_000}))
    (run / "out/model").mkdir()
    (run / "out/model/config.json").write_text("{}")

    found = read("transformers", files_in(run, "out/model"))

    assert found.step is None
    assert found.series == {}


def test_nan_and_infinite_losses_stay(run: Path) -> None:
    state = run / "out/checkpoint-10/trainer_state.json"
    state.write_text(
        '{"global_step": 3, "max_steps": 9, "best_metric": Infinity, "log_history": '
        '[{"step": 1, "loss": NaN}, {"step": 3, "loss": Infinity, "note": "x", "ok": true}]}'
    )

    found = read("transformers", files_in(run, "out/checkpoint-10"))

    assert math.isnan(found.series["loss"].values[0])
    assert found.metrics["loss"] == (math.inf, 3)
    assert found.metrics["best_metric"] == (math.inf, None)
    assert set(found.series) == {"loss"}


@pytest.mark.parametrize(
    "text", ["", "[]", "null", "{", '{"log_history": 3}', '{"global_step": "x"}']
)
def test_a_broken_state_is_a_problem_or_says_nothing_and_the_rest_is_read(
    run: Path, text: str
) -> None:
    (run / "out/checkpoint-10/trainer_state.json").write_text(text)

    found = read("transformers", files_in(run, "out/checkpoint-10"))

    assert found.series == {}
    assert found.params["learning_rate"] == 3e-3
    assert all(one.startswith("out/checkpoint-10/trainer_state.json: ") for one in found.problems)


def test_a_resumed_run_names_what_it_went_on_from() -> None:
    from regtui.capture.readers.transformers import _read_arguments
    from regtui.capture.run_files import RunFiles
    from regtui.formats.values import Facts

    facts = Facts("torch", "needs-classes", metadata={"resume_from_checkpoint": "out/checkpoint-7"})
    files = RunFiles(
        "a", {"training_args.bin": Path("nowhere")}, facts={"training_args.bin": facts}
    )

    assert _read_arguments(files, "training_args.bin") == Findings(
        params={"resume_from_checkpoint": "out/checkpoint-7"},
        parents=(ParentHint("out/checkpoint-7", "resumed"),),
    )


def test_an_adapter_names_its_base_model() -> None:
    found = found_in("peft", "out/checkpoint-4", *ALL)

    (parent,) = found.parents
    assert parent.kind == "base"
    assert parent.reference.endswith("peft/base")
    assert found.params["adapter.r"] == 2
    assert found.params["adapter.target_modules"] == '["q_proj"]'
    assert found.step == 4


def test_many_rows_of_history_are_read_within_bounds(run: Path) -> None:
    rows = [{"step": n, "loss": 1.0, "lr": 0.1} for n in range(60_000)]
    state = {"global_step": 60_000, "log_history": rows}
    (run / "out/checkpoint-10/trainer_state.json").write_text(json.dumps(state))

    found = read_all(["transformers"], files_in(run, "out/checkpoint-10"))

    assert found.step == 60_000
    assert found.series["loss"].steps[-1] == 59_999
    assert len(found.series["loss"].steps) <= 50_000
