"""Summaries: what an operation did, as one plain line."""

from collections.abc import Iterable, Mapping, Sequence

from regtui.core.documents import split_path
from regtui.core.operations import Operation
from regtui.core.verdicts import LogRow
from regtui.core.view import Past
from regtui.registry.production_summaries import PRODUCTION

PATHS_LIMIT = 3
"""Paths that a line names; of more it tells the count."""

TEXT_LIMIT = 60

_SINGULAR = {
    "tags": "tag",
    "params": "param",
    "metrics": "metric",
    "owners": "owner",
    "inputs": "input",
    "parents": "parent",
    "places": "place",
    "signatures": "signature",
}
_STATES = {
    "archive": "archived",
    "delete": "deleted",
    "restore": "restored",
}


def summary(past: Past, rows: Sequence[LogRow], names: Mapping[str, str], undone: str = "") -> str:
    """Return what an operation did.

    Args:
        past: The operation.
        rows: Its history rows.
        names: What to call the models, versions and datasets that it names, by id.
        undone: What to say of the operation that it took back, such as `undid #41`.
    """
    line = _effect(past.operation, rows, names)
    if any(row.result == "conflict" for row in rows):
        line += " (in conflict)"
    line += _set_off(past.operation, rows, names)
    return f"{undone}: {line}" if undone else line


def _set_off(operation: Operation, rows: Sequence[LogRow], names: Mapping[str, str]) -> str:
    """Return which requests an operation made apply themselves, to be put behind what it did."""
    if operation.kind == "promotion.apply":
        return ""
    applied = [
        "it" if row.entity == operation.entity else f"the request for {names[row.entity]}"
        for row in rows
        if (row.kind, row.path, row.after) == ("promotion", "state", "applied")
        and (row.entity in names or row.entity == operation.entity)
    ]
    return f"; that applied {' and '.join(applied)}" if applied else ""


def _effect(  # noqa: PLR0911 -- one a kind
    operation: Operation, rows: Sequence[LogRow], names: Mapping[str, str]
) -> str:
    kind, verb = operation.kind.split(".")
    name = names.get(operation.entity, "")
    if kind == "alias":
        return _alias(operation, rows, names)
    if verb in _STATES:
        return f"{_STATES[verb]} {name or 'it'}"
    if verb == "create":
        return f"created the model {name or operation.body.name}"
    if verb == "capture":
        is_new = _makes(kind, rows)
        return f"captured {name or 'a version'}{'' if is_new else ' again'}"
    if kind == "conflict":
        return _resolved(operation, rows)
    if kind == "comment":
        return _comment(operation)
    if kind == "dataset":
        return _dataset(rows, name or operation.body.name)
    if operation.kind in PRODUCTION:
        return PRODUCTION[operation.kind](operation, names)
    return _values(row for row in rows if row.entity == operation.entity) or "changed nothing"


def _alias(operation: Operation, rows: Sequence[LogRow], names: Mapping[str, str]) -> str:
    alias, to = operation.body.name, operation.body.set["version"].to
    before = next((row.before for row in rows if row.path == "version"), None)
    if to is None:
        return f"removed {alias}" + (f", which was {_at(before, names)}" if before else "")
    if before is None:
        return f"set {alias} to {_at(to, names)}"
    return f"moved {alias} from {_at(before, names)} to {_at(to, names)}"


def _at(version: str, names: Mapping[str, str]) -> str:
    """Return a version of a model that is known from the context, as `@7`."""
    _, at, number = names.get(version, version).rpartition("@")
    return at + number if at else number


def _resolved(operation: Operation, rows: Sequence[LogRow]) -> str:
    on = _list(path for path in operation.body.set) or "a value"
    if operation.body.choice is None:
        return f"opened the conflict on {on} again"
    changed = [row for row in rows if row.kind != "conflict"]
    return f"resolved a conflict: {_values(changed) or 'what stood there stays'}"


def _comment(operation: Operation) -> str:
    changes = operation.body.set
    if "state" in changes:
        return "withdrew a comment" if changes["state"].to == "withdrawn" else "restored a comment"
    text = " ".join(str(changes["text"].to).split())
    text = text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"
    return f"{'commented' if operation.kind == 'comment.add' else 'changed a comment'}: {text}"


def _dataset(rows: Sequence[LogRow], name: str) -> str:
    if _makes("dataset", rows):
        return f"added the dataset {name}"
    state = next((row for row in rows if row.path == "state"), None)
    if state is not None:
        return f"{'deleted' if state.after == 'deleted' else 'restored'} the dataset {name}"
    return f"{_values(rows) or 'changed nothing'} of the dataset {name}"


def _makes(kind: str, rows: Iterable[LogRow]) -> bool:
    """Tell whether an operation made an entity of a kind; it may also have made conflicts."""
    return any(row.result == "created" and row.kind == kind for row in rows)


def _values(rows: Iterable[LogRow]) -> str:
    changed = [row for row in rows if row.path and row.result != "noted"]
    set_ = _list(row.path for row in changed if row.after is not None)
    removed = _list(row.path for row in changed if row.after is None)
    parts = [f"set {set_}" if set_ else "", f"removed {removed}" if removed else ""]
    return ", ".join(part for part in parts if part)


def _list(paths: Iterable[str]) -> str:
    named = [_path(path) for path in paths]
    if len(named) > PATHS_LIMIT:
        return f"{', '.join(named[: PATHS_LIMIT - 1])} and {len(named) - PATHS_LIMIT + 1} more"
    return ", ".join(named)


def _path(path: str) -> str:
    """Return a path as people write it: `tag.env` for `tags/env`."""
    field, key = split_path(path)
    if key is None:
        return field
    return "a place" if field == "places" else f"{_SINGULAR.get(field, field)}.{key}"
