"""Lightning, accelerate, timm, OpenCLIP, Ultralytics and plain torch, as they really wrote."""

from pathlib import Path

import pytest

from regtui.capture.findings import ParentHint
from regtui.capture.readers import read, read_all
from tests.capture.readers.recorded_runs import copy_of, files_in, found_in

CHECKPOINTS = "lightning_logs/version_0/checkpoints"


def test_a_checkpoint_of_lightning_tells_step_hyperparameters_and_what_it_monitored() -> None:
    found = found_in("lightning", f"{CHECKPOINTS}/epoch=1-step=8.ckpt")

    assert found.step == 8
    assert found.metrics["epoch"] == (1.0, 8)
    assert found.metrics["val_loss"][1] == 8
    assert found.metrics["val_loss"][0] == found.metrics["best_model_score"][0]
    assert found.directions == {"val_loss": "min"}
    assert found.params == {"lr": 0.02, "width": 4, "extra.depth": 3, "extra.sizes": "[4,4]"}
    assert found.problems == ()


def test_curves_of_lightning_end_at_the_step_of_the_checkpoint() -> None:
    early = found_in("lightning", f"{CHECKPOINTS}/epoch=1-step=8.ckpt", "lightning", "nearby")
    late = found_in("lightning", f"{CHECKPOINTS}/epoch=2-step=12.ckpt", "lightning", "nearby")

    assert early.series["val_loss"].steps == (3, 7)
    assert late.series["val_loss"].steps == (3, 7, 11)
    assert "epoch" not in early.series
    assert early.metrics["train_loss"][1] == 7


def test_hyperparameters_of_lightning_are_read_without_making_their_objects(tmp_path: Path) -> None:
    run = copy_of("lightning", tmp_path)
    hparams = run / "lightning_logs/version_0/hparams.yaml"
    hparams.write_text(f"evil: !!python/object/apply:os.mkdir [{tmp_path}/made]\nmine: 5\n")

    found = read("lightning", files_in(run, f"{CHECKPOINTS}/last.ckpt"))

    assert not (tmp_path / "made").exists()
    assert found.params["mine"] == 5
    assert "evil" not in found.params


def test_a_state_of_accelerate_has_its_optimizers_settings() -> None:
    found = found_in("accelerate", "checkpoints/checkpoint_1")

    assert found.params["optimizer.param_groups.0.lr"] == 0.002
    assert found.params["optimizer.param_groups.0.betas"] == "[0.9,0.999]"
    assert found.params["scheduler.step_size"] == 10
    assert not any(key.endswith(".params") for key in found.params)


def test_plain_torch_is_understood_by_its_keys() -> None:
    found = found_in("torch", "epoch1.pt", "sidecar", "torch", "tensorboard", "nearby")

    assert found.step == 1
    assert found.metrics["best_acc"] == (0.6, 1)
    assert found.metrics["val_loss"][1] == 1  # a tensor of one number
    assert found.params["lr"] == 0.1
    assert found.params["layers"] == "[4,2]"
    assert found.params["optimizer_state_dict.momentum"] == 0.9
    assert found.params["token"] == "[hidden]"
    assert found.series["loss"].steps == (0, 1)
    assert found.metrics["loss"][0] == pytest.approx(found.metrics["val_loss"][0])


def test_a_table_that_counts_something_else_is_not_cut_at_an_epoch(tmp_path: Path) -> None:
    run = copy_of("torch", tmp_path)
    (run / "log.csv").write_text("step,loss\n0,3\n1,2\n2,1\n")

    found = read_all(["torch", "nearby"], files_in(run, "epoch1.pt"))

    assert found.series["loss"].steps == (0, 1, 2)


def test_a_checkpoint_of_timm_has_its_epoch_and_the_metric_it_was_kept_for() -> None:
    found = found_in("timm", "checkpoint-1.pth.tar", "sidecar", "timm", "tensorboard", "nearby")

    assert found.step == 1
    assert found.metrics["metric"] == (51.0, 1)
    assert found.metrics["eval_top1"] == (51.0, 1)
    assert found.directions == {"eval_top1": "max", "metric": "max"}
    assert found.params["arch"] == "vit_tiny_patch16_224"
    assert found.params["lr"] == 0.05
    assert found.inputs == {"data": "data/images"}
    assert found.series["eval_loss"].steps == (0, 1)


def test_timm_names_what_it_started_from(tmp_path: Path) -> None:
    run = copy_of("timm", tmp_path)
    (run / "args.yaml").write_text("resume: out/last.pth.tar\ninitial_checkpoint: base.pth\n")

    assert set(read("timm", files_in(run, "last.pth.tar")).parents) == {
        ParentHint("out/last.pth.tar", "resumed"), ParentHint("base.pth", "base"),
    }  # fmt: skip


def test_weights_of_ultralytics_count_epochs_as_their_table_does() -> None:
    found = found_in("ultralytics", "runs/train/weights/epoch1.pt")

    assert found.step == 2
    assert found.series["train/box_loss"].steps == (1, 2)
    assert found.metrics["metrics/mAP50(B)"] == (0.0, 2)
    assert found.params["imgsz"] == 64
    assert found.inputs["data"].endswith("data/data.yaml")
    assert "time" not in found.series


def test_weights_that_lost_their_epoch_are_found_by_their_figures(tmp_path: Path) -> None:
    run = copy_of("ultralytics", tmp_path)
    table = run / "runs/train/results.csv"
    lines = table.read_text().splitlines()
    other = lines[3].split(",")
    other[9] = "9.9"  # val/box_loss of the last epoch is no longer that of best.pt
    table.write_text("\n".join([*lines[:3], ",".join(other)]) + "\n")

    found = read("ultralytics", files_in(run, "runs/train/weights/best.pt"))

    assert found.step == 2
    assert found.series["val/box_loss"].steps == (1, 2)
    assert found.metrics["fitness"] == (0.0, 2)


def test_a_checkpoint_of_openclip_has_the_evaluation_of_its_epoch() -> None:
    found = found_in("openclip", "logs/tiny-run/checkpoints/epoch_1.pt", step=1)

    assert (found.step, found.run) == (1, "tiny-run")
    assert found.metrics["clip_val_loss"][1] == 1
    assert found.series["clip_val_loss"].steps == (1,)
    assert found.params["batch_size"] == 4
    assert found.params["lr"] == 0.0005
    assert found.params["skip_scheduler"] is False
    assert set(found.inputs) == {"train_data", "val_data"}


@pytest.mark.parametrize("trainer", ["lightning", "timm", "ultralytics", "openclip", "torch"])
def test_a_cut_model_file_is_a_problem_and_no_more(trainer: str, tmp_path: Path) -> None:
    run = copy_of(trainer, tmp_path)
    suffixes = {".pt", ".ckpt", ".tar"}
    path = next(one for one in sorted(run.rglob("*")) if one.suffix in suffixes)
    path.write_bytes(path.read_bytes()[:2_000])

    found = read(trainer, files_in(run, path.relative_to(run).as_posix()))

    (problem,) = found.problems
    assert problem.startswith(path.relative_to(run).as_posix())
