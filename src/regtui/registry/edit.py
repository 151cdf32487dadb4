"""Edit: values of models and versions."""

from typing import Any

from regtui.core import encoding
from regtui.core.documents import FIELDS, Document, split_path
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import model_id, name_key
from regtui.core.operations import EditBody, ModelBody
from regtui.registry.changes import Wanted, changes
from regtui.registry.context import Context
from regtui.registry.references import find_model, find_version, parse
from regtui.replica.authority import SoloAuthority


def edit(context: Context, reference: str, wanted: Wanted) -> bool:
    """Change values of a model or version; False where they are there already.

    Args:
        context: The registry.
        reference: What to change.
        wanted: Value by path, such as `tags/env`; None takes it away.

    Raises:
        NotFound: There is no such model or version, or it is deleted.
        BadInput: A path or value is malformed.
    """
    is_model = parse(reference).kind == "model"
    with context.writing() as authority:
        find = find_model if is_model else find_version
        _, document = find(authority.connection, reference)
        return submit_edit(authority, document, wanted)


def submit_edit(authority: SoloAuthority, document: Document, wanted: Wanted) -> bool:
    """Submit an edit of a document; False where every value is there already."""
    if document.value("state") == "deleted":
        raise NotFound(f"the {document.kind} is deleted", f"`regtui {document.kind} restore`")
    _check_paths(document, wanted)
    made = changes(wanted, document.kind, document)
    if made:
        authority.submit(f"{document.kind}.edit", document.stream, document.id, EditBody(made))
    return bool(made)


def create_model(context: Context, name: str, wanted: Wanted) -> bool:
    """Make a model, or change the one that holds the name; False where nothing changed.

    Raises:
        BadInput: The name or a value is malformed.
    """
    key = name_key(name)
    with context.writing() as authority:
        holder = authority.view.holder(key)
        if holder is not None:
            return submit_edit(authority, holder, wanted)
        newest = authority.view.generation(key)
        generation = 0 if newest is None else newest + 1
        identity = model_id(key, generation)
        made = changes(wanted, "model", None)
        authority.submit("model.create", identity, identity, ModelBody(name, generation, made))
        return True


def card(context: Context, reference: str) -> str:
    """Return a model's card; empty where it has none.

    Raises:
        NotFound: There is no such model.
    """
    with context.reading() as connection:
        _, document = find_model(connection, reference)
        digest = document.value("card")
        row = connection.execute(
            "select value from base.text where digest = ?", [digest]
        ).fetchone()
        return "" if row is None else str(row[0])


def metric_value(value: float, step: int | None) -> dict[str, Any]:
    """Return a metric as documents hold it."""
    return {"value": encoding.tag_float(value), "step": step}


def _check_paths(document: Document, wanted: Wanted) -> None:
    fields = FIELDS[document.kind]
    for path in wanted:
        name, _ = split_path(path)
        if name not in fields or not fields[name].editable:
            known = ", ".join(sorted(name for name, field in fields.items() if field.editable))
            raise BadInput(f"a {document.kind} has no field {name!r} to edit", f"it has {known}")
