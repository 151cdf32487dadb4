"""Writes the small files under `pickles/` with the libraries themselves.

    pip install torch transformers accelerate lightning omegaconf pandas scikit-learn skops \
        xgboost lightgbm catboost
    python tests/formats/recorded/make_pickles.py

Beside the files it writes `pickles.json`: for each file the names that a real unpickler asked
`find_class` for, and the arrays of torch files with the CRC-32 of their bytes, so that the fast
tests compare the readers with what the libraries themselves did.
"""

import argparse
import collections
import io
import json
import pickle
import sys
import tarfile
import warnings
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

FOLDER = Path(__file__).parent / "pickles"
MOST = 20_000


class Recorder(pickle.Unpickler):
    """Loads for real and remembers what was asked for."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.names: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(f"{module}.{name}")
        return super().find_class(module, name)

    def persistent_load(self, pid: Any) -> Any:
        import torch

        kind, count = pid[1], pid[4]
        if kind is torch.UntypedStorage:
            return torch.storage.TypedStorage(
                wrap_storage=torch.UntypedStorage(count), dtype=torch.uint8, _internal=True
            )
        size = count * torch.empty(0, dtype=kind.dtype).element_size()
        return torch.storage.TypedStorage(
            wrap_storage=torch.UntypedStorage(size), dtype=kind.dtype, _internal=True
        )


def asked(content: bytes) -> set[str]:
    """Load a pickle, or the pickle of a torch archive, and return what it imports."""
    if content.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [name for name in archive.namelist() if name.endswith("data.pkl")]
            content = archive.read(found[0])
    stream, names = io.BytesIO(content), set()
    while stream.tell() < len(content):
        recorder = Recorder(stream)
        try:
            recorder.load()
        except (pickle.UnpicklingError, EOFError, UnicodeDecodeError):
            break  # the storages of a legacy file
        names |= recorder.names
    return names


def arrays(value: Any, name: str = "") -> dict[str, Any]:
    """Return the dense tensors in nested dictionaries."""
    import torch

    if isinstance(value, dict):
        found: dict[str, Any] = {}
        for key, inner in value.items():
            found |= arrays(inner, f"{name}.{key}" if name else str(key))
        return found
    if (
        not isinstance(value, torch.Tensor)
        or value.layout != torch.strided
        or value.is_quantized
        or value.is_meta
    ):
        return {}
    raw = bytes(value.detach().contiguous().cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    described = [str(value.dtype).removeprefix("torch."), list(value.shape)]
    return {name: [*described, zlib.crc32(raw) if value.is_contiguous() else None]}


def torch_files() -> dict[str, tuple[bytes, Any]]:
    """State dicts, odd tensors, whole models, optimizers, in both formats."""
    import torch

    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    base = torch.arange(24, dtype=torch.float32)
    odd = {
        "shared.whole": base,
        "shared.part": base[6:12].reshape(2, 3),
        "transposed": base.reshape(4, 6).t(),
        "half": torch.ones(3, dtype=torch.float16),
        "bfloat16": torch.ones(3, dtype=torch.bfloat16),
        "float8": torch.ones(5).to(torch.float8_e4m3fn),
        "int64": torch.arange(5),
        "bool": torch.tensor([True, False]),
        "complex": torch.ones(2, dtype=torch.complex64),
        "empty": torch.empty(0, 3),
        "scalar": torch.tensor(2.5),
        "uint16": torch.ones(4).to(torch.uint16),
        "parameter": torch.nn.Parameter(torch.ones(2)),
    }
    special = {
        "sparse": torch.eye(3).to_sparse(),
        "csr": torch.eye(3).to_sparse_csr(),
        "quantized": torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8),
        "per_channel": torch.quantize_per_channel(
            torch.ones(2, 2), torch.ones(2), torch.zeros(2), 0, torch.qint8
        ),
        "meta": torch.empty(2, 3, device="meta"),
        "device": torch.device("cpu"),
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
    }
    checkpoint = {
        "epoch": 3,
        "loss": 0.25,
        "name": "demo",
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "scheduler": scheduler.state_dict(),
        "args": argparse.Namespace(lr=0.001, layers=[4, 3, 2], out=PurePosixPath("runs/1")),
        "history": collections.defaultdict(list, {"loss": [1.0, 0.5]}),
    }
    made: dict[str, tuple[bytes, Any]] = {}
    for name, value in [
        ("state_dict", model.state_dict()),
        ("odd_tensors", odd),
        ("special_tensors", special),
        ("checkpoint", checkpoint),
        ("whole_model", model),
    ]:
        for ending, modern in ((".pt", True), (".legacy.pt", False)):
            if name == "whole_model" and not modern:
                continue  # it would carry the source text of torch's own classes
            stored = value
            if name == "odd_tensors" and not modern:
                stored = {key: inner for key, inner in odd.items() if key != "uint16"}
            stream = io.BytesIO()
            torch.save(stored, stream, _use_new_zipfile_serialization=modern)
            made[name + ending] = (stream.getvalue(), stored)
    script = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), script)
    made["torchscript.pt"] = (script.getvalue(), None)
    made["tensor.pkl"] = (pickle.dumps({"w": torch.ones(3)}), None)
    return made


def trainer_files() -> dict[str, tuple[bytes, Any]]:
    """The trainers' own files, shrunk."""
    import torch
    from lightning.fabric.utilities.data import AttributeDict
    from omegaconf import OmegaConf
    from transformers import TrainingArguments

    stream = io.BytesIO()
    settings = TrainingArguments(
        output_dir="out", learning_rate=3e-4, use_cpu=True, report_to=[], save_total_limit=2
    )
    torch.save(settings, stream)
    made: dict[str, tuple[bytes, Any]] = {"training_args.bin": (stream.getvalue(), None)}
    stream = io.BytesIO()
    torch.save(
        {
            "epoch": 2,
            "global_step": 20,
            "pytorch-lightning_version": "2.6.6",
            "state_dict": {"layer.weight": torch.ones(2, 2), "layer.bias": torch.zeros(2)},
            "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_path": "", "k": -1}},
            "hparams_name": "kwargs",
            "hyper_parameters": AttributeDict(lr=0.02, width=8, config=OmegaConf.create({"a": 1})),
        },
        stream,
    )
    made["lightning.ckpt"] = (stream.getvalue(), None)
    return made


def booster_files() -> dict[str, tuple[bytes, Any]]:
    """Estimators of the boosting libraries and tables of pandas, pickled."""
    import catboost
    import lightgbm
    import numpy as np
    import pandas as pd
    import xgboost

    inputs = np.arange(40.0).reshape(20, 2)
    labels = np.arange(20) % 2
    frame = pd.DataFrame(
        {"a": [1, 2], "b": ["x", "y"], "c": pd.Categorical(["u", "v"]), "d": [0.5, 1.5]},
        index=pd.date_range("2026-01-01", periods=2),
    )
    models = {
        "xgboost.pkl": xgboost.XGBClassifier(n_estimators=2, max_depth=2),
        "lightgbm.pkl": lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, min_child_samples=1),
        "catboost.pkl": catboost.CatBoostClassifier(
            iterations=2, depth=2, verbose=0, allow_writing_files=False
        ),
    }
    made = {name: (pickle.dumps(model.fit(inputs, labels)), None) for name, model in models.items()}
    made["pandas.pkl"] = (pickle.dumps(frame), None)
    made["random_state.pkl"] = (
        pickle.dumps([np.random.RandomState(1), np.random.default_rng(1)]),
        None,
    )
    return made


def skops_files() -> dict[str, tuple[bytes, Any]]:
    """A pipeline, and one with a class that nobody knows."""
    import numpy as np
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    inputs = np.arange(40.0).reshape(20, 2)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=0.5))
    packed = {"compression": zipfile.ZIP_DEFLATED, "compresslevel": 9}
    foreign = FunctionTransformer(func=tarfile.open)
    return {
        "pipeline.skops": (skops.io.dumps(pipeline.fit(inputs, np.arange(20) % 2), **packed), None),
        "regression.skops": (skops.io.dumps(pipeline[-1]), None),
        "foreign.skops": (skops.io.dumps(foreign), None),
    }


MAKERS: list[Callable[[], dict[str, tuple[bytes, Any]]]] = [
    torch_files,
    trainer_files,
    booster_files,
    skops_files,
]


def main() -> None:
    """Write everything anew."""
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    told = {}
    for make in MAKERS:
        for name, (content, value) in make().items():
            if len(content) > MOST:
                sys.exit(f"{name} has {len(content)} bytes")
            (FOLDER / name).write_bytes(content)
            names = [] if name.endswith(".skops") or "script" in name else sorted(asked(content))
            told[name] = {"globals": names, "arrays": arrays(value) if value is not None else {}}
    text = json.dumps(told, indent=1, sort_keys=True)
    (FOLDER / "pickles.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
