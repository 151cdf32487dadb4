"""What an approval is bound to: the content, the target as it stands, the policies, what they read.

A review names a digest of each of these parts as its author saw them. When one of them is another
one by now the review does not count any more, and the part says why. A check that is run again with
the same outcome changes nothing.
"""

from typing import Any

from regtui.core import encoding
from regtui.core.documents import Document
from regtui.core.governance.evidence import Case, last_run, metadata_value, values_of
from regtui.core.governance.moves import Move, in_environment
from regtui.core.governance.rule import roots_of
from regtui.core.identity import environment_id
from regtui.core.view import View

CHANGED = {
    "content": "the version is another one",
    "target": "the target moved meanwhile",
    "policies": "a policy was changed",
    "inputs": "what the policies read was changed",
}
"""Why a review does not count any more, by part."""


def reviewed(cases: list[Case], move: Move, model: Document, view: View) -> dict[str, str]:
    """Return the digest of each part of what somebody reviews.

    Args:
        cases: The policies that apply.
        move: What is asked.
        model: Whose target it is.
        view: The registry.
    """
    version = None if move.version is None else view.document(move.version)
    content = None if version is None else [version.id, version.facts["digest"]]
    policies = sorted([c.document.id, c.document.stamp("definition")] for c in cases)
    parts: dict[str, Any] = {
        "content": content,
        "target": [move.kind, move.name, _standing(move, model, view)],
        "policies": policies,
        "inputs": [_inputs(case) for case in sorted(cases, key=lambda one: one.document.id)],
    }
    return {name: encoding.digest(encoding.encode(value)) for name, value in parts.items()}


def dismissed(seen: dict[str, str], now: dict[str, str], *, applied: bool = False) -> str | None:
    """Return why a review does not count any more; None where it does.

    Args:
        seen: What its author saw.
        now: What is there.
        applied: Whether its request was applied already: the target moved by that.
    """
    parts = ("content", "policies") if applied else tuple(CHANGED)
    return next((CHANGED[part] for part in parts if seen.get(part) != now[part]), None)


def _standing(move: Move, model: Document, view: View) -> Any:
    """Return what tells a target's present value from any earlier one."""
    if move.kind == "alias":
        alias = view.document(move.subject)
        return None if alias is None else alias.stamp("version")
    there = in_environment(view, model.id, environment_id(move.name))
    return sorted(one.id for one in there if one.value("state") == "live")


def _inputs(case: Case) -> list[Any]:
    policy, version = case.policy, case.move.version
    runs = {}
    for name in policy.checks:
        run = None if version is None else last_run(case.view, case.model, version, name)
        runs[name] = None if run is None else [run.facts["outcome"], run.facts["definition"]]
    filled = {path: _plain(metadata_value(case, path)) for path in policy.metadata}
    read: dict[str, Any] = {}
    if policy.rule is not None:
        values = values_of(case)
        for root in roots_of(policy.rule):
            value = values[root]
            if root in {"checks", "current_checks"}:
                value = {name: one["outcome"] for name, one in value.items()}
            read[root] = _plain(value)
    return [runs, filled, read]


def _plain(value: Any) -> Any:
    """Return a value that canonical bytes can say, the same on every machine.

    Cards hold dates, sets, numbers of any length and texts that are no Unicode; figures hold NaN.
    """
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, set):
        return sorted(encoding.encode(_plain(one)).decode() for one in value)
    return value if value is None or isinstance(value, bool) else _plain_scalar(value)


def _plain_scalar(value: Any) -> str | int | float:
    if isinstance(value, float):
        return encoding.tag_float(value)
    if isinstance(value, int):
        return value if value in encoding.INTEGERS else hex(value)  # decimal digits may raise
    return str(value).encode(errors="backslashreplace").decode()
