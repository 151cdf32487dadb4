"""The front door: what a file is, by what it starts with.

Algorithm: the first bytes name the readers that may know the file; the first whose `matches` agrees
reads it. The name is only a hint: it decides when the bytes don't (a cut ONNX file, a text), and it
names the program that would open the file. When that program's format is another one than the
bytes have, its reader is asked as well, and what it finds counts if it is worse: a file can be two
things at once (an archive behind something else, a pickle that starts like a table), and it is
opened as what it is called.

Pickles of the oldest protocols are lines of text. Any text is one that can be read as one to its
end, or that would have called something on the way, or that is too long to tell. A text that is
none, but is opened as one and starts like one, is `unread`: what a loader makes of it is not known
so well that it could be called free of code.

Readers are imported when they are needed, since most commands meet few formats.

Invariants: nothing but `OSError` leaves this module. A reader that fails in any other way is a
defect of ours, and its answer is `unread`, with the kind of the failure in `problem`.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from regtui.formats import text_formats
from regtui.formats.values import LIMITS, Facts, Limits, Source

if TYPE_CHECKING:
    from regtui.formats.pickle_runs import Likeness

READER: Final = 3
"""Version of what the readers say; answers that were stored under a lower one are made anew."""

_HEAD: Final = 4096
_PICKLES: Final = ("torch_legacy", "pickles")

# What a file starts with -> the readers to ask, in this order.
_STARTS: Final[tuple[tuple[bytes, tuple[str, ...]], ...]] = (
    (b"\x89HDF\r\n\x1a\n", ("hdf5",)),
    (b"GGUF", ("gguf",)),
    (b"CBM1", ("catboost",)),
    (b"PK\x03\x04", ("torch_zip", "skops", "keras", "numpy_arrays")),
    (b"\x93NUMPY", ("numpy_arrays",)),
    (b"\x80", _PICKLES),
    (b"{", ("xgboost",)),
    (b"binf", ("xgboost",)),
    (b"tree", ("lightgbm",)),
    (b"\x08", ("onnx", "tensorflow")),
)
# Readers of files that have no single start.
_ANYWHERE: Final = ("safetensors", "pickles", "hdf5")
# What the program that opens a file of this name takes it for.
_OPENED_AS: Final = {
    ".bin": "pickles",
    ".cbm": "catboost",
    ".ckpt": "pickles",
    ".gguf": "gguf",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".joblib": "pickles",
    ".keras": "keras",
    ".npy": "numpy_arrays",
    ".npz": "numpy_arrays",
    ".onnx": "onnx",
    ".p": "pickles",
    ".pck": "pickles",
    ".pickle": "pickles",
    ".pkl": "pickles",
    ".pt": "pickles",
    ".pth": "pickles",
    ".sav": "pickles",
    ".safetensors": "safetensors",
    ".skops": "skops",
    ".ubj": "xgboost",
}
_OF_ZIPS: Final = {".keras": "keras", ".npz": "numpy", ".skops": "skops"}
_TORCH: Final = frozenset({".bin", ".ckpt", ".pt", ".pth"})
# Formats of readers that are not named for them.
_FORMATS: Final = {
    "numpy_arrays": "numpy",
    "pickles": "pickle",
    "text_formats": "unknown",
    "torch_legacy": "torch-legacy",
    "torch_zip": "torch",
}
_OF_ANYTHING: Final = frozenset({".bin", ".ckpt"})  # names that say little
_NAME = re.compile(r"[A-Za-z_]\w*(\.\w+)+")


def read(source: Source, name: str, limits: Limits = LIMITS) -> Facts:
    """Return what stands in a file.

    Args:
        source: The file.
        name: What it is called, with or without folders.
        limits: The bounds to keep.

    Raises:
        OSError: The file could not be read.
    """
    if not source.size:
        return Facts("unknown", "no-code")
    head = source.read(0, _HEAD)
    suffix = text_formats.suffix_of(name)
    opened = _OPENED_AS.get(suffix)
    reader = _by_bytes(head, source)
    if reader is not None:
        facts = _read(reader, source, limits)
        if opened is None or _same(reader, opened):
            return facts
        like = _like_pickle(opened, head, source, limits)
        return _worse(facts, _read(opened, source, limits), like)
    return _unclaimed(head, source, name, limits)


def load() -> None:
    """Load all readers now; else each is loaded with the first file that is like its own."""
    names = {name for _, readers in _STARTS for name in readers}
    for name in sorted(names | {*_ANYWHERE, *_OPENED_AS.values()}):
        _module(name)


def _by_bytes(head: bytes, source: Source) -> str | None:
    """Return the reader that knows the file by its bytes."""
    for start, readers in _STARTS:
        if head.startswith(start):
            for reader in readers:
                if _matches(reader, head, source):
                    return reader
    return next((reader for reader in _ANYWHERE if _matches(reader, head, source)), None)


def _unclaimed(head: bytes, source: Source, name: str, limits: Limits) -> Facts:
    """Read a file whose bytes no reader knows for sure."""
    suffix = text_formats.suffix_of(name)
    opened = _OPENED_AS.get(suffix)
    if head.startswith(b"PK\x03\x04"):
        facts = _archive(suffix, source, limits)
    else:
        facts = _guarded("text_formats", lambda: text_formats.read(source, name, limits))
        if opened is None and name.lower().endswith("saved_model.pb"):
            opened = "tensorflow"
    if opened is None:
        return facts
    named = _read(opened, source, limits)
    # A cut file keeps the format of its name; a text, an image or an archive with it is none.
    if facts.format == "unknown" and suffix not in _OF_ANYTHING:
        return named
    like = _like_pickle(opened, head, source, limits)
    found = _worse(facts, named, like)
    if like == "begun" and found.safety == "no-code":
        return structs.replace(found, safety="unread", problem="it starts like a pickle")
    return found


def _archive(suffix: str, source: Source, limits: Limits) -> Facts:
    """Tell of a zip archive that is of no known kind, or cut."""
    from regtui.formats.zip_directory import BadArchive, members

    kind = "torch" if suffix in _TORCH else _OF_ZIPS.get(suffix, "zip")
    try:
        members(source, limits)
    except BadArchive as error:
        complete = False if error.truncated else None
        return Facts(kind, "unread", complete=complete, problem=str(error))
    return Facts("zip", "unread", complete=True, problem="the archive is of no known kind")


def _same(reader: str, opened: str) -> bool:
    """Whether the name's program would find nothing but what was read."""
    pickled = {*_PICKLES, "torch_zip"}
    return opened == reader or (opened in pickled and reader in pickled)


def _like_pickle(opened: str, head: bytes, source: Source, limits: Limits) -> "Likeness | None":
    """Tell how much a file is like a pickle that is opened as one, None of any other."""
    if opened != "pickles":
        return None
    try:
        like: Likeness = _module("pickles").like_pickle(head, source, limits)
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - the net: what a reader fails at is not called harmless
        return "pickle"
    return like


def _worse(facts: Facts, other: Facts, like: "Likeness | None") -> Facts:
    """Return `other` if the file is such a file too, and it does more than the first.

    Args:
        facts: By the bytes.
        other: By the name.
        like: How much the bytes are like a pickle, None if `other` is about none.
    """
    if other.safety == "dangerous":
        # Bytes that are no pickle may happen to name something that no module could be called.
        meant = like in {None, "pickle"} or any(_NAME.fullmatch(name) for name in other.globals)
        return other if meant and facts.safety != "dangerous" else facts
    if other.safety == "unread" and like == "pickle":
        return other if facts.safety != "dangerous" else facts
    beyond = other.safety in {"needs-classes", "tensors-only"} and other.complete
    return other if beyond and facts.safety in {"no-code", "unread"} else facts


def _module(reader: str) -> Any:
    return import_module(f"regtui.formats.{reader}")


def _matches(reader: str, head: bytes, source: Source) -> bool:
    try:
        return bool(_module(reader).matches(head, source))
    except OSError:
        raise
    except Exception:  # noqa: BLE001 - the net: a defect of a reader is no answer about the file
        return False


def _read(reader: str, source: Source, limits: Limits) -> Facts:
    return _guarded(reader, lambda: _module(reader).read(source, limits))


def _guarded(reader: str, ask: Callable[[], Facts]) -> Facts:
    try:
        return ask()
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - the net: MemoryError and RecursionError too
        problem = f"its reader failed: {type(error).__name__}"
        return Facts(_FORMATS.get(reader, reader), "unread", problem=problem)
