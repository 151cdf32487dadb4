"""What safetensors, GGUF and ONNX say of themselves in their headers."""

from pathlib import Path

import pytest

from regtui.capture.findings import Findings, ParentHint
from regtui.capture.readers import read
from regtui.capture.run_files import RunFiles, on_disk
from regtui.formats.values import Facts, Value

SAMPLES = Path(__file__).parents[2] / "formats" / "recorded"


def said(metadata: dict[str, Value]) -> Findings:
    facts = Facts("gguf", "no-code", metadata=metadata)
    place = Path("nowhere")
    return read("headers", RunFiles("a.gguf", {"a.gguf": place}, facts={"a.gguf": facts}))


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("safetensors-mixed.safetensors", {"note": "größer"}),
        ("onnx-rich.onnx", {"graph.name": "rich", "nodes": 4}),
        ("gguf-little.gguf", {"general.architecture": "llama", "llama.block_count": 2}),
    ],
)
def test_the_entries_of_a_header_are_parameters(name: str, params: dict[str, Value]) -> None:
    found = read("headers", on_disk(SAMPLES, name, [name]))

    assert found.params.items() >= params.items()
    assert not any(key.startswith("tokenizer.") or key == "format" for key in found.params)


def test_base_models_and_datasets_are_where_a_model_came_from() -> None:
    found = said(
        {
            "general.base_model.0.name": "Llama",
            "general.base_model.0.repo_url": "https://hub.example/meta/llama",
            "general.dataset.0.name": "pile",
            "general.dataset.0.repo_url": "https://hub.example/pile",
            "general.dataset.1.repo_url": "https://hub.example/c4",
            "general.description": "A small one",
        }
    )

    assert found.parents == (ParentHint("https://hub.example/meta/llama", "base"),)
    assert found.inputs == {"pile": "https://hub.example/pile", "c4": "https://hub.example/c4"}
    assert found.description == "A small one"


def test_numbers_that_were_written_as_text_are_numbers() -> None:
    found = said({"ss_steps": "1200", "ss_learning_rate": "1e-4", "ss_sd_model_name": "sd15.ckpt"})

    assert found.step == 1200
    assert found.params["ss_learning_rate"] == 1e-4
    assert found.parents == (ParentHint("sd15.ckpt", "base"),)
