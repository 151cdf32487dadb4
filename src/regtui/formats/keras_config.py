"""What loading a Keras model would run, judged by its configuration.

A configuration is a tree of maps; each map with `class_name` is an object that Keras makes. Its own
layers, optimizers and the like are made from plain values. Code comes in by these ways:

- a Lambda layer, or a lambda anywhere, carries marshalled Python bytecode;
- some of Keras' own classes unpickle or load other programs (`_CARRIERS`);
- `module` with a name in it is imported and called by older versions of Keras, so anything but
  Keras' own families of classes counts as what it could be: a class of the user (CamelCase, outside
  of the standard library) needs that class, everything else is dangerous;
- `keras.utils` and others of Keras' own packages have functions that write files.

The list says what is allowed; what it does not name is never `no-code`.
"""

import json
import re
import sys
from typing import Any, Final, Self

from msgspec import Struct

from regtui.formats import json_text
from regtui.formats.cursor import Malformed, TooMuch
from regtui.formats.flat import Flat
from regtui.formats.values import Limits, Safety

# Of Keras itself: packages of classes that are made from plain values.
_FAMILIES: Final = frozenset(
    {
        "activations",
        "callbacks",
        "constraints",
        "dtype_policies",
        "initializers",
        "layers",
        "losses",
        "metrics",
        "models",
        "ops",
        "optimizers",
        "quantizers",
        "random",
        "regularizers",
    }
)
# Of Keras itself: classes that run or unpickle what the configuration holds or names.
_CARRIERS: Final = frozenset({"Lambda", "__lambda__", "TorchModuleWrapper", "TFSMLayer"})
# Plain values that JSON has not.
_VALUES: Final = frozenset(
    {"__tuple__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"}
)
# TensorFlow's functions that older Keras calls by name (TFOpLambda): those that only compute.
_COMPUTING: Final = frozenset(
    {
        "__operators__",
        "bitcast",
        "broadcast_to",
        "cast",
        "clip_by_value",
        "concat",
        "expand_dims",
        "gather",
        "identity",
        "image",
        "linalg",
        "math",
        "nn",
        "ones_like",
        "one_hot",
        "reshape",
        "shape",
        "signal",
        "slice",
        "split",
        "squeeze",
        "stack",
        "stop_gradient",
        "tile",
        "transpose",
        "unstack",
        "where",
        "zeros_like",
    }
)
_CLASS = re.compile(r"[A-Z]\w*", re.ASCII)
# Where Keras keeps the optimizers of a backend; nothing else is there.
_BACKENDS = re.compile(
    r"keras\.src\.backend\.(torch|tensorflow|jax)\.optimizers(\.[a-z]+_[a-z]+)?", re.ASCII
)
_ORDER: Final = ("no-code", "needs-classes", "dangerous")
_MOST_GLOBALS = 1000


class Judgement(Struct, frozen=True):
    """What loading would do, and the names behind it."""

    safety: Safety = "no-code"
    globals: tuple[str, ...] = ()
    problem: str | None = None

    def worse(self, other: Self) -> "Judgement":
        """Return both as one."""
        first, second = sorted((self, other), key=lambda one: -_ORDER.index(one.safety))
        names = tuple(sorted({*first.globals, *second.globals}))
        return Judgement(first.safety, names, first.problem or second.problem)


def parse(text: bytes, limits: Limits) -> Any:
    """Return a configuration.

    Raises:
        Malformed: It is no JSON, or more than the limits allow.
    """
    try:
        return json_text.decode(text, limits)
    except TooMuch:
        raise
    except Malformed:
        # Keras writes with Python's json, which has names for numbers that JSON has not.
        if b"NaN" not in text and b"Infinity" not in text:
            raise
        try:
            return json.loads(text.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise Malformed(f"the JSON text can't be read: {error}") from None


def judge(config: Any, limits: Limits) -> Judgement:
    """Return what loading a model of this configuration would do.

    Raises:
        TooMuch: The tree has more parts than the limits allow.
    """
    found = Judgement()
    waiting = [config]
    for steps, item in enumerate(_drain(waiting)):
        if steps > limits.steps or len(found.globals) > _MOST_GLOBALS:
            raise TooMuch("the configuration has more parts than can be judged")
        if isinstance(item, dict):
            waiting += item.values()
            own = _object(item)
            if own is not None:
                found = found.worse(own)
        elif isinstance(item, list):
            waiting += item
    return found


def describe(config: Any, metadata: Flat) -> None:
    """Add what people ask of a model: its class, its number of layers, how it was trained."""
    if not isinstance(config, dict):
        return
    inner = config.get("config")
    if isinstance(inner, dict):
        metadata.tree("class", config.get("class_name"))
        metadata.tree("name", inner.get("name"))
        layers = inner.get("layers")
        if isinstance(layers, list):
            metadata.add("layers", len(layers))
    training = config.get("compile_config")
    training = training if isinstance(training, dict) else config
    for key in ("loss", "metrics"):
        if training.get(key) is not None:
            metadata.tree(key, training[key])
    optimizer = training.get("optimizer", training.get("optimizer_config"))
    if isinstance(optimizer, dict):
        metadata.tree("optimizer.class", optimizer.get("class_name"))
        metadata.tree("optimizer", optimizer.get("config"))


def _drain(waiting: list[Any]) -> Any:
    while waiting:
        yield waiting.pop()


def _object(item: dict[str, Any]) -> Judgement | None:
    """Judge one map, None if it makes no object."""
    if item.get("function_type") == "lambda" or "__lambda__" in item:
        return _dangerous("keras.__lambda__", "it has a lambda, whose code is in the file")
    if "class_name" not in item:
        return None
    name, module = item["class_name"], item.get("module")
    if not isinstance(name, str) or not isinstance(module, str | None):
        return _dangerous(f"{module!r}.{name!r}"[:200], "it makes an object of no clear name")
    return _named(item, name, module)


def _named(item: dict[str, Any], name: str, module: str | None) -> Judgement | None:
    """Judge an object by the name of its class."""
    named = f"{module or 'keras'}.{name}"[:200]
    if name.rpartition(">")[2].rpartition(".")[2] in _CARRIERS:
        return _dangerous(named, f"it has a {name[:80]}, which runs code of the file")
    if name == "TFOpLambda":
        return _called(item.get("config"))
    if name in _VALUES:
        return None
    if name == "function":
        return _function(item, module)
    return _registered(item, name) if module is None else _imported(named, module, name)


def _imported(named: str, module: str, name: str) -> Judgement | None:
    """Judge a class that is looked for in a module."""
    parts = module.split(".")
    if parts[0] == "keras":
        package = "optimizers" if _BACKENDS.fullmatch(module) else _package(parts)
        if (package is None or package in _FAMILIES) and _CLASS.fullmatch(name):
            return None
        return _dangerous(named, f"it names {named}, which is no class for a model")
    if parts[0] in sys.stdlib_module_names or not _CLASS.fullmatch(name):
        return _dangerous(named, f"it names {named}, which is no class for a model")
    return Judgement("needs-classes", (named,))


def _package(parts: list[str]) -> str | None:
    """Return the package of Keras that a module is in; its sources are in `src`."""
    return next((part for part in parts[1:] if part != "src"), None)


def _registered(item: dict[str, Any], name: str) -> Judgement | None:
    """Judge a class without a module: Keras' own, or one that the user's program registers."""
    registered = item.get("registered_name")
    if isinstance(registered, str) and ">" in registered:
        name = registered
    if ">" in name:
        return Judgement("needs-classes", (name[:200],))
    return None


def _function(item: dict[str, Any], module: str | None) -> Judgement | None:
    """Judge a function that is told by its name."""
    name = item.get("config")
    parts = (module or "").split(".")
    named = f"{module}.{name}"[:200] if module else str(name)[:200]
    if not isinstance(name, str) or not name.rpartition(">")[2].isidentifier():
        return _dangerous(named, "it calls a function of no clear name")
    if parts[0] == "keras":
        return None if _package(parts) in _FAMILIES else _dangerous(named, f"it calls {named}")
    if module not in {None, "builtins"} and parts[0] in sys.stdlib_module_names:
        return _dangerous(named, f"it calls {named}")
    return Judgement("needs-classes", (named,))


def _called(config: Any) -> Judgement | None:
    """Judge a function of TensorFlow that is called by its name."""
    name = config.get("function") if isinstance(config, dict) else None
    if isinstance(name, str) and name.split(".")[0] in _COMPUTING:
        return None
    return _dangerous(f"tensorflow.{name}"[:200], f"it calls tensorflow.{str(name)[:80]}")


def _dangerous(name: str, problem: str) -> Judgement:
    return Judgement("dangerous", (name,), problem)
