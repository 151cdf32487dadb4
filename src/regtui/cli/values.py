"""Values on the command line: `name=value` pairs and what they mean."""

import math
import re
from collections.abc import Iterable
from typing import Any

from regtui.core.errors import BadInput


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


def inputs(texts: Iterable[str]) -> dict[str, str | None]:
    """Return `name=uri` texts as a dictionary; a name alone is a dataset that is known.

    Raises:
        BadInput: One has no name.
    """
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, uri = text.partition("=")
        if not name.strip():
            raise BadInput(f"--input {text!r} has no name", "such as --input reviews=s3://reviews")
        found[name.strip()] = uri if equals else None
    return found


def metrics(texts: Iterable[str]) -> dict[str, tuple[float, int | None]]:
    """Return `name=value` or `name=value@step` texts as value and step by name.

    Raises:
        BadInput: A value is no number.
    """
    return {name: metric(name, text) for name, text in pairs(texts, "--metric").items()}


def metric(name: str, text: str) -> tuple[float, int | None]:
    """Return the value and step of one metric."""
    value, at, step = text.partition("@")
    try:
        number, count = float(value), int(step or -1) if at else 0
    except ValueError:
        number, count = 0.0, -1
    if not 0 <= count < 2**63:
        raise BadInput(
            f"the metric {name}={text!r} is no number", "such as f1=0.91 or loss=0.2@1000"
        )
    return number, count if at else None


def params(texts: Iterable[str]) -> dict[str, Any]:
    """Return `name=value` texts as numbers, booleans or texts by name."""
    return {name: scalar(value) for name, value in pairs(texts, "--param").items()}


def scalar(text: str) -> Any:
    """Return the number or boolean that a text spells, else the text.

    Only what is written as JSON writes numbers is one: `007` and a digest like `00e12` stay text.
    """
    if text in {"true", "false"}:
        return text == "true"
    if not re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", text):
        return text
    if text.lstrip("-").isdigit():
        return int(text) if abs(int(text)) < 2**63 else text
    return float(text) if math.isfinite(float(text)) else text
