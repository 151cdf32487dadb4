import io
import json
import struct
import zipfile
from typing import Any

import pytest

from regtui.formats.values import Facts
from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded


def archive(config: Any, *, method: int = zipfile.ZIP_STORED, weights: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        made.writestr("metadata.json", '{"keras_version": "3.15.1"}')
        made.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        if weights:
            made.writestr("model.weights.h5", weights)
    return buffer.getvalue()


def made_of(*layers: Any) -> dict[str, Any]:
    config = {"name": "net", "layers": list(layers)}
    return {"module": "keras", "class_name": "Sequential", "config": config}


@pytest.mark.parametrize("name", ["model.weights.npz", "assets/a.pkl", "notes.txt"])
def test_pickles_beside_the_config_are_judged(name: str) -> None:
    """Keras itself has read weights as arrays of objects."""
    objects = b"\x93NUMPY\x01\0" + struct.pack("<H", 55)
    objects += b"{'descr':'|O','fortran_order':False,'shape':(1,)}".ljust(55)
    evil = b"\x80\x02cposix\nsystem\n(X\x04\0\0\0truetR."
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as made:
        made.writestr("a.npy", objects + evil)
    content = inner.getvalue() if name.endswith(".npz") else evil
    buffer = io.BytesIO(archive(made_of()))
    with zipfile.ZipFile(buffer, "a") as made:
        made.writestr(name, content)
    facts = facts_of(buffer.getvalue(), "model.keras")
    assert (facts.format, facts.safety) == ("keras", "dangerous")
    assert "posix.system" in facts.globals


def judged(*layers: Any) -> Facts:
    facts = facts_of(archive(made_of(*layers)), "model.keras")
    assert (facts.format, facts.complete) == ("keras", True)
    return facts


def layer(module: str | None, name: str, **config: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def test_a_file_of_the_library_tells_its_weights_where_they_lie() -> None:
    content = recorded("keras-plain.keras")
    facts = facts_of(content)
    assert (facts.format, facts.safety, facts.complete) == ("keras", "no-code", True)
    bias = next(item for item in facts.tensors if item.name == "layers/dense/vars/1")
    assert (bias.dtype, bias.shape, bias.size) == ("float32", (3,), 12)
    assert bias.offset is not None
    assert content[bias.offset : bias.offset + 12] == bytes(12)
    assert facts.metadata["keras_version"] == "3.15.1"
    assert facts.metadata["class"] == "Sequential"
    assert facts.metadata["loss"] == "mse"


def test_packed_weights_have_no_place_in_the_file() -> None:
    weights = recorded("keras-plain.weights.h5")
    facts = facts_of(archive(made_of(), method=zipfile.ZIP_DEFLATED, weights=weights))
    assert facts.complete is True
    assert [item.offset for item in facts.tensors] == [None] * len(facts.tensors)
    assert facts.tensors


@pytest.mark.parametrize("name", ["keras-lambda.keras", "keras-lambda.json", "keras-lambda.h5"])
def test_a_lambda_of_the_library_is_dangerous_in_every_container(name: str) -> None:
    facts = facts_of_recorded(name)
    assert facts.safety == "dangerous"
    assert any("ambda" in item for item in facts.globals)
    assert facts.problem == "it has a Lambda, which runs code of the file"


def test_an_own_class_needs_that_class() -> None:
    facts = facts_of_recorded("keras-own-class.keras")
    assert (facts.safety, facts.globals) == ("needs-classes", ("Shop>Double",))


def test_classes_of_keras_need_nothing() -> None:
    facts = judged(
        layer("keras.layers", "Dense", kernel=layer("keras.initializers", "Zeros")),
        layer("keras.src.ops.numpy", "Add"),
        {"class_name": "Dense", "config": {"name": "as older versions write it"}},
        {"class_name": "__tuple__", "items": [1, 2]},
        {"class_name": "TFOpLambda", "config": {"function": "math.multiply"}},
    )
    assert (facts.safety, facts.globals) == ("no-code", ())


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (layer("keras.layers", "Lambda"), "keras.layers.Lambda"),
        (layer(None, "Lambda"), "keras.Lambda"),
        (
            layer("keras.layers", "Dense", a=[[{"deep": layer(None, "__lambda__")}]]),
            "keras.__lambda__",
        ),
        (layer("keras.layers", "TorchModuleWrapper"), "keras.layers.TorchModuleWrapper"),
        (layer("keras.layers", "Package>Lambda"), "keras.layers.Package>Lambda"),
        (layer("os", "system"), "os.system"),
        (layer("subprocess", "Popen"), "subprocess.Popen"),
        (layer("numpy.f2py", "compile"), "numpy.f2py.compile"),
        (layer("builtins", "eval"), "builtins.eval"),
        (layer("keras.utils", "get_file"), "keras.utils.get_file"),
        (layer("keras.layers", "core.lambda_layer"), "keras.layers.core.lambda_layer"),
        (layer("my.code", "Net.evil"), "my.code.Net.evil"),
        ({"config": {"function_type": "lambda"}}, "keras.__lambda__"),
        ({"class_name": "function", "module": "os", "config": "system"}, "os.system"),
        (
            {"class_name": "function", "module": "builtins", "config": "os.system"},
            "builtins.os.system",
        ),
        (
            {"class_name": "function", "module": "keras.utils", "config": "get_file"},
            "keras.utils.get_file",
        ),
        ({"class_name": ["Lambda"], "module": "keras"}, "'keras'.['Lambda']"),
        (
            {"class_name": "TFOpLambda", "config": {"function": "io.write_file"}},
            "tensorflow.io.write_file",
        ),
    ],
)
def test_what_carries_or_calls_code_is_dangerous(found: dict[str, Any], named: str) -> None:
    facts = judged(layer("keras.layers", "Dense"), found)
    assert facts.safety == "dangerous"
    assert named in facts.globals
    assert facts.problem


def test_classes_and_functions_of_others_are_needed() -> None:
    loss = {"class_name": "function", "module": "builtins", "config": "my_loss"}
    facts = judged(layer("shop.layers", "Double"), layer("keras.layers", "Dense", loss=loss))
    assert facts.safety == "needs-classes"
    assert facts.globals == ("builtins.my_loss", "shop.layers.Double")


def test_numbers_that_json_has_not_are_read_as_keras_does() -> None:
    config = json.dumps(made_of(layer("keras.layers", "Masking", mask_value=float("nan"))))
    assert facts_of(archive(config)).safety == "no-code"
    config = json.dumps(made_of(layer("keras.layers", "Lambda", mask_value=float("inf"))))
    assert facts_of(archive(config)).safety == "dangerous"


@pytest.mark.parametrize("config", ["[" * 100_000, '{"a":' * 100_000, "{", "", "\xff"])
def test_a_config_that_can_not_be_read_is_unread(config: str) -> None:
    facts = facts_of(archive(config), "model.keras")
    assert (facts.format, facts.safety) == ("keras", "unread")


def test_two_configs_of_one_name_are_unread() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("metadata.json", "{}")
        made.writestr("config.json", json.dumps(made_of()))
        with pytest.warns(UserWarning, match="Duplicate name"):
            made.writestr("config.json", json.dumps(made_of(layer(None, "Lambda"))))
    assert facts_of(buffer.getvalue(), "model.keras").safety == "unread"


def test_a_cut_archive_is_not_complete() -> None:
    facts = facts_of(recorded("keras-plain.keras")[:-1], "model.keras")
    assert (facts.format, facts.safety, facts.complete) == ("keras", "unread", False)


def test_the_optimizer_of_a_backend_is_keras_own_and_nothing_else_of_a_backend_is() -> None:
    module = "keras.src.backend.torch.optimizers.torch_adam"
    assert judged(layer(module, "Adam", learning_rate=0.1)).safety == "no-code"
    assert judged(layer("keras.src.backend.torch.core", "Variable")).safety == "dangerous"
    assert judged(layer(module, "load")).safety == "dangerous"
    assert judged(layer(f"{module}.os", "Path")).safety == "dangerous"
