"""Aliases: names that point to versions."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import alias_id, alias_key, short_id
from regtui.core.operations import AliasBody
from regtui.registry.answers import AliasAnswer, iso
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.moved import moved
from regtui.registry.references import find_model, find_version

if TYPE_CHECKING:
    from regtui.registry.answers_production import Moved
    from regtui.replica.authority import SoloAuthority


def set_alias(context: Context, reference: str, name: str) -> bool:
    """Point an alias to a version; False where it points there already.

    Raises:
        NotFound: There is no such version, or it is deleted.
        BadInput: The alias name is malformed or reserved.
        Blocked: A policy protects it, and a gate says no.
    """
    return move_alias(context, reference, name)[0]


def move_alias(context: Context, reference: str, name: str) -> "tuple[bool, Moved]":
    """Point an alias to a version; tell whether it did not yet, and what became of it.

    One that policies protect is only requested where a server decides.

    Raises:
        NotFound: There is no such version, or it is deleted.
        BadInput: The alias name is malformed or reserved.
        Blocked: A policy protects it, and a gate says no.
    """
    key = alias_key(name)
    with context.writing() as authority:
        _, version = find_version(authority.connection, reference)
        if version.value("state") == "deleted":
            raise NotFound(f"{reference} is deleted", f"`regtui version restore {reference}`")
        changed = point(authority, version.stream, key, version.id)
        return changed, moved(authority)


def point(authority: "SoloAuthority", model: str, alias: str, version: str) -> bool:
    """Submit an alias (identity form) of a version; False where it points there already."""
    identity = alias_id(model, alias)
    made = changes({"version": version}, "alias", authority.view.document(identity))
    if made:
        authority.submit("alias.set", model, identity, AliasBody(alias, made))
    return bool(made)


def remove_alias(context: Context, reference: str) -> "Moved":
    """Take an alias away; one that policies protect is only requested where a server decides.

    Raises:
        NotFound: There is no such model or alias.
        BadInput: The reference does not name an alias.
        Blocked: A policy protects it, and a gate says no.
    """
    model, at, name = reference.partition("@")
    if not at:
        raise BadInput(f"{reference!r} names no alias", "such as team/model@champion")
    key = alias_key(name)
    with context.writing() as authority:
        _, document = find_model(authority.connection, model)
        identity = alias_id(document.id, key)
        found = authority.view.document(identity)
        if found is None or found.value("version") is None:
            raise NotFound(f"{model!r} has no alias {key!r}", "`regtui aliases` lists them")
        made = changes({"version": None}, "alias", found)
        authority.submit("alias.remove", document.id, identity, AliasBody(key, made))
        return moved(authority)


def aliases(context: Context, model: str | None = None) -> list[AliasAnswer]:
    """Return the aliases of one model or of all, by model and name.

    Raises:
        NotFound: There is no such model.
    """
    from regtui.registry.protection import Protection, requested_aliases

    with context.reading() as connection:
        key = None if model is None else find_model(connection, model)[0]
        rows = connection.execute(
            "select m.name, a.name, v.number, v.id::varchar, a.moved, "
            "(select d.id::varchar from base.conflict c join base.document d on d.key = c.key "
            " where c.open and c.path = 'version' and c.entity = a.key limit 1) "
            "from base.alias a join base.model m on m.key = a.model "
            "join base.version v on v.key = a.version "
            "where m.state <> 'deleted' and (?::bigint is null or m.key = ?) "
            "order by m.name, a.name",
            [key, key],
        ).fetchall()
        protection = Protection(connection)
        requested = requested_aliases(context, connection)
        return [
            AliasAnswer(
                model=model_name,
                alias=name,
                number=number,
                version_id=version,
                short_id=short_id(version),
                moved=iso(moved * 1000),
                conflict=conflict,
                protected=protection.protects(model_name, name),
                requested=requested.get((model_name, name)),
            )
            for model_name, name, number, version, moved, conflict in rows
        ]
