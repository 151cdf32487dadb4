"""Values on the command line: `name=value` pairs."""

from collections.abc import Iterable
from typing import Any

from regtui.core.errors import BadInput
from regtui.registry.typed_values import metric, scalar


def pairs(texts: Iterable[str], option: str) -> dict[str, str]:
    """Return `name=value` texts as a dictionary.

    Raises:
        BadInput: One has no `=` or no name.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            raise BadInput(f"{option} {text!r} is no pair", f"such as {option} name=value")
        found[name.strip()] = value
    return found


def metrics(texts: Iterable[str]) -> dict[str, tuple[float, int | None]]:
    """Return `name=value` or `name=value@step` texts as value and step by name.

    Raises:
        BadInput: A value is no number.
    """
    return {name: metric(name, text) for name, text in pairs(texts, "--metric").items()}


def params(texts: Iterable[str]) -> dict[str, Any]:
    """Return `name=value` texts as numbers, booleans or texts by name."""
    return {name: scalar(value) for name, value in pairs(texts, "--param").items()}
