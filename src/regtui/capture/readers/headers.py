"""What model files say of themselves in their headers: safetensors, GGUF and ONNX.

Keys stay as they are. A base model that the header names is a parent, its datasets are inputs.
"""

import re
from typing import Final

from regtui.capture.findings import Findings, ParentHint
from regtui.capture.readers.model_facts import understood
from regtui.capture.readers.numbers_in import spelled, step
from regtui.capture.readers.reading import ask_each
from regtui.capture.run_files import RunFiles
from regtui.formats.values import Value

_SUFFIXES: Final = (".safetensors", ".gguf", ".onnx")
_NOT_SAID: Final = ("format", "tokenizer.ggml.", "gguf.")
_BASES: Final = (
    re.compile(r"general\.base_model\.\d+\.(?:repo_url|name)"),
    re.compile(r"ss_sd_model_name|ss_base_model|modelspec\.merged_from"),
)
_DATASET: Final = re.compile(r"general\.dataset\.(?P<number>\d+)\.repo_url")
_STEPS: Final = ("ss_steps", "global_step", "step")


def read(files: RunFiles) -> Findings:
    """Return the entries of the headers of the unit's own files."""
    return ask_each(files, [one for one in files.own if one.endswith(_SUFFIXES)], _read_header)


def _read_header(files: RunFiles, path: str) -> Findings:
    found: dict[str, Value] = {
        key: value
        for key, value in understood(files, path).metadata.items()
        if value is not None and not key.startswith(_NOT_SAID)
    }
    described = found.pop("general.description", found.pop("modelspec.description", None))
    steps = (at for key in _STEPS if (at := step(found.get(key))) is not None)
    return Findings(
        step=next(steps, None),
        params=spelled(found),
        parents=_parents(found),
        inputs=_inputs(found),
        description=described if isinstance(described, str) and described else None,
    )


def _parents(found: dict[str, Value]) -> tuple[ParentHint, ...]:
    """Return the base models, those by address if there are any."""
    named = [
        (key, value)
        for key, value in found.items()
        if isinstance(value, str) and value and any(one.fullmatch(key) for one in _BASES)
    ]
    by_address = [value for key, value in named if key.endswith("repo_url")]
    return tuple(ParentHint(one, "base") for one in by_address or [value for _, value in named])


def _inputs(found: dict[str, Value]) -> dict[str, str]:
    inputs: dict[str, str] = {}
    for key, value in found.items():
        match = _DATASET.fullmatch(key)
        if match is not None and isinstance(value, str):
            name = found.get(f"general.dataset.{match['number']}.name")
            inputs[name if isinstance(name, str) else value.rpartition("/")[2]] = value
    return inputs
