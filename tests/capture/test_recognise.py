"""What makes a version is told by names; what is half there is nobody's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.recognise import Unit, considered, missing_shards, recognise
from regtui.capture.recogniser import Recogniser, built_in
from tests.capture.listings import listing

CHECKPOINT = [
    "config.json",
    "model.safetensors",
    "training_args.bin",
    "optimizer.pt",
    "scheduler.pt",
    "rng_state.pth",
    "trainer_state.json",
]


def units(
    *paths: str, links: dict[str, str] | None = None, inodes: dict[str, int] | None = None
) -> list[Unit]:
    return recognise(listing(*paths, links=links, inodes=inodes), built_in())


def known(*paths: str) -> list[tuple[str, str]]:
    return [(one.recogniser.name, one.path) for one in units(*paths)]


def test_a_checkpoint_is_one_version_with_step_and_run() -> None:
    [unit] = units(*(f"out/bert/checkpoint-20/{name}" for name in CHECKPOINT))

    assert (unit.recogniser.name, unit.path) == (
        "transformers-checkpoint",
        "out/bert/checkpoint-20",
    )
    assert (unit.run, unit.step, unit.lacks) == ("out/bert", 20, ())
    assert unit.inner(unit.files[0]) == "config.json"


@given(st.sets(st.sampled_from(CHECKPOINT[:-1])))
def test_no_part_of_a_checkpoint_is_a_version(names: set[str]) -> None:
    found = units(*(f"checkpoint-20/{name}" for name in sorted(names)))

    assert [one for one in found if not one.lacks] == []


def test_a_checkpoint_in_which_a_file_was_removed_by_name_lacks_its_fellow() -> None:
    [unit] = units(*(f"checkpoint-20/{name}" for name in CHECKPOINT if name != "scheduler.pt"))

    assert unit.lacks == ("scheduler.pt",)


def test_the_final_model_takes_none_of_the_checkpoints_beside_it() -> None:
    found = units(
        *(f"out/checkpoint-20/{name}" for name in CHECKPOINT),
        "out/config.json",
        "out/model.safetensors",
        "out/train.log",
        "out/runs/events.out.tfevents.1",
    )

    assert [(one.path, len(one.files)) for one in found] == [("out", 2), ("out/checkpoint-20", 7)]


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (
            ["r/checkpoint_3/model.safetensors", "r/checkpoint_3/random_states_0.pkl"],
            ("accelerate", "r/checkpoint_3"),
        ),
        (
            ["v/checkpoints/epoch=1-step=20.ckpt"],
            ("lightning", "v/checkpoints/epoch=1-step=20.ckpt"),
        ),
        (["train/weights/best.pt"], ("ultralytics", "train/weights/best.pt")),
        (["r/best.pt"], ("torch", "r/best.pt")),
        (["r/checkpoint-7.pth.tar"], ("timm", "r/checkpoint-7.pth.tar")),
        (["r/checkpoints/epoch_3.pt"], ("openclip", "r/checkpoints/epoch_3.pt")),
        (["dcp/.metadata", "dcp/__0_0.distcp"], ("torch-distributed", "dcp")),
        (["r/model.keras"], ("keras", "r/model.keras")),
        (["r/x.weights.h5"], ("keras", "r/x.weights.h5")),
        (
            [
                "s/saved_model.pb",
                "s/variables/variables.index",
                "s/variables/variables.data-00000-of-00001",
            ],
            ("tensorflow", "s"),
        ),
        (["r/iris.joblib"], ("sklearn", "r/iris.joblib")),
        (["r/model.ubj"], ("xgboost", "r/model.ubj")),
        (["r/model.txt"], ("lightgbm", "r/model.txt")),
        (["r/model.cbm"], ("catboost", "r/model.cbm")),
        (["m/MLmodel", "m/model.pkl", "m/conda.yaml"], ("mlflow", "m")),
        (["r/net.onnx", "r/net.onnx.data"], ("onnx", "r/net.onnx")),
        (["r/net.gguf"], ("gguf", "r/net.gguf")),
        (["r/net.safetensors"], ("safetensors", "r/net.safetensors")),
        (["a/adapter_config.json", "a/adapter_model.safetensors"], ("transformers-model", "a")),
    ],
)
def test_every_trainer_is_known(paths: list[str], expected: tuple[str, str]) -> None:
    [unit] = units(*paths)

    assert (unit.recogniser.name, unit.path) == expected
    assert unit.files == tuple(sorted(paths))
    assert unit.lacks == ()


def test_what_is_kept_for_a_restart_or_logged_is_never_a_version() -> None:
    assert (
        known("backup/latest.weights.h5", "backup/training_metadata.json", "events.out.tfevents.7")
        == []
    )
    assert known("r/metrics.json", "r/config.json", "r/results.csv", "r/optimizer.pt") == []


def test_steps_are_read_from_names() -> None:
    steps = [
        one.step for one in units("a/epoch=3-step=120.ckpt", "b/model_50.pt", "c/resnet-50.pt")
    ]

    assert steps == [120, 50, None]


def test_several_names_of_one_file_are_one_version() -> None:
    [unit] = units(
        "r/last.pth.tar", "r/checkpoint-7.pth.tar", "r/model_best.pth.tar",
        inodes={"r/last.pth.tar": 5, "r/checkpoint-7.pth.tar": 5, "r/model_best.pth.tar": 5},
    )  # fmt: skip

    assert unit.path == "r/checkpoint-7.pth.tar"
    assert unit.labels == ("r/last.pth.tar", "r/model_best.pth.tar")


def test_links_are_labels() -> None:
    [unit] = units("r/step=1.ckpt", links={"r/last.ckpt": "r/step=1.ckpt"})
    assert (unit.path, unit.labels) == ("r/step=1.ckpt", ("r/last.ckpt",))

    names = [f"r/checkpoint-20/{name}" for name in CHECKPOINT]
    [unit] = units(*names, links={"r/latest": "r/checkpoint-20"})
    assert unit.labels == ("r/latest",)


def test_parts_are_one_version_which_lacks_those_that_are_not_there() -> None:
    [whole] = units("m-00001-of-00002.gguf", "m-00002-of-00002.gguf")
    [part] = units("m-00001-of-00003.gguf", "m-00002-of-00003.gguf")

    assert (len(whole.files), whole.lacks) == (2, ())
    assert part.lacks == ("m-00003-of-00003.gguf",)
    assert missing_shards(["w-00002-of-00002.bin"]) == ["w-00001-of-00002.bin"]


def test_what_was_considered_is_told() -> None:
    there = listing("checkpoint-5/model.safetensors")
    told = dict(considered(there, "checkpoint-5", built_in()))

    assert told["transformers-checkpoint"] == "it lacks trainer_state.json"
    assert considered(listing("notes.txt"), "notes.txt", built_in()) == []


NAMES = st.sampled_from([
    *CHECKPOINT, "random_states_0.pkl", "optimizer.bin", ".metadata", "__0_0.distcp", "MLmodel",
    "best.pt", "last.ckpt", "step=3.ckpt", "a.keras", "m.joblib", "m-00001-of-00002.safetensors",
    "m-00002-of-00002.safetensors", "x.onnx", "x.onnx.data", "latest.weights.h5", "saved_model.pb",
])  # fmt: skip
FOLDERS = st.sampled_from(
    ["", "a/", "a/b/", "checkpoint-1/", "a/checkpoint-2/", "weights/", "a/checkpoints/", "backup/"]
)


@given(st.sets(st.tuples(FOLDERS, NAMES).map("".join), max_size=25))
def test_no_file_is_in_two_versions_and_each_version_is_of_files_that_are_there(
    paths: set[str],
) -> None:
    found = units(*sorted(paths))
    files = [file for one in found for file in one.files]

    assert len(files) == len(set(files))
    assert set(files) <= paths
    assert all(one.files for one in found)
    assert sorted(one.path for one in found) == [one.path for one in found]


@pytest.mark.parametrize("pattern", ["{stem}.part", "{stem}.p*", "[{]stem}.part", "{name}.part"])
def test_companions_are_named_by_a_pattern_with_or_without_wildcards(pattern: str) -> None:
    ours = Recogniser(name="ours", unit="file", match=("*.net",), companions=(pattern,))
    there = ("r/a[1].net", "r/a[1].part", "r/a[1].net.part", "r/a1.part", "q/a[1].part")

    [unit] = recognise(listing(*there), [ours])

    wanted = {
        "{stem}.part": ["r/a[1].part"],
        "{stem}.p*": ["r/a[1].part"],
        "[{]stem}.part": [],
        "{name}.part": ["r/a[1].net.part"],
    }
    assert sorted(unit.files) == sorted(["r/a[1].net", *wanted[pattern]])
