"""The libraries themselves write, and their own readers say what is right.

Needs the dependency group `formats`.
"""

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from regtui.formats.values import Facts
from tests.formats.recorded_files import facts_of
from tests.formats.test_damaged_models import CARRIERS, FILES, sound

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

LIBRARIES = {
    "safetensors": "safetensors",
    "gguf": "gguf",
    "onnx": "onnx",
    "hdf5": "h5py",
    "keras": "keras",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
}


def made(family: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Let a library write its files; return it."""
    if family == "keras":
        monkeypatch.setenv("KERAS_BACKEND", "jax")
        pytest.importorskip("jax")
    library: ModuleType = pytest.importorskip(LIBRARIES[family])
    importlib.import_module(f"tests.formats.recorded.make_{family}").make(folder)
    return library


def read(path: Path) -> Facts:
    return facts_of(path.read_bytes(), path.name)


def raw(path: Path, facts: Facts) -> dict[str, bytes]:
    """The bytes of the tensors that have a place."""
    content = path.read_bytes()
    return {
        item.name: content[item.offset : item.offset + item.size]
        for item in facts.tensors
        if item.offset is not None
    }


@pytest.mark.parametrize("family", LIBRARIES)
def test_files_of_the_installed_version_are_judged_as_the_recorded_ones(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(family, tmp_path, monkeypatch)
    files = sorted(file for file in tmp_path.iterdir() if file.is_file())
    assert [file.name for file in files] == [name for name in FILES if name.startswith(family)]
    for file in files:
        facts = read(file)
        sound(facts)
        assert (facts.safety == "dangerous") == (file.name in CARRIERS)
        assert facts.safety != "unread"
        assert facts.complete is not False


def test_safetensors_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made("safetensors", tmp_path, monkeypatch)
    from safetensors.numpy import load_file

    path = tmp_path / "safetensors-mixed.safetensors"
    facts = read(path)
    arrays = load_file(path)
    assert {item.name: (item.dtype, item.shape) for item in facts.tensors} == {
        name: (str(array.dtype), array.shape) for name, array in arrays.items()
    }
    assert raw(path, facts) == {name: array.tobytes() for name, array in arrays.items()}


@pytest.mark.parametrize("order", ["little", "big"])
def test_gguf_agrees(order: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf = made("gguf", tmp_path, monkeypatch)
    path = tmp_path / f"gguf-{order}.gguf"
    reader = gguf.GGUFReader(path)
    facts = read(path)
    assert [(item.name, item.offset, item.size) for item in facts.tensors] == [
        (item.name, int(item.data_offset), int(item.n_bytes)) for item in reader.tensors
    ]
    kept = {key.removesuffix(".length") for key in facts.metadata if not key.startswith("gguf.")}
    assert kept == {key for key in reader.fields if not key.startswith("GGUF.")}


@pytest.mark.parametrize("name", ["onnx-plain.onnx", "onnx-rich.onnx"])
def test_onnx_agrees(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    onnx = made("onnx", tmp_path, monkeypatch)
    path = tmp_path / name
    model = onnx.load(path, load_external_data=False)
    facts = read(path)
    own = {item.name: item for item in facts.tensors if not item.name.startswith("branch")}
    assert {name: item.shape for name, item in own.items()} == {
        item.name: tuple(item.dims) for item in model.graph.initializer
    }
    places = raw(path, facts)
    for item in model.graph.initializer:
        if item.HasField("raw_data"):
            assert places[item.name] == item.raw_data


@pytest.mark.parametrize("name", ["older", "newer", "user-block"])
def test_hdf5_agrees(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    h5py = made("hdf5", tmp_path, monkeypatch)
    path = tmp_path / f"hdf5-{name}.h5"
    facts = read(path)
    places = raw(path, facts)
    with h5py.File(path) as file:
        count = 0

        def visit(_: str, item: Any) -> None:
            nonlocal count
            count += isinstance(item, h5py.Dataset)

        file.visititems(visit)
        assert len(facts.tensors) == count
        for tensor in facts.tensors:
            array = file[tensor.name]
            assert array.shape == tensor.shape
            expected = array.id.get_offset()
            user_block = file.userblock_size if expected is not None else 0
            assert tensor.offset in {expected, (expected or 0) + user_block}
            if tensor.dtype not in {"string", "variable"} and tensor.offset is not None:
                assert places[tensor.name] == array[()].tobytes()


def test_keras_weights_agree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keras = made("keras", tmp_path, monkeypatch)
    path = tmp_path / "keras-plain.keras"
    weights = keras.saving.load_model(path).get_weights()
    places = raw(path, read(path))
    found = [places[f"layers/dense/vars/{index}"] for index in range(2)]
    assert found == [array.tobytes() for array in weights]


def test_more_datasets_than_one_node_of_symbols_holds_are_all_found(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "many.h5"
    with h5py.File(path, "w") as file:
        for index in range(3000):
            file[f"group/{index}"] = [index]
    facts = read(path)
    assert (facts.complete, facts.problem, len(facts.tensors)) == (True, None, 3000)


def test_a_lightgbm_model_with_categories_is_complete(tmp_path: Path) -> None:
    lightgbm = pytest.importorskip("lightgbm")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": pandas.Categorical(list("abcd") * 20), "b": range(80)})
    model = lightgbm.train({"verbose": -1}, lightgbm.Dataset(frame, frame["b"] % 2), 2)
    path = tmp_path / "model.txt"
    model.save_model(path)
    assert read(path).complete is True
