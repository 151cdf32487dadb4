"""Checks: how versions are tried, by name and scope.

The same name in two scopes are two checks, and the wider one holds where both apply
(`regtui.core.policies.check_named`): nobody can put one that always passes in its place. What
somebody puts here himself he trusts, for he is who says what runs on his machine; what came by sync
or in a bundle waits for that (`check_trust`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from regtui.core.access import scope_key
from regtui.core.documents import Document
from regtui.core.errors import BadInput
from regtui.core.identity import check_id, name_key
from regtui.core.operations import Change, CheckBody
from regtui.core.policies import Check, applying, check_named, check_of, definition_digest
from regtui.registry.answers import iso
from regtui.registry.answers_checks import CheckAnswer
from regtui.registry.changes import changes, plain
from regtui.registry.check_trust import is_trusted, trust_digest, trusted_digests
from regtui.registry.context import Context
from regtui.registry.lookups import actor_names, one_named
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document


class WantedCheck(Struct, frozen=True):
    """A check to put: its name, its scope, and what it does."""

    name: str
    models: str
    definition: Mapping[str, Any]


def put_check(
    context: Context, name: str, models: str, definition: Mapping[str, Any]
) -> tuple[CheckAnswer, bool]:
    """Make a check, or change it; one that was removed comes back.

    Args:
        context: The registry.
        name: What it is called.
        models: The models that it is about: `*`, a prefix such as `nlp/*`, or one.
        definition: What it does (`regtui.core.policies.Check`).

    Returns:
        The check, and whether anything changed.

    Raises:
        BadInput: Something in it means nothing.
        Denied: It is for maintainers of all of its scope.
    """
    return put_checks(context, [WantedCheck(name, models, definition)])[0]


def put_checks(context: Context, wanted: Iterable[WantedCheck]) -> list[tuple[CheckAnswer, bool]]:
    """Make or change several checks, all of them or none; see `put_check`."""
    checked = [_checked(one) for one in wanted]
    with context.writing() as authority:
        authority.begin_group()
        changed = [_put(authority, one) for one in checked]
        authority.flush()
        ids = [check_id(one.models, one.name) for one in checked]
        documents = (authority.view.document(one) for one in ids)
        found = [document for document in documents if document is not None]
        answers = {one.id: one for one in check_answers(authority.connection, found)}
    return [(answers[identity], one) for identity, one in zip(ids, changed, strict=True)]


def remove_check(context: Context, name: str, models: str | None = None) -> CheckAnswer:
    """Remove a check; what its runs told stays.

    Args:
        context: The registry.
        name: What it is called.
        models: Its scope, where there are several of that name.

    Raises:
        NotFound: There is no such check.
        BadInput: There are several; the error names their scopes.
        Denied: It is for maintainers of all of its scope.
    """
    with context.writing() as authority:
        found = find_check(authority.connection, name, models)
        (answer,) = check_answers(authority.connection, [found])
        made = {"state": Change("removed", saw=found.stamp("state"))}
        body = CheckBody(found.facts["name"], found.facts["models"], made)
        authority.submit("check.remove", "registry", found.id, body)
        authority.flush()
        return answer


def checks(context: Context, model: str | None = None) -> list[CheckAnswer]:
    """Return all checks, or those that hold for a model, by name.

    Args:
        context: The registry.
        model: Name of the model, which there need not be yet.

    Raises:
        BadInput: The name is malformed.
    """
    with context.reading() as connection:
        found = all_checks(connection)
        if model is not None:
            found = holding(found, name_key(model))
        return check_answers(connection, found)


def check(context: Context, name: str, models: str | None = None) -> CheckAnswer:
    """Return one check.

    Args:
        context: The registry.
        name: What it is called.
        models: Its scope, where there are several of that name.

    Raises:
        NotFound: There is no such check.
        BadInput: There are several; the error names their scopes.
    """
    with context.reading() as connection:
        return check_answers(connection, [find_check(connection, name, models)])[0]


def all_checks(connection: Connection) -> list[Document]:
    """Return the active checks, by name and scope."""
    rows = connection.execute(
        "select d.body, d.id::varchar from base.definition f join base.document d on d.key = f.key "
        "where f.kind = 'check' and f.state = 'active' order by f.name, f.models"
    ).fetchall()
    return [stored_document(*row) for row in rows]


def holding(documents: list[Document], model: str) -> list[Document]:
    """Return the checks that hold for a model, by name: of each name that with the widest scope."""
    names = sorted({str(one.facts["name"]) for one in applying(documents, model)})
    found = (check_named(documents, model, name) for name in names)
    return [one for one in found if one is not None]


def find_check(connection: Connection, name: str, models: str | None = None) -> Document:
    """Return the check of a name.

    Raises:
        NotFound: There is none.
        BadInput: There are several, or the name is malformed.
    """
    return one_named("check", all_checks(connection), name, models)


def check_answers(connection: Connection, documents: list[Document]) -> list[CheckAnswer]:
    """Return the answers for checks, in their order."""
    trusted = trusted_digests(connection)
    authors = actor_names(connection, {str(one.facts["author"]) for one in documents})
    return [_answer(one, trusted, authors) for one in documents]


def _checked(wanted: WantedCheck) -> WantedCheck:
    """Return a check as it is kept: its names as they decide identity, and what it says.

    Raises:
        BadInput: Something in it means nothing.
    """
    name, models = name_key(wanted.name, segments=False), scope_key(wanted.models)
    try:
        found = check_of(plain(dict(wanted.definition)))
    except BadInput as error:
        raise BadInput(f"the check {name!r}: {error.message}", error.hint) from None
    if found.builtin == "metric-regression" and found.against is None:
        raise BadInput(f"the check {name!r} compares with nothing", 'such as against = "champion"')
    # Without what is as always: the same check has the same digest however it is written.
    always = structs.asdict(Check())
    definition = {key: v for key, v in structs.asdict(found).items() if v != always[key]}
    return WantedCheck(name, models, definition)


def _put(authority: SoloAuthority, wanted: WantedCheck) -> bool:
    identity = check_id(wanted.models, wanted.name)
    seen = authority.view.document(identity)
    definition = dict(wanted.definition)
    if "run" in definition:
        trust_digest(authority.connection, definition_digest(definition))
    made = changes({"definition": definition}, "check", seen)
    is_gone = seen is not None and seen.value("state") != "active"
    if not made and not is_gone:
        return False
    if not made and seen is not None:  # the same definition comes back
        made = {"definition": Change(definition, saw=seen.stamp("definition"))}
    authority.submit("check.put", "registry", identity, CheckBody(wanted.name, wanted.models, made))
    return True


def _answer(document: Document, trusted: set[str], authors: dict[str, str]) -> CheckAnswer:
    definition, facts = document.value("definition"), document.facts
    return CheckAnswer(
        check=facts["name"],
        models=facts["models"],
        id=document.id,
        definition=definition,
        digest=definition_digest(definition),
        trusted=is_trusted(definition, trusted),
        changed=iso(document.fields["definition"].at),
        created=iso(facts["created"]),
        author=authors.get(facts["author"], facts["author"]),
        pending=document.seq == 0,
    )
