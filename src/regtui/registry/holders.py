"""Holders: where an alias pointed, who moved it there, and when."""

from msgspec import Struct

from regtui.core import holders as kept
from regtui.core.errors import NotFound
from regtui.core.identity import alias_id, short_id
from regtui.registry.answers import iso
from regtui.registry.context import Context
from regtui.registry.lookups import actor_names, document_by_id
from regtui.registry.references import model_named
from regtui.registry.revert import alias_named, past_holders
from regtui.replica.database import Connection
from regtui.replica.history import operations_by_id


class HolderAnswer(Struct, frozen=True, kw_only=True):
    """Where an alias pointed from some moment on.

    Attributes:
        model: Name of the model.
        alias: Name of the alias.
        number: Of the version; None where the alias was taken away.
        version_id: UUID of the version.
        short_id: Its short id.
        since: When it was moved there.
        author: Name of who moved it.
        before: Number of the version before; None where there was none.
        seq: Number of the operation in the log; None where that is not here.
        operation: Id of the operation.
        undoes: Id of the operation that this took back.
    """

    model: str
    alias: str
    number: int | None
    version_id: str | None
    short_id: str | None
    since: str
    author: str
    before: int | None
    seq: int | None
    operation: str
    undoes: str | None


def holders(context: Context, reference: str) -> list[HolderAnswer]:
    """Return where an alias, given as `MODEL@ALIAS`, pointed, newest first.

    An alias remembers the last 50; of one that an older program moved the log tells.

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
        found = kept.holders(alias) or past_holders(connection, alias)
        pasts = operations_by_id(connection, (operation for operation, _ in found))
        names = actor_names(connection, {holder.author for _, holder in found})
        numbers = _numbers(connection, {h.version for _, h in found if h.version is not None})
    answers: list[HolderAnswer] = []
    before: int | None = None
    for operation, holder in found:
        version = holder.version
        number = None if version is None else numbers.get(version)
        answers.append(
            HolderAnswer(
                model=model,
                alias=name,
                number=number,
                version_id=version,
                short_id=None if version is None else short_id(version),
                since=iso(holder.at),
                author=names.get(holder.author, holder.author),
                before=before,
                seq=pasts[operation].seq if operation in pasts else None,
                operation=operation,
                undoes=holder.undoes,
            )
        )
        before = number
    return answers[::-1]


def _numbers(connection: Connection, versions: set[str]) -> dict[str, int | None]:
    rows = connection.execute(
        "select id::varchar, number from base.version where id in (select unnest(?::uuid[]))",
        [sorted(versions)],
    ).fetchall()
    return dict(rows)
