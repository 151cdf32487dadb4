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
    for path, value in wanted.items():
        if kind in {"model", "version"} and field_of(kind, path).rule is Rule.TEXT:
            change = _text_change(path, value, seen)
        else:
            change = _change(path, value, seen)
        if change is not None:
            made[path] = change
    return made


def _change(path: str, value: Any, seen: Document | None) -> Change | None:
    register = None if seen is None else seen.fields.get(path)
    if value == (None if register is None else register.v):
        return None
    return Change(value, saw=None if register is None else register.by)


def _text_change(path: str, value: str | None, seen: Document | None) -> Change | None:
    register = None if seen is None else seen.fields.get(path)
    was = None if register is None else register.v
    try:
        digest = None if value is None else encoding.digest(value.encode())
    except UnicodeEncodeError:
        raise BadInput(f"the text of {path!r} is not valid UTF-8") from None
    if was == digest:
        return None
    return Change(value, saw=None if register is None else register.by, was=was)
