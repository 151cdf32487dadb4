"""No file makes a reader raise, wait, run something, or take memory that it only claims."""

import os
import pickle
import resource
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regtui.capture.findings import Findings
from regtui.capture.readers import READERS, read, read_all
from tests.capture.readers.recorded_runs import RECORDED, copy_of, files_in

UNITS = {
    "transformers": "out/checkpoint-20",
    "peft": "out/checkpoint-4",
    "accelerate": "checkpoints/checkpoint_1",
    "lightning": "lightning_logs/version_0/checkpoints/last.ckpt",
    "torch": "epoch1.pt",
    "keras": "model-02.keras",
    "timm": "last.pth.tar",
    "ultralytics": "runs/train/weights/best.pt",
    "openclip": "logs/tiny-run/checkpoints/epoch_1.pt",
    "sklearn": "model.joblib",
    "xgboost": "model.json",
    "lightgbm": "model.txt",
    "catboost": "model.cbm",
    "tensorboard": "one",
}
ALL = tuple(READERS)
# What readers look for, each of which may hold anything.
NAMES = (
    "regtui.json", "trainer_state.json", "training_args.bin", "config.json", "adapter_config.json",
    "all_results.json", "optimizer.bin", "model.ckpt", "hparams.yaml", "metrics.csv", "model.pt",
    "model.keras", "args.yaml", "results.csv", "summary.csv", "last.pth.tar", "params.txt",
    "results.jsonl", "model.joblib", "model.ubj", "evals.json", "model.txt", "model.cbm",
    "learn_error.tsv", "catboost_training.json", "MLmodel", "mlflow.db", "model.onnx",
    "model.gguf", "model.safetensors", "events.out.tfevents.1", "metrics.json", "params.yaml",
)  # fmt: skip


class Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, int]]:
        return os.mkdir, (str(self.path), 0o700)


def fill(folder: Path, content: bytes) -> None:
    for name in NAMES:
        (folder / name).write_bytes(content)


@pytest.mark.parametrize("trainer", UNITS)
def test_every_reader_can_be_asked_of_every_run(trainer: str) -> None:
    found = read_all(ALL, files_in(RECORDED / trainer, UNITS[trainer]))

    assert not any("failed" in one for one in found.problems)
    assert found.metrics or found.params


def test_a_reader_that_is_none_is_said() -> None:
    with pytest.raises(KeyError):
        read("nothing", files_in(RECORDED / "torch", "epoch1.pt"))


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0" * 5_000, b"\xff" * 5_000, b"[" * 100_000, b'{"a":' * 50_000, b"a: &a [*a, *a]\n",
        b"PK\x03\x04" + b"\xff" * 300, b"\x80\x04" + b"(" * 50_000 + b".", b"NaN", b"null\n",
        b"1e999", b"run_id: a\nmodel_id: b\n",
        b'{"log_history": [{"step": 1e400, "loss": []}], "global_step": -1}',
        b'{"metrics": null, "params": [], "series": {"a": {"values": [1], "steps": [1e300]}}}',
        b"GGUF\x03\0\0\0" + b"\xff" * 64, b"\xff" * 7 + b"\x7f" + b"{" * 900,
    ],
    ids=lambda one: repr(one[:12]),
)  # fmt: skip
def test_files_that_hold_anything_are_problems_and_no_more(tmp_path: Path, content: bytes) -> None:
    fill(tmp_path, content)

    found = read_all(ALL, files_in(tmp_path, ""))

    assert not any("failed" in one for one in found.problems)
    assert isinstance(found, Findings)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(content=st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_files_that_hold_random_bytes_are_problems_and_no_more(
    tmp_path: Path, content: bytes
) -> None:
    fill(tmp_path, content)

    found = read_all(ALL, files_in(tmp_path, ""))

    assert not any("failed" in one for one in found.problems)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
@given(st.data())
def test_damaged_output_of_real_trainers_is_read_or_a_problem(
    tmp_path: Path, data: st.DataObject
) -> None:
    trainer = data.draw(st.sampled_from(sorted(UNITS)))
    run = tmp_path / trainer
    if not run.exists():
        copy_of(trainer, tmp_path)
    paths = sorted(path for path in run.rglob("*") if path.is_file() and path.stat().st_size)
    path = data.draw(st.sampled_from(paths))
    whole = bytearray((RECORDED / trainer / path.relative_to(run)).read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(whole)[: data.draw(st.integers(1, len(whole)))])

    found = read_all(ALL, files_in(run, UNITS[trainer]))

    path.write_bytes((RECORDED / trainer / path.relative_to(run)).read_bytes())
    assert not any("failed" in one for one in found.problems)


def test_files_that_claim_ten_gigabytes_cost_nothing(tmp_path: Path) -> None:
    for name in NAMES:
        with (tmp_path / name).open("wb") as file:
            file.write(b"\xff\xff\xff\xff\x02\0\0\0{")  # also a length of ten gigabytes
            file.truncate(10 << 30)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    found = read_all(ALL, files_in(tmp_path, ""))

    unit = 1 if sys.platform == "darwin" else 1024
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 200 << 20
    assert found.metrics == {}
    assert any("more than can be read" in one for one in found.problems)


def test_pickles_run_nothing(tmp_path: Path) -> None:
    fill(tmp_path, pickle.dumps({"epoch": 3, "evil": Touch(tmp_path / "made")}))

    found = read_all(ALL, files_in(tmp_path, ""))

    assert not (tmp_path / "made").exists()
    assert found.step == 3


def test_pipes_links_to_nowhere_and_folders_are_problems(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "metrics.json")
    (tmp_path / "params.yaml").symlink_to("nowhere")
    (tmp_path / "log.csv").mkdir()
    files = files_in(tmp_path, "")
    given = ["metrics.json", "params.yaml", "log.csv"]
    files = type(files)("", {name: tmp_path / name for name in given})

    found = read_all(["nearby"], files)

    assert found.problems == (
        "metrics.json: it is no regular file",
        "params.yaml: No such file or directory",
        "log.csv: it is no regular file",
    )
