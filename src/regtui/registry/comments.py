"""Comments: what people say about models and versions.

A verb that changes one answers from the unit of work that it changes it in: what is done must not
fail for a reader's turn.
"""

from typing import TYPE_CHECKING, Any

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.operations import Change, CommentBody, EditBody
from regtui.registry.answers import iso
from regtui.registry.answers_records import CommentAnswer
from regtui.registry.changes import changes, plain
from regtui.registry.context import Context
from regtui.registry.production_lookups import find_by_end
from regtui.registry.references import find_model, find_version, parse
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.ids import uuid7

if TYPE_CHECKING:
    from regtui.replica.authority import SoloAuthority

_COLUMNS = (
    "select d.id::varchar, m.name, v.number, v.id::varchar, c.text, a.name, c.created, c.edited, "
    "c.state from base.comment c join base.document d on d.key = c.key "
    "left join base.promotion p on p.key = c.entity "
    "left join base.deployment y on y.key = c.entity "
    "left join base.version v on v.key = coalesce(p.version, y.version, c.entity) "
    "join base.model m on m.key = coalesce(p.model, y.model, v.model, c.entity) "
    "left join base.actor a on a.key = c.author "
)


def comments(context: Context, reference: str) -> list[CommentAnswer]:
    """Return the comments on a version, or on a model and all of its; oldest first.

    Of a version also those on its requests and deployments.

    Raises:
        NotFound: There is no such model or version.
        BadInput: The reference is malformed.
    """
    with context.reading() as connection:
        key, document = _find(connection, reference)
        columns = {"model": "m.key", "version": "v.key"}
        column = columns.get(document.kind, "c.entity")
        rows = connection.execute(
            f"{_COLUMNS} where c.state = 'posted' and {column} = ? order by c.created, c.key",
            [key],
        ).fetchall()
    return [_answer(*row) for row in rows]


def add_comment(context: Context, reference: str, text: str) -> CommentAnswer:
    """Say something about a model or version.

    Raises:
        NotFound: There is no such model or version.
        BadInput: The text is empty or too long.
    """
    said = _said(text)
    with context.writing() as authority:
        _, about = _find(authority.connection, reference)
        identity = uuid7(context.replica.clock())
        body = CommentBody(about.id, about.kind, {"text": Change(said)})
        authority.submit("comment.add", about.stream, identity, body)
        authority.flush()
        return _one(authority.connection, identity)


def edit_comment(context: Context, identity: str, text: str) -> tuple[CommentAnswer, bool]:
    """Change the text of a comment; only its author may. Tell whether anything changed.

    Args:
        context: The registry.
        identity: Its id, or the beginning or end of it.
        text: The new text.

    Raises:
        NotFound: There is no such comment.
        Denied: Somebody else wrote it.
        BadInput: The text is empty or too long, or several comments are called so.
    """
    return _change(context, identity, {"text": _said(text)})


def withdraw_comment(context: Context, identity: str) -> tuple[CommentAnswer, bool]:
    """Withdraw a comment; only its author may. It stays in the history.

    Raises:
        NotFound: There is no such comment.
        Denied: Somebody else wrote it.
        BadInput: Several comments are called so.
    """
    return _change(context, identity, {"state": "withdrawn"})


def comment(context: Context, identity: str) -> CommentAnswer:
    """Return one comment by its id, or the beginning or end of it.

    Raises:
        NotFound: There is no such comment.
        BadInput: Several comments are called so.
    """
    with context.reading() as connection:
        return _one(connection, _named(connection, identity).id)


def _change(context: Context, identity: str, wanted: dict[str, Any]) -> tuple[CommentAnswer, bool]:
    with context.writing() as authority:
        found = _named(authority.connection, identity)
        if found.value("state") == "withdrawn" and "text" in wanted:
            raise NotFound(f"the comment {identity} is withdrawn", "add another one")
        _check_writable(authority, found)
        made = changes(wanted, "comment", found)
        if made:
            authority.submit("comment.edit", found.stream, found.id, EditBody(made))
            authority.flush()
        return _one(authority.connection, found.id), bool(made)


def _check_writable(authority: "SoloAuthority", found: Document) -> None:
    """Say which model is in the way where that is deleted."""
    model = authority.view.document(found.stream)
    if model is not None and model.value("state") == "deleted":
        name = model.value("name")
        raise NotFound(f"the model {name!r} is deleted", f"`regtui model restore {name}` undoes it")


def _find(connection: Connection, reference: str) -> tuple[int, Document]:
    """Return what a comment is about: a model, a version, `request:ID` or `deployment:ID`."""
    kind, colon, name = reference.partition(":")
    if colon and kind in {"request", "deployment"}:
        return find_by_end(connection, kind, name)
    find = find_model if parse(reference).kind == "model" else find_version
    return find(connection, reference)


def _said(text: str) -> str:
    said: str = plain(text).strip()
    if not said:
        raise BadInput(
            "there is nothing in the comment", "such as: regtui comment REF 'looks good'"
        )
    return said


def _named(connection: Connection, identity: str) -> Document:
    """Return the comment whose id begins or ends so.

    Ids begin with their time, so people see the end of them.
    """
    digits = identity.lower().replace("-", "")
    if not digits or set(digits) - set("0123456789abcdef"):
        raise BadInput(f"{identity!r} is no id of a comment", "`regtui comments REF` lists them")
    rows = connection.execute(
        "select d.body, d.id::varchar, replace(d.id::varchar, '-', '') as bare "
        "from base.comment c join base.document d on d.key = c.key "
        "where starts_with(bare, ?) or ends_with(bare, ?) limit 2",
        [digits, digits],
    ).fetchall()
    if not rows:
        raise NotFound(f"there is no comment {identity}", "`regtui comments REF` lists them")
    if len(rows) > 1:
        raise BadInput(f"several comments are called {identity}", "add more digits of the id")
    return stored_document(*rows[0][:2])


def _one(connection: Connection, identity: str) -> CommentAnswer:
    row = connection.execute(f"{_COLUMNS} where d.id = ?", [identity]).fetchone()
    if row is None:
        raise NotFound("the comment is not there any more")
    return _answer(*row)


def _answer(  # noqa: PLR0913, PLR0917 -- one row
    identity: str,
    model: str,
    number: int | None,
    version: str | None,
    text: str,
    author: str,
    created: int,
    edited: int | None,
    state: str,
) -> CommentAnswer:
    return CommentAnswer(
        id=identity,
        model=model,
        number=number,
        version_id=version,
        text=text,
        author=author,
        created=iso(created * 1000),
        edited=None if edited is None else iso(edited * 1000),
        state=state,
    )
