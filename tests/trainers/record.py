"""Runs the trainers and keeps the small files that tests of the readers need.

    python tests/trainers/record.py [NAME]...

What is kept is what the library wrote, byte for byte, but for three things: in torch files weights
beyond 1 KiB are zeros, and large members packed; optimizer states and the like are left out; of
MLflow's database only the tables of runs are kept.
"""

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
RECORDED = HERE.parent / "capture" / "recorded"

KEPT = {
    "transformers": [
        "out/checkpoint-*/config.json", "out/checkpoint-*/trainer_state.json",
        "out/checkpoint-*/training_args.bin", "out/*.json", "out/training_args.bin",
        "out/runs/**/*",
    ],
    "peft": [
        "out/checkpoint-4/adapter_*", "out/checkpoint-4/README.md",
        "out/checkpoint-4/trainer_state.json", "out/checkpoint-4/training_args.bin",
    ],
    "accelerate": ["checkpoints/checkpoint_1/*"],
    "lightning": ["lightning_logs/**/*"],
    "torch": ["*"],
    "keras": ["*"],
    "timm": ["args.yaml", "summary.csv", "checkpoint-1.pth.tar", "last.pth.tar"],
    "ultralytics": ["runs/train/*.*", "runs/train/weights/best.pt", "runs/train/weights/epoch1.pt"],
    "openclip": [
        "logs/*/params.txt", "logs/*/checkpoints/results.jsonl", "logs/*/checkpoints/epoch_1.pt",
    ],
    "sklearn": ["*"],
    "xgboost": ["*.*", "checkpoints/*"],
    "lightgbm": ["*"],
    "catboost": ["*.cbm", "catboost_info/*.*", "catboost_info/*/*"],
    "mlflow": ["files/mlruns/**/*", "sqlite/mlruns/**/MLmodel", "sqlite/mlflow.db"],
    "tensorboard": ["**/*"],
}  # fmt: skip
TABLES = {
    "experiments", "runs", "metrics", "latest_metrics", "params", "tags", "datasets", "inputs",
    "input_tags", "logged_models",
}  # fmt: skip
INLINE = 1 << 10


def record(name: str) -> None:
    work = Path(tempfile.gettempdir()) / "runs" / name
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    program = shutil.copy(HERE / f"run_{name}.py", work.parent)
    told = {
        **os.environ, "HF_HUB_OFFLINE": "1", "LOGNAME": "ann", "USER": "ann",
        "YOLO_CONFIG_DIR": str(work.parent), "CUDA_VISIBLE_DEVICES": "",
    }  # fmt: skip
    command = [sys.executable, "-W", "ignore", program, str(work)]
    subprocess.run(command, check=True, cwd=work, env=told, stdout=subprocess.DEVNULL)
    shutil.rmtree(RECORDED / name, ignore_errors=True)
    for path in sorted({path for one in KEPT[name] for path in work.glob(one) if path.is_file()}):
        target = RECORDED / name / path.relative_to(work)
        target.parent.mkdir(parents=True, exist_ok=True)
        keep(path, target)


def keep(path: Path, target: Path) -> None:
    if path.suffix == ".db":
        keep_tables(path, target)
    elif path.suffix in {".pt", ".tar", ".ckpt"} and zipfile.is_zipfile(path):
        keep_outline(path, target)
    else:
        shutil.copy(path, target)


def keep_tables(path: Path, target: Path) -> None:
    """Copy a database of MLflow with the tables of its runs."""
    shutil.copy(path, target)
    with sqlite3.connect(target, isolation_level=None) as connection:
        names = connection.execute("select name from sqlite_master where type = 'table'").fetchall()
        for (name,) in names:
            if name not in TABLES and not name.startswith("sqlite_"):
                connection.execute(f'drop table "{name}"')
        connection.execute("pragma page_size = 1024")
        connection.execute("vacuum")
    connection.close()


def keep_outline(path: Path, target: Path) -> None:
    """Copy a file of torch with its larger weights as zeros."""
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(target, "w") as made:
        for member in given.infolist():
            large = member.file_size > INLINE
            weights = large and "/data/" in member.filename
            content = bytes(member.file_size) if weights else given.read(member)
            method = zipfile.ZIP_DEFLATED if large else zipfile.ZIP_STORED
            made.writestr(zipfile.ZipInfo(member.filename), content, method)


if __name__ == "__main__":
    for trainer in sys.argv[1:] or KEPT:
        print(trainer, flush=True)
        record(trainer)
