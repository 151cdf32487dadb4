"""Environments: where versions are deployed; few, and there for all models."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regtui.core.documents import Document
from regtui.core.errors import NotFound
from regtui.core.identity import environment_id
from regtui.core.operations import EnvironmentBody
from regtui.core.policies import duration, environment_key
from regtui.registry.answers import iso
from regtui.registry.answers_production import EnvironmentAnswer
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.deciding import decide_now, require_server
from regtui.replica.database import Connection

if TYPE_CHECKING:
    from regtui.replica.authority import SoloAuthority


def put_environment(
    context: Context, name: str, values: Mapping[str, Any]
) -> tuple[EnvironmentAnswer, bool]:
    """Make an environment, or change it; one that was removed comes back.

    Args:
        context: The registry.
        name: Its name.
        values: `kind`, `protected`, `description`, `expect`; None takes one away.

    Returns:
        The environment, and whether anything changed.

    Raises:
        BadInput: A name or value is malformed.
        Denied: It needs a maintainer of everything.
    """
    key, identity = environment_key(name), environment_id(environment_key(name))
    if values.get("expect") is not None:
        duration(str(values["expect"]))
    if values.get("protected") is False:
        require_server(context)  # which alone opens a protected one
    with context.writing() as authority:
        found = authority.view.document(identity)
        given = dict(values)
        if found is not None and found.value("state") != "active":
            given["state"] = "active"
        made = changes(given, "environment", found)
        if made or found is None:
            body = EnvironmentBody(key, made)
            authority.submit("environment.put", "registry", identity, body)
            authority.flush()
        changed = bool(made) or found is None
        waiting = [operation for operation, _ in authority.requested]
    decide_now(context, waiting)
    with context.reading() as connection:
        return _environments(connection, "e.id = ?", [identity])[0], changed


def remove_environment(context: Context, name: str) -> EnvironmentAnswer:
    """Remove an environment; what was deployed there stays in the history.

    Raises:
        NotFound: There is no such environment.
        BadInput: Something runs there.
    """
    key = environment_key(name)
    with context.writing() as authority:
        found = environment_named(authority, key)
        body = EnvironmentBody(key, changes({"state": "removed"}, "environment", found))
        authority.submit("environment.put", "registry", found.id, body)
        authority.flush()
        return _environments(authority.connection, "e.id = ?", [found.id])[0]


def environments(context: Context) -> list[EnvironmentAnswer]:
    """Return the environments, by name."""
    with context.reading() as connection:
        return _environments(connection, "e.state = 'active'", [])


def environment_named(authority: "SoloAuthority", key: str) -> Document:
    """Return the environment with a name in the form of identity.

    Raises:
        NotFound: There is none.
    """
    found = authority.view.document(environment_id(key))
    if found is None or found.value("state") != "active":
        raise _no_environment(authority.connection, key)
    return found


def known_environment(connection: Connection, key: str) -> str:
    """Return the name of an environment that is there, or was: its history stays.

    Raises:
        NotFound: There never was one.
    """
    known = connection.execute("select 1 from base.environment where name = ?", [key]).fetchone()
    if known is None:
        raise _no_environment(connection, key)
    return key


def _no_environment(connection: Connection, key: str) -> NotFound:
    rows = connection.execute(
        "select name from base.environment where state = 'active' order by name limit 5"
    ).fetchall()
    names = ", ".join(row[0] for row in rows)
    hint = f"there are {names}" if names else f"`regtui env put {key}` makes it"
    return NotFound(f"there is no environment {key!r}", hint)


def _environments(
    connection: Connection, condition: str, parameters: list[Any]
) -> list[EnvironmentAnswer]:
    rows = connection.execute(
        "select e.name, e.id::varchar, e.kind, e.protected, e.description, e.expect, e.state, "  # noqa: S608 -- constants of this module
        "(select count(*) from base.deployment d join base.model m on m.key = d.model "
        " where d.environment = e.name and d.state = 'live' and m.state <> 'deleted'), "
        "e.created, coalesce(a.name, '') from base.environment e "
        f"left join base.actor a on a.key = e.author where {condition} order by e.name",
        parameters,
    ).fetchall()
    return [
        EnvironmentAnswer(
            environment=name,
            id=identity,
            kind=kind,
            protected=protected,
            description=description,
            expect=expect,
            state=state,
            live=live,
            created=iso(created * 1000),
            author=author,
        )
        for (
            name, identity, kind, protected, description, expect, state, live, created, author
        ) in rows
    ]  # fmt: skip
