"""Texts, images and programs: what else lies in a model's folder.

Text is inert: nothing runs it. JSON is parsed as far as the limits allow, and some of it is known:
the index of sharded weights, CatBoost's models, an architecture of Keras (which may have lambdas).
A program (a script, a shared library, WebAssembly) is `dangerous`: loading weights runs it only
when the loader is told to trust code beside them, but then it does.

What is neither text nor known is `unread`.
"""

from collections.abc import Mapping
from typing import Any, Final

from regtui.formats import json_text
from regtui.formats.cursor import Malformed, TooMuch, Truncated
from regtui.formats.flat import Flat
from regtui.formats.values import LIMITS, Facts, Limits, Source

_PROGRAMS: Final = (
    (b"\x7fELF", "elf", "a program for Linux"),
    (b"\0asm", "wasm", "a program in WebAssembly"),
    (b"\xcf\xfa\xed\xfe", "mach-o", "a program for macOS"),
    (b"\xce\xfa\xed\xfe", "mach-o", "a program for macOS"),
    (b"\xca\xfe\xba\xbe", "mach-o", "a program for macOS or Java"),
    (b"#!", "script", "a script"),
)
_WINDOWS = b"MZ"
_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF8", "gif"),
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "arrow"),
)
_SCRIPTS: Final = {
    ".bat": "script",
    ".js": "script",
    ".lua": "script",
    ".pl": "script",
    ".ps1": "script",
    ".py": "python",
    ".pyc": "python",
    ".pyw": "python",
    ".r": "script",
    ".rb": "script",
    ".sh": "script",
}
_TEXTS: Final = {
    ".csv": "csv",
    ".md": "markdown",
    ".toml": "toml",
    ".tsv": "csv",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
}
_CONTROLS: Final = frozenset(range(32)) - frozenset(b"\t\n\r\f\x1b\b")
_INDEX = "weight_map"


def read(source: Source, name: str, limits: Limits = LIMITS) -> Facts:
    """Return what a file is that no reader of models took.

    Raises:
        OSError: The file could not be read.
    """
    head = source.read(0, 4096)
    suffix = suffix_of(name)
    found = _program(head, suffix) or _image(head)
    if found is not None:
        return found
    if not _is_text(head):
        return Facts("unknown", "unread", problem="its format is not known")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in {b"{", b"["} and suffix not in _TEXTS:
        return _json(source, limits)
    return Facts(_TEXTS.get(suffix, "text"), "no-code")


def suffix_of(name: str) -> str:
    """Return the ending of a file's name, in small letters and with its dot; "" if it has none."""
    stem, dot, ending = name.lower().rpartition("/")[2].rpartition(".")
    return dot + ending if stem else ""


def _program(head: bytes, suffix: str) -> Facts | None:
    for start, kind, told in _PROGRAMS:
        if head.startswith(start):
            return Facts(kind, "dangerous", problem=told)
    if head.startswith(_WINDOWS) and b"\0" in head:
        return Facts("pe", "dangerous", problem="a program for Windows")
    if suffix in _SCRIPTS:
        told = "a program, which a loader runs when it trusts code beside the weights"
        return Facts(_SCRIPTS[suffix], "dangerous", problem=told)
    return None


def _image(head: bytes) -> Facts | None:
    return next((Facts(kind, "no-code") for start, kind in _IMAGES if head.startswith(start)), None)


def _is_text(head: bytes) -> bool:
    """Whether the head is UTF-8 without control characters; its last character may be cut."""
    if not _CONTROLS.isdisjoint(head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and error.reason == "unexpected end of data"
    return True


def _json(source: Source, limits: Limits) -> Facts:
    if source.size > limits.header_bytes:
        return Facts("json", "no-code", problem="it is too large to be read whole", cut=True)
    text = source.read(0, source.size)
    try:
        return _known(json_text.decode(text, limits), limits)
    except TooMuch as error:
        return Facts("json", "no-code", problem=str(error), cut=True)
    except Malformed as error:
        complete = False if isinstance(error, Truncated) else None
        return Facts("json", "no-code", complete=complete, problem=str(error))


def _known(value: Any, limits: Limits) -> Facts:
    if isinstance(value, dict):
        if isinstance(value.get(_INDEX), dict):
            return _shards(value, limits)
        if "model_info" in value and "features_info" in value:
            return _catboost(value, limits)
        if isinstance(value.get("class_name"), str) and "config" in value:
            return _architecture(value, limits)
    return Facts("json", "no-code", complete=True)


def _shards(index: Mapping[str, Any], limits: Limits) -> Facts:
    """Tell an index: how many files, how many tensors, how many bytes."""
    metadata = Flat(limits)
    own = index.get("metadata")
    metadata.tree("", own if isinstance(own, dict) else {})
    files = {place for place in index[_INDEX].values() if isinstance(place, str)}
    metadata.add("shards", len(files))
    metadata.add("tensors", len(index[_INDEX]))
    return Facts("shards", "no-code", complete=True, metadata=metadata.values, cut=metadata.cut)


def _catboost(model: Mapping[str, Any], limits: Limits) -> Facts:
    from regtui.formats.catboost import FORMAT, describe

    metadata = Flat(limits)
    information = model["model_info"]
    for key, value in (information if isinstance(information, dict) else {}).items():
        describe(key, value, metadata, limits)
    trees = model.get("oblivious_trees", model.get("trees"))
    if isinstance(trees, list):
        metadata.add("trees", len(trees))
    return Facts(FORMAT, "no-code", complete=True, metadata=metadata.values, cut=metadata.cut)


def _architecture(config: dict[str, Any], limits: Limits) -> Facts:
    """Tell an architecture that Keras wrote as JSON."""
    from regtui.formats import keras_config

    metadata = Flat(limits)
    judgement = keras_config.judge(config, limits)
    keras_config.describe(config, metadata)
    return Facts(
        "keras",
        judgement.safety,
        complete=True,
        globals=judgement.globals,
        metadata=metadata.values,
        problem=judgement.problem,
        cut=metadata.cut,
    )
