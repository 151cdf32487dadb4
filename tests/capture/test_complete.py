"""Whether a unit is whole is told by its files, never by time."""

import json
from pathlib import Path

import pytest

from regtui.capture.complete import Completeness, completeness
from regtui.capture.listing import list_folder
from regtui.capture.recognise import recognise
from regtui.capture.recogniser import built_in
from regtui.capture.run_files import on_disk
from tests.artifacts.model_files import safetensors, written

ROOT = Path(__file__).parents[1]
WEIGHTS = safetensors({"w": bytes(100)})


def known(folder: Path, files: dict[str, bytes]) -> Completeness:
    """Return what is known of the one unit that these files make."""
    for path, content in files.items():
        written(folder / path, content)
    listing = list_folder(folder)
    assert listing is not None
    [unit] = recognise(listing, built_in())
    return completeness(unit, on_disk(folder, unit.path, unit.files))


def index(*parts: str) -> bytes:
    return json.dumps({"weight_map": {f"w{n}": part for n, part in enumerate(parts)}}).encode()


def test_a_file_whose_format_tells_its_end_is_certain(tmp_path: Path) -> None:
    found = known(tmp_path, {"a.safetensors": WEIGHTS})

    assert (found.whole, found.certain, found.reserved) == (True, True, ("a.safetensors",))


@pytest.mark.parametrize("end", ["gguf", "onnx", "keras", "h5", "pt", "cbm", "ckpt"])
def test_an_empty_file_is_nothing_yet(tmp_path: Path, end: str) -> None:
    assert known(tmp_path, {f"net.{end}": b""}).whole is False


RECORDED = {
    "catboost-plain.cbm": "model.cbm",
    "gguf-little.gguf": "model.gguf",
    "hdf5-newer.h5": "model.h5",
    "keras-plain.keras": "model.keras",
    "keras-plain.weights.h5": "model.weights.h5",
    "lightgbm-plain.txt": "model.txt",
    "safetensors-mixed.safetensors": "model.safetensors",
    "xgboost-dart.json": "model.json",
}


@pytest.mark.parametrize("recorded", RECORDED)
def test_real_files_are_whole_and_no_part_of_them_is(tmp_path: Path, recorded: str) -> None:
    content = (ROOT / "formats" / "recorded" / recorded).read_bytes()
    name = RECORDED[recorded]

    whole = known(tmp_path / "whole", {name: content})
    assert (whole.whole, whole.certain) == (True, True)
    for end in {1, len(content) // 3, len(content) // 2, len(content) - 1}:
        part = known(tmp_path / str(end), {name: content[:end]})
        assert not (part.whole and part.certain)


def test_an_index_needs_all_its_parts(tmp_path: Path) -> None:
    files = {
        "m/config.json": b"{}",
        "m/model-00001-of-00002.safetensors": WEIGHTS,
        "m/model-00002-of-00002.safetensors": WEIGHTS,
        "m/model.safetensors.index.json": index(
            "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
        ),
    }
    assert known(tmp_path / "a", files).whole
    assert (
        known(tmp_path / "b", {**files, "m/model.safetensors.index.json": b'{"we'}).whole is False
    )
    more = index("model-00001-of-00002.safetensors", "extra.safetensors")
    found = known(tmp_path / "c", {**files, "m/model.safetensors.index.json": more})
    assert found.reason.startswith("extra.safetensors")


def test_an_index_whose_parts_are_all_gone_is_a_rest(tmp_path: Path) -> None:
    files = {
        "m/config.json": b"{}",
        "m/model.safetensors": WEIGHTS,
        "m/model.safetensors.index.json": index("old-00001-of-00001.safetensors"),
    }
    assert known(tmp_path, files).whole


def test_what_mlflow_names_must_be_there(tmp_path: Path) -> None:
    files = {
        "m/MLmodel": b"flavors:\n  python_function:\n    model_path: model.pkl\n"
        b"    env:\n      conda: conda.yaml\n",
        "m/conda.yaml": b"name: x\n",
    }
    assert known(tmp_path / "a", files).reason.startswith("model.pkl")
    found = known(tmp_path / "b", {**files, "m/model.pkl": b"\x80\x02}q\x00."})
    assert (found.whole, found.certain) == (True, False)


def test_a_distributed_checkpoint_needs_the_parts_of_its_table(tmp_path: Path) -> None:
    table = b"\x80\x02X\x0b\x00\x00\x00__0_0.distcpX\x0b\x00\x00\x00__1_0.distcp."
    files = {"d/.metadata": table, "d/__0_0.distcp": b"x"}

    assert known(tmp_path / "a", files).reason.startswith("__1_0.distcp")


def test_a_file_with_companions_is_never_certain(tmp_path: Path) -> None:
    recorded = ROOT / "formats" / "recorded" / "onnx-plain.onnx"
    found = known(tmp_path, {"a.onnx": recorded.read_bytes(), "a.onnx.data": b"x"})

    assert (found.whole, found.certain) == (True, False)


def test_a_file_that_is_something_else_is_told(tmp_path: Path) -> None:
    found = known(tmp_path, {"model.txt": b"a text about a model"})

    assert (found.whole, found.other) == (False, True)
    assert "LightGBM" in found.reason
