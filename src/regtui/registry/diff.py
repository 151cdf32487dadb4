"""Diff: how two versions differ.

Values are compared by their spelling as JSON, for Python holds True and 1 to be equal. Metrics are
compared with their direction: that of the model for its primary metric, else what the name
suggests. Files are matched by path, then by digest; tensors by name (`diff_content`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from regtui.core import encoding
from regtui.core.documents import Document
from regtui.registry.answers_compare import DiffAnswer, Difference, version_name
from regtui.registry.context import Context
from regtui.registry.diff_content import compare_files, compare_tensors, listing
from regtui.registry.lookups import model_names
from regtui.registry.references import direction_by_name, direction_of, document_of, find_version
from regtui.registry.surroundings import surroundings
from regtui.replica.database import Connection


def diff(context: Context, before: str, after: str) -> DiffAnswer:
    """Return how two versions differ, whatever their states.

    Args:
        context: The registry.
        before: Reference of the first version.
        after: Reference of the second version.

    Raises:
        NotFound: There is no such version.
        BadInput: A reference is malformed or names a model.
        Damaged: A list of files is not the one that was captured.
    """
    with context.reading() as connection:
        found = [find_version(connection, reference) for reference in (before, after)]
        (_, first), (_, second) = found
        names = model_names(connection, {first.facts["model"], second.facts["model"]})
        sides = [version_name(one, names[one.facts["model"]]) for one in (first, second)]
        directions = chosen_directions(connection, (first, second))
        around = [surroundings(connection, one) for one in (first, second)]
        lists = [listing(connection, key, one) for key, one in found]
    files = compare_files(*lists)
    groups: dict[str, Difference] = {
        "metrics": _metrics(first.entries("metrics"), second.entries("metrics"), directions),
        "params": compare(first.entries("params"), second.entries("params")),
        "tags": compare(first.entries("tags"), second.entries("tags")),
        "inputs": compare(first.entries("inputs"), second.entries("inputs")),
        "context": compare(around[0][0], around[1][0]),
        "packages": compare(around[0][1], around[1][1]),
    }
    tensors = compare_tensors(context, *lists)
    equal = all(one.none for one in (*groups.values(), files, tensors))
    return DiffAnswer(
        before=sides[0], after=sides[1], equal=equal, files=files, tensors=tensors, **groups
    )


def compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference:
    """Return how two groups of values differ."""
    common = sorted(before.keys() & after.keys())
    changed = [name for name in common if not _same(before[name], after[name])]
    return Difference(
        changed={name: {"before": before[name], "after": after[name]} for name in changed},
        added={name: after[name] for name in sorted(after.keys() - before.keys())},
        removed={name: before[name] for name in sorted(before.keys() - after.keys())},
        same=len(common) - len(changed),
    )


def _same(before: Any, after: Any) -> bool:
    return encoding.encode(before) == encoding.encode(after)


def chosen_directions(connection: Connection, versions: Iterable[Document]) -> dict[str, str]:
    """Return the directions that models of versions choose; those of later versions count more."""
    chosen: dict[str, str] = {}
    for version in versions:
        row = connection.execute(
            "select key from base.document where id = ?", [version.facts["model"]]
        ).fetchone()
        model = None if row is None else document_of(connection, row[0])
        if model is not None and model.value("primary_metric") is not None:
            chosen[model.value("primary_metric")] = direction_of(model)
    return chosen


def _metrics(
    before: Mapping[str, Any], after: Mapping[str, Any], directions: Mapping[str, str]
) -> Difference:
    plain = compare(before, after)
    return Difference(
        changed={
            name: metric_change(
                change["before"],
                change["after"],
                directions.get(name) or direction_by_name(name),
            )
            for name, change in plain.changed.items()
        },
        added={name: metric["value"] for name, metric in plain.added.items()},
        removed={name: metric["value"] for name, metric in plain.removed.items()},
        same=plain.same,
    )


def metric_change(before: Any, after: Any, direction: str) -> dict[str, Any]:
    """Return a changed metric; what has no meaning (beside a NaN, of zero) is None.

    Args:
        before: Its entry, with `value` and perhaps `step`.
        after: The same of the other version.
        direction: `max` or `min`.
    """
    was, now = encoding.untag_float(before["value"]), encoding.untag_float(after["value"])
    delta = encoding.tag_float(now - was)
    known = not isinstance(delta, str)
    percent = encoding.tag_float(100 * (now - was) / abs(was)) if known and was else None
    better = None if was == now or "NaN" in {before["value"], after["value"]} else now > was
    return {
        "before": before["value"],
        "after": after["value"],
        "delta": delta if known else None,
        "percent": None if isinstance(percent, str) else percent,
        "direction": direction,
        "better": better if better is None or direction == "max" else not better,
        "steps": [before.get("step"), after.get("step")],
    }
