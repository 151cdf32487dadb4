import json
import zlib
from typing import Any

import pytest

from regtui.formats.values import Facts, Limits
from tests.formats.recorded_files import RECORDED, facts_of, facts_of_recorded, recorded

TOLD: dict[str, dict[str, Any]] = json.loads((RECORDED / "pickles" / "pickles.json").read_text())
WITH_A_FILE_WITHIN = "tensor.pkl"  # a real unpickler does not see into it
GENUINE = sorted(set(TOLD) - {"foreign.skops"})


def facts_of_pickle(name: str) -> Facts:
    return facts_of_recorded(f"pickles/{name}")


@pytest.mark.parametrize("name", GENUINE)
def test_genuine_files_are_read_whole_and_none_is_dangerous(name: str) -> None:
    facts = facts_of_pickle(name)

    assert facts.safety in {"tensors-only", "needs-classes"}
    assert facts.complete is True
    assert facts.problem is None


@pytest.mark.parametrize("name", [name for name in GENUINE if TOLD[name]["globals"]])
def test_the_names_are_those_that_a_real_unpickler_asked_for(name: str) -> None:
    found = set(facts_of_pickle(name).globals)

    if name == WITH_A_FILE_WITHIN:
        found.remove("torch.FloatStorage")
    assert found == set(TOLD[name]["globals"])


@pytest.mark.parametrize("name", [name for name in GENUINE if TOLD[name]["arrays"]])
def test_torch_tensors_lie_where_the_table_says(name: str) -> None:
    content = recorded(f"pickles/{name}")
    found = {tensor.name: tensor for tensor in facts_of_pickle(name).tensors}

    for key, (kind, shape, checksum) in TOLD[name]["arrays"].items():
        tensor = found[key]
        assert (tensor.dtype, list(tensor.shape)) == (kind, shape)
        if checksum is None:
            assert tensor.offset is None
        else:
            assert tensor.offset is not None
            assert zlib.crc32(content[tensor.offset : tensor.offset + tensor.size]) == checksum


@pytest.mark.parametrize("name", ["special_tensors.pt", "special_tensors.legacy.pt"])
def test_sparse_quantized_and_meta_tensors_are_listed(name: str) -> None:
    found = {tensor.name: tensor for tensor in facts_of_pickle(name).tensors}

    assert (found["sparse"].dtype, found["sparse"].shape) == ("float32", (3, 3))
    assert (found["csr"].dtype, found["csr"].shape) == ("float32", (3, 3))
    assert (found["quantized"].dtype, found["quantized"].shape) == ("qint8", (3,))
    assert found["per_channel"].shape == (2, 2)
    assert (found["meta"].shape, found["meta"].offset) == ((2, 3), None)


@pytest.mark.parametrize(
    ("name", "form", "safety"),
    [
        ("state_dict.pt", "torch", "tensors-only"),
        ("state_dict.legacy.pt", "torch-legacy", "tensors-only"),
        ("torchscript.pt", "torchscript", "needs-classes"),
        ("whole_model.pt", "torch", "needs-classes"),
        ("lightning.ckpt", "torch", "needs-classes"),
        ("training_args.bin", "torch", "needs-classes"),
        ("xgboost.pkl", "pickle", "needs-classes"),
        ("pandas.pkl", "pickle", "needs-classes"),
        ("pipeline.skops", "skops", "needs-classes"),
        ("foreign.skops", "skops", "dangerous"),
    ],
)
def test_formats_and_verdicts(name: str, form: str, safety: str) -> None:
    facts = facts_of_pickle(name)

    assert (facts.format, facts.safety) == (form, safety)


def test_a_checkpoint_s_metadata_is_flat() -> None:
    metadata = facts_of_pickle("checkpoint.pt").metadata

    wanted = {
        "epoch": 3,
        "loss": 0.25,
        "name": "demo",
        "args.class": "argparse.Namespace",
        "args.lr": 0.001,
        "args.layers.1": 3,
        "args.out": "runs/1",
        "optimizer.param_groups.0.betas.1": 0.999,
        "history.loss.1": 0.5,
    }
    assert wanted.items() <= metadata.items()


def test_lightning_s_hyperparameters_are_metadata() -> None:
    metadata = facts_of_pickle("lightning.ckpt").metadata

    wanted = {
        "epoch": 2,
        "global_step": 20,
        "pytorch-lightning_version": "2.6.6",
        "hyper_parameters.lr": 0.02,
        "hyper_parameters.width": 8,
    }
    assert wanted.items() <= metadata.items()


def test_all_training_arguments_are_metadata() -> None:
    metadata = facts_of_pickle("training_args.bin").metadata

    assert metadata["class"] == "transformers.training_args.TrainingArguments"
    assert metadata["learning_rate"] == 0.0003
    assert metadata["lr_scheduler_type"] == "linear"
    assert metadata["save_strategy"] == "steps"
    assert metadata["save_total_limit"] == 2
    assert len(metadata) >= 110


def test_skops_arrays_are_named_by_their_place_in_the_model() -> None:
    facts = facts_of_pickle("regression.skops")

    assert [(tensor.name, tensor.shape) for tensor in facts.tensors] == [
        ("classes_", (2,)),
        ("n_iter_", (1,)),
        ("coef_", (1, 2)),
        ("intercept_", (1,)),
    ]
    assert facts.metadata["params.C"] == 0.5
    assert facts.metadata["class"] == "sklearn.linear_model._logistic.LogisticRegression"


def test_a_foreign_name_in_a_skops_file_is_named() -> None:
    assert "tarfile.TarFile" in facts_of_pickle("foreign.skops").globals


@pytest.mark.parametrize("name", ["state_dict.pt", "state_dict.legacy.pt", "pandas.pkl"])
def test_a_file_that_is_cut_anywhere_is_never_said_to_be_complete(name: str) -> None:
    content = recorded(f"pickles/{name}")
    for length in range(4, len(content)):
        facts = facts_of(content[:length], name)

        assert not facts.complete, length
        assert facts.safety == "unread", length


def test_limits_cut_tables_and_say_so() -> None:
    content = recorded("pickles/training_args.bin")

    facts = facts_of(content, "training_args.bin", Limits(metadata=10))
    assert facts.cut
    assert len(facts.metadata) <= 13  # and the three texts of the archive
    facts = facts_of(recorded("pickles/state_dict.pt"), "a.pt", Limits(tensors=20, depth=1))
    assert facts.safety in {"tensors-only", "unread"}
