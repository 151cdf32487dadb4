"""Opcodes by hand, for pickles that no pickler writes."""

import io
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any, Final

import joblib

STOP: Final = b"."
MARK: Final = b"("


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + len(raw).to_bytes(4, "little") + raw


def stack_global(module: str, name: str) -> bytes:
    return text(module) + text(name) + b"\x93"


def line_global(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + MARK + b"".join(arguments) + b"tR"


def whole(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + STOP


def calling(function: Any, *arguments: Any) -> Any:
    """Return an object whose pickle calls `function`."""

    class Call:
        def __reduce__(self) -> tuple[Any, ...]:
            return function, arguments

    return Call()


def joblib_array(content: bytes, *, padded: bool = False) -> bytes:
    """Write an array of bytes as joblib does, or did before it padded."""
    state = {
        "subclass": line_global("numpy", "ndarray"),
        "shape": b"K" + bytes([len(content)]) + b"\x85",
        "order": text("C"),
        "dtype": call(line_global("numpy", "dtype"), text("u1"), b"\x89", b"\x88"),
        "allow_mmap": b"\x88",
    }
    if padded:
        state["numpy_array_alignment_bytes"] = b"K\x10"
    pairs = b"".join(text(key) + value for key, value in state.items())
    wrapper = line_global("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81"
    return wrapper + b"}" + MARK + pairs + b"ub" + b"\x00" * padded + content


def zipped(members: Mapping[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def torch_archive(value: bytes, more: Mapping[str, bytes] | None = None) -> bytes:
    return zipped({"m/data.pkl": value, "m/version": b"3\n", **(more or {})})


def joblib_bytes(value: Any, compress: Any = 0) -> bytes:
    stream = io.BytesIO()
    joblib.dump(value, stream, compress=compress)
    return stream.getvalue()


def pickled(value: Any, protocol: int = 4) -> bytes:
    return pickle.dumps(value, protocol)
