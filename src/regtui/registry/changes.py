"""Changes: from values that somebody wants to an operation's body.

A change names the stamp that its author saw. Verbs that read and write in one unit of work see the
present; a screen hands in the document that it showed, and a change made meanwhile by somebody else
is then noticed.
"""

from collections.abc import Mapping
from typing import Any

from regtui.core import encoding
from regtui.core.documents import Document, Rule, field_of
from regtui.core.errors import BadInput
from regtui.core.operations import Change, Changes

Wanted = Mapping[str, Any]
"""Value by path; None takes it away."""


def changes(wanted: Wanted, kind: str, seen: Document | None) -> Changes:
    """Return the changes that lead from a document to wanted values; equal values give none.

    Args:
        wanted: Value by path.
        kind: Kind of the entity, for its merge rules.
        seen: The document that the author saw; None where there was none.
    """
    made: Changes = {}
    for path, given in wanted.items():
        value = plain(given)
        if path.startswith("metrics/") and isinstance(value, int | float | str | list):
            figure, *step = value if isinstance(value, list) and value else [value]
            value = {"value": figure, "step": step[0] if step else None}
        if kind in {"model", "version"} and field_of(kind, path).rule is Rule.TEXT:
            change = _text_change(path, value, seen)
        else:
            change = _change(path, value, seen)
        if change is not None:
            made[path] = change
    return made


def plain(value: Any) -> Any:  # noqa: PLR0911 -- one a type
    """Return a value as JSON has it.

    NaN and infinities become tagged strings, scalars of numpy and torch numbers, sequences lists.

    Raises:
        BadInput: JSON has nothing for it.
    """
    if isinstance(value, str):
        _check_text(value)
        return value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return encoding.tag_float(float(value))
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if callable(item := getattr(value, "item", None)):
        return plain(item())
    raise BadInput(f"a value of type {type(value).__name__} can't be kept", "give text or numbers")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadInput(
            f"the text {text[:40]!r} is not valid Unicode", "write it in UTF-8"
        ) from None


def _change(path: str, value: Any, seen: Document | None) -> Change | None:
    register = None if seen is None else seen.fields.get(path)
    # By their spelling, for Python holds True, 1 and 1.0 to be equal.
    if encoding.encode(value) == encoding.encode(None if register is None else register.v):
        return None
    return Change(value, saw=None if register is None else register.by)


def _text_change(path: str, value: str | None, seen: Document | None) -> Change | None:
    register = None if seen is None else seen.fields.get(path)
    was = None if register is None else register.v
    if was == (None if value is None else encoding.digest(value.encode())):
        return None
    return Change(value, saw=None if register is None else register.by, was=was)
