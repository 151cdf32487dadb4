"""Edit: values of models and versions."""

from collections.abc import Callable, Iterable

from regtui.core.documents import FIELDS, Document, split_path
from regtui.core.errors import BadInput, ConflictOpen, NotFound
from regtui.core.identity import model_id, name_key
from regtui.core.operations import EditBody, ModelBody
from regtui.core.text_merge import merge_text
from regtui.registry.changes import Wanted, changes
from regtui.registry.context import Context
from regtui.registry.references import find_model, find_version, parse
from regtui.registry.several import telling, versions_named
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection


def edit(context: Context, reference: str, wanted: Wanted, *, seen: Wanted | None = None) -> bool:
    """Change values of a model or version; False where they are there already.

    Args:
        context: The registry.
        reference: What to change.
        wanted: Value by path, such as `tags/env`; None takes it away.
        seen: What the person saw at some of those paths, a while ago; the value None where there
            was nothing.

    Raises:
        NotFound: There is no such model or version, or it is deleted.
        BadInput: A path or value is malformed.
        ConflictOpen: Somebody else changed one of the values meanwhile; nothing is changed.
    """
    is_model = parse(reference).kind == "model"
    with context.writing() as authority:
        find = find_model if is_model else find_version
        _, document = find(authority.connection, reference)
        if seen is not None:
            _refuse_unseen(reference, document, wanted, seen)
        return submit_edit(authority, document, wanted)


def edit_all(context: Context, references: Iterable[str], wanted: Wanted) -> int:
    """Change the same values of several versions at once; all of them, or none.

    It is one intent, which is also undone as one.

    Args:
        context: The registry.
        references: The versions.
        wanted: Value by path; None takes it away.

    Returns:
        How many changed; the others have the values already.

    Raises:
        NotFound: There is no such version, or it is deleted.
        BadInput: A path or value is malformed.
    """
    with context.writing() as authority:
        authority.begin_group()
        changed = 0
        for reference, document in versions_named(authority.connection, references):
            with telling(f"can't edit {reference}"):
                changed += submit_edit(authority, document, wanted)
        return changed


def submit_edit(authority: SoloAuthority, document: Document, wanted: Wanted) -> bool:
    """Submit an edit of a document; False where every value is there already."""
    if document.value("state") == "deleted":
        raise NotFound(f"the {document.kind} is deleted", f"`regtui {document.kind} restore`")
    _check_paths(document.kind, wanted)
    _check_series(authority, wanted)
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
        _check_paths("model", wanted)
        submit_creation(authority, name, wanted)
        return True


def submit_creation(authority: SoloAuthority, name: str, wanted: Wanted) -> str:
    """Submit a model under a name that nobody holds, in its next generation; return its id."""
    key = name_key(name)
    newest = authority.view.generation(key)
    generation = 0 if newest is None else newest + 1
    identity = model_id(key, generation)
    made = changes(wanted, "model", None)
    authority.submit("model.create", identity, identity, ModelBody(name, generation, made))
    return identity


def card(context: Context, reference: str) -> str:
    """Return a model's card; empty where it has none.

    Raises:
        NotFound: There is no such model.
    """
    with context.reading() as connection:
        return _card_of(connection, find_model(connection, reference)[1])


def edit_card(context: Context, reference: str, editor: Callable[[str], str]) -> bool:
    """Change a model's card in an editor, which may stay open for as long as it likes.

    Args:
        context: The registry.
        reference: The model.
        editor: Returns the new card for the present one; an empty one changes nothing.

    Raises:
        NotFound: There is no such model.
        ConflictOpen: Somebody else changed the same lines meanwhile; nothing is changed.
    """
    before = card(context, reference)
    text = editor(before)
    return text not in {before, ""} and write_card(context, reference, text, seen=before)


def write_card(context: Context, reference: str, text: str, *, seen: str) -> bool:
    """Write a model's card; False where it is so already.

    What somebody else changed since the person saw it is merged by lines.

    Args:
        context: The registry.
        reference: The model.
        text: The new card; an empty one takes it away.
        seen: The card that the person began with.

    Raises:
        NotFound: There is no such model.
        ConflictOpen: Somebody else changed the same lines meanwhile; nothing is changed.
    """
    with context.writing() as authority:
        _, document = find_model(authority.connection, reference)
        merged = merge_text(seen, _card_of(authority.connection, document), text)
        if merged is None:
            raise ConflictOpen(f"somebody else changed the card of {reference!r} meanwhile")
        return submit_edit(authority, document, {"card": merged or None})


def _card_of(connection: Connection, document: Document) -> str:
    row = connection.execute(
        "select value from base.text where digest = ?", [document.value("card")]
    ).fetchone()
    return "" if row is None else str(row[0])


def _check_paths(kind: str, wanted: Wanted) -> None:
    fields = FIELDS[kind]
    for path in wanted:
        name, _ = split_path(path)
        if name not in fields or not fields[name].editable:
            known = ", ".join(sorted(name for name, field in fields.items() if field.editable))
            raise BadInput(f"a {kind} has no field {name!r} to edit", f"it has {known}")


def _check_series(authority: SoloAuthority, wanted: Wanted) -> None:
    for path, value in wanted.items():
        kept = value is None or authority.view.text(str(value)) is not None
        if not kept and split_path(path)[0] == "series":
            raise BadInput(
                "a series is given by its points, not by a digest", "`regtui capture --series FILE`"
            )


def _refuse_unseen(reference: str, document: Document, wanted: Wanted, seen: Wanted) -> None:
    """Refuse to change values that are neither what the person saw nor what he wants."""
    looked_at = {path: seen[path] for path in wanted if path in seen}
    since = changes(looked_at, document.kind, document)
    changed = [path.replace("/", ".", 1) for path in changes(wanted, document.kind, document)
               if path in since]  # fmt: skip
    if changed:
        raise ConflictOpen(
            f"somebody else changed {', '.join(changed)} of {reference} meanwhile",
            "nothing was changed; look at what is there now",
        )
