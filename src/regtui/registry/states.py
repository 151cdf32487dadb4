"""States: archive, delete and restore models and versions."""

from collections.abc import Iterable, Sequence

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import short_id
from regtui.core.judgement.shape import STATES
from regtui.core.operations import StateBody
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.references import find_model, find_version
from regtui.registry.several import versions_named
from regtui.replica.authority import SoloAuthority


def change_state(context: Context, kind: str, reference: str, verb: str) -> bool:
    """Archive, delete or restore a model or version; False where it is in that state already.

    Args:
        context: The registry.
        kind: `model` or `version`.
        reference: What to change.
        verb: `archive`, `delete` or `restore`.

    Raises:
        NotFound: There is no such model or version.
        BadInput: Its state does not allow it, or an alias points to it.
    """
    with context.writing() as authority:
        if kind == "model":
            _, document = find_model(authority.connection, reference, deleted=verb == "restore")
        else:
            _, document = find_version(authority.connection, reference)
        return _change(authority, document, verb)


def change_states(context: Context, references: Iterable[str], verb: str) -> int:
    """Archive, delete or restore several versions at once; all of them, or none.

    It is one intent, which is also undone as one.

    Args:
        context: The registry.
        references: The versions.
        verb: `archive`, `delete` or `restore`.

    Returns:
        How many changed; the others are in that state already.

    Raises:
        NotFound: There is no such version.
        BadInput: The state of one does not allow it, or an alias points to it.
    """
    with context.writing() as authority:
        authority.begin_group()
        changed = 0
        for reference, document in versions_named(authority.connection, references):
            changed += _change(authority, document, verb, reference)
        return changed


def change_documents(authority: SoloAuthority, versions: Sequence[str], verb: str) -> None:
    """Archive, delete or restore very many versions; all is read before, each in one question.

    Args:
        authority: Of the unit of work; its caller began the intent.
        versions: Their ids.
        verb: `archive`, `delete` or `restore`.

    Raises:
        BadInput: The state of one does not allow it, or an alias points to it.
    """
    authority.view.load(versions)
    authority.view.load_aliases(versions)
    authority.view.load_about(versions, "deployment")
    for version in versions:
        document = authority.view.document(version)
        if document is not None:
            _change(authority, document, verb, short_id(version))


def _change(authority: SoloAuthority, document: Document, verb: str, called: str = "it") -> bool:
    wanted = STATES[f"{document.kind}.{verb}"]
    if document.value("state") == wanted:
        return False
    if document.value("state") == "deleted" and verb == "archive":
        raise NotFound(f"the {document.kind} is deleted", "restore it first")
    body = StateBody(
        authority.accepted_by(document), changes({"state": wanted}, document.kind, document)
    )
    try:
        authority.submit(f"{document.kind}.{verb}", document.stream, document.id, body)
    except BadInput as error:
        raise BadInput(f"can't {verb} {called}: {error.message}", error.hint) from None
    return True
