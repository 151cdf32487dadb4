"""Revert: an alias back to where it pointed before.

Where that is follows from the alias's own holders (`regtui.core.holders`), so it works
offline and without the log; an alias that an older program moved has no holders, and there the
history rows tell. The move back names in `undoes` the move that it takes back, so that doing it
again goes further back.
"""

from msgspec import Struct

from regtui.core.documents import Document, Holder
from regtui.core.errors import BadInput, NotFound
from regtui.core.holders import Held, earlier, earlier_version, holders
from regtui.core.identity import alias_id, alias_key, short_id
from regtui.core.inverse import origin
from regtui.core.operations import AliasBody, Operation
from regtui.registry.answers import VersionAnswer
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.lookups import document_by_id, one_version
from regtui.registry.references import find_version, model_named, parse
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.history import operations, rows_of


class Reverted(Struct, frozen=True, kw_only=True):
    """Where an alias points now, where it pointed before, and whether it moved.

    Where it is only requested, `version` is where it is to point.
    """

    version: VersionAnswer
    before: str | None
    changed: bool
    requested: bool = False


def revert(context: Context, reference: str, to: str | None = None) -> Reverted:
    """Move an alias back to where it pointed before, or to another version.

    Args:
        context: The registry.
        reference: The alias, as `MODEL@ALIAS`.
        to: A version of the model; None for the one before.

    Raises:
        NotFound: There is no such alias or version, the version is deleted, or it pointed nowhere
            before.
        BadInput: The reference names no alias, the version is archived or of another model.
    """
    model, name = alias_named(reference)
    with context.writing() as authority:
        _, document = model_named(authority.connection, model)
        identity = alias_id(document.id, name)
        alias = authority.view.document(identity)
        if alias is None:
            raise NotFound(f"{model!r} has no alias {name!r}", f"`regtui aliases {model}`")
        before = _before(authority.connection, alias)
        wanted = (
            _before_or_refuse(reference, before) if to is None else _given(authority, alias, to)
        )
        target = _standing(authority, reference, wanted)
        stood = alias.value("version")
        made = changes({"version": wanted}, "alias", alias)
        if made:
            # Another version than the one before is a move like any other.
            undoes = origin(authority.view, alias, "version") if wanted == before else None
            body = AliasBody(name, made)
            authority.submit("alias.set", document.id, identity, body, undoes=undoes)
            authority.flush()
        key = authority.view.keys[wanted]
        return Reverted(
            version=one_version(authority.connection, key, target),
            before=None if stood is None else _called(authority, model, stood),
            changed=bool(made) and not authority.requested,
            requested=bool(authority.requested),
        )


def before(context: Context, reference: str) -> VersionAnswer | None:
    """Return the version that a revert would move an alias to; None where it pointed to no other.

    Raises:
        NotFound: There is no such model or alias.
        BadInput: The reference names no alias.
    """
    model, name = alias_named(reference)
    with context.reading() as connection:
        _, document = model_named(connection, model)
        alias = document_by_id(connection, alias_id(document.id, name))
        if alias is None:
            raise NotFound(f"{model!r} has no alias {name!r}", f"`regtui aliases {model}`")
        wanted = _before(connection, alias)
        row = connection.execute("select key from base.version where id = ?", [wanted]).fetchone()
        version = None if wanted is None else document_by_id(connection, wanted)
        if row is None or version is None:
            return None
        return one_version(connection, int(row[0]), version)


def alias_named(reference: str) -> tuple[str, str]:
    """Return the model's and the alias's name, in identity form, of `MODEL@ALIAS`.

    Raises:
        BadInput: The reference names no alias.
    """
    parsed = parse(reference)
    if parsed.kind != "alias":
        raise BadInput(f"{reference!r} names no alias", "such as team/model@champion")
    return str(parsed.model), alias_key(parsed.selector)


def past_holders(connection: Connection, alias: Document) -> list[Held]:
    """Return where an alias pointed by its history rows, oldest first."""
    rows = connection.execute(
        "select distinct seq from base.log "
        "where entity = (select key from base.document where id = ?) order by seq",
        [alias.id],
    ).fetchall()
    seqs = [row[0] for row in rows]
    changed = rows_of(connection, seqs)
    found: list[Held] = []
    for past in operations(connection, seqs):
        for row in changed.get(past.seq, []):
            is_move = row.path == "version" and row.result == "applied"
            if row.entity != alias.id or not (is_move or row.result == "created"):
                continue
            operation = past.operation
            version = row.after if is_move else _first(connection, alias, operation)
            at = past.verdict.now
            found.append(
                (operation.id, Holder(version, operation.actor, at, undoes=operation.undoes))
            )
    return found


def _first(connection: Connection, alias: Document, operation: Operation) -> str | None:
    """Return where an operation that made an alias let it point; None where that is not known."""
    held = dict(holders(alias)).get(operation.id)
    if held is not None:
        return held.version
    if isinstance(operation.body, AliasBody):
        first: str | None = operation.body.set["version"].to
        return first
    request = document_by_id(connection, operation.entity)  # that was applied by it, or by a review
    return None if request is None else request.facts.get("version")


def _before(connection: Connection, alias: Document) -> str | None:
    found = earlier_version(alias)
    if found is not None:
        return found
    return earlier(alias.value("version"), past_holders(connection, alias))


def _before_or_refuse(reference: str, before: str | None) -> str:
    if before is None:
        raise NotFound(
            f"{reference} pointed to no other version before", "`--to REF` moves it to any version"
        )
    return before


def _given(authority: SoloAuthority, alias: Document, to: str) -> str:
    _, version = find_version(authority.connection, to)
    if version.stream != alias.stream:
        raise BadInput(f"{to} is a version of another model", "an alias stays in its model")
    return version.id


def _standing(authority: SoloAuthority, reference: str, version: str) -> Document:
    """Return a version that an alias may point to."""
    document = authority.view.document(version)
    if document is None:
        raise NotFound(f"{reference} pointed to a version that is not here", "`--to REF`")
    state = document.value("state")
    if state != "captured":
        called = _called(authority, reference.partition("@")[0], version)
        kind = NotFound if state == "deleted" else BadInput
        raise kind(
            f"{called} is {state}", f"`regtui version restore {called}`, or `--to` another version"
        )
    return document


def _called(authority: SoloAuthority, model: str, version: str) -> str:
    document = authority.view.document(version)
    number = None if document is None else document.facts["number"]
    return short_id(version) if number is None else f"{model}@{number}"
