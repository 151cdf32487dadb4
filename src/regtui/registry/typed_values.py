"""Values as people type them: `0.91@500`, `true`, `3e-4`; and how those that are kept are typed.

The command line and the app read what is typed by the same functions, so that a value means the
same wherever it is written.
"""

import math
import re
from collections.abc import Iterable
from typing import Any

from regtui.core.errors import BadInput


def value_of(field: str, key: str, text: str) -> Any:
    """Return the value that a text means in a field, as `Registry.edit` takes it.

    Args:
        field: Such as `metrics`, `params` or `description`.
        key: Name of the value in it; empty where the field has one value only.
        text: What was typed.

    Raises:
        BadInput: It is a metric, and no number.
    """
    if field == "metrics":
        value, step = metric(key, text)
        return {"value": value, "step": step}
    if field == "params":
        return scalar(text)
    if field == "inputs":
        return {"uri": text, "digest": None}
    return True if field == "owners" else text


def text_of(field: str, value: Any) -> str:
    """Return what one types for a value, such as `0.91@500` for a metric at a step."""
    if field == "metrics":
        step = "" if value["step"] is None else f"@{value['step']}"
        return f"{value['value']}{step}"
    if field == "inputs":
        return str(value["uri"])
    if field == "owners":
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def typed_at(text: str) -> tuple[str, Any]:
    """Return path and value that a text such as `tags/env=prod` means; an empty value is None.

    Raises:
        BadInput: It has no path, or is a metric and no number.
    """
    path, equals, value = text.partition("=")
    if not path.strip() or not equals:
        raise BadInput(f"{text!r} is no PATH=VALUE", "such as tags/env=prod")
    field, _, key = path.strip().partition("/")
    return path.strip(), value_of(field, key, value) if value else None


def metric(name: str, text: str) -> tuple[float, int | None]:
    """Return the value and step that `value` or `value@step` means.

    Raises:
        BadInput: It is no number.
    """
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


def input_uris(texts: Iterable[str]) -> dict[str, str | None]:
    """Return `name=uri` texts as a dictionary; a name alone is a dataset that is known.

    Raises:
        BadInput: One has no name.
    """
    found: dict[str, str | None] = {}
    for text in texts:
        name, equals, uri = text.partition("=")
        if not name.strip():
            raise BadInput(f"the input {text!r} has no name", "such as reviews=s3://reviews")
        found[name.strip()] = uri if equals else None
    return found
