"""Coverage-guided fuzzing of the readers: `python -m tests.formats.fuzz.pickles [libFuzzer flags]`.

Needs `pip install atheris`. A finding is an exception, an import, or a name that a real unpickler
asked for and the reader did not report. `-max_total_time=60` bounds a run; the recorded files make
a good corpus: `python -m tests.formats.fuzz.pickles tests/formats/recorded/pickles`.
"""

import io
import pickle
import sys
from contextlib import suppress
from typing import Any

import atheris

with atheris.instrument_imports(include=["regtui.formats"]):
    from regtui.formats import (
        detect,
        numpy_arrays,
        pickles,
        skops,
        torch_legacy,
        torch_zip,
    )
    from regtui.formats.reading import readable
    from regtui.formats.values import BytesSource, Limits

LIMITS = Limits(steps=50_000, header_bytes=1 << 20, tensors=1_000, metadata=200, depth=16)
READERS = (pickles, torch_zip, torch_legacy, skops, numpy_arrays)
NAMES = ("model.pkl", "model.pt", "model.npz", "model.skops", "model.safetensors")


class Inert:
    """Stands for whatever a pickle imports; it may be called and filled."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __setstate__(self, _: Any) -> None: ...


class Recorder(pickle._Unpickler):
    """Asks for names without importing them."""

    names: set[str]

    def find_class(self, module: str, name: str) -> Any:
        self.names.add(f"{module}.{name}")
        return Inert

    def persistent_load(self, _: Any) -> Any:
        return Inert()


def one_input(content: bytes) -> None:
    modules = set(sys.modules)
    source = BytesSource(content)
    for reader in READERS:
        reader.matches(content[:4096], source)
        facts = reader.read(source, LIMITS)
        if facts.safety == "unread" and not facts.problem:
            raise AssertionError("unread without a reason")
    for name in NAMES if content else ():
        detect.read(source, name, LIMITS)
    foreign = {name.partition(".")[0] for name in set(sys.modules) - modules} - {"regtui"}
    if foreign - set(sys.stdlib_module_names):
        raise AssertionError(f"imported {foreign}")
    compare(content)


def compare(content: bytes) -> None:
    """A real unpickler sees no more; where joblib's arrays lie inside, it isn't the loader."""
    if content[:1] != b"\x80" or b"joblib" in content or not content.endswith(b"\n\n."):
        return
    recorder = Recorder(io.BytesIO(content))
    recorder.names = set()
    with suppress(Exception):
        recorder.load()
    facts = pickles.read(BytesSource(content), LIMITS)
    missing = {readable(name) for name in recorder.names} - set(facts.globals)
    if missing and not facts.cut:
        raise AssertionError(f"not reported: {missing}")


def main() -> None:
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
