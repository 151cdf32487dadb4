"""Shell completion from the registry; it never makes one and never fails."""

import contextlib
import os
from pathlib import Path

from regtui.cli.settings import SETTINGS

LIMIT = 200

PATIENCE = "0.5"
"""Seconds that a person at a prompt waits for a busy registry."""


def models(incomplete: str) -> list[str]:
    """Complete a model's name."""
    return _names("select name from base.model where state <> 'deleted'", incomplete)


def references(incomplete: str) -> list[str]:
    """Complete a model's name, and after `@` its aliases and numbers."""
    model, at, _ = incomplete.partition("@")
    if not at:
        return models(incomplete)
    words = [f"{model}@latest", f"{model}@best"]
    named = "from base.model m join base.{} t on t.model = m.key where m.name = ?"
    aliases = f"select m.name || '@' || t.name {named.format('alias')} and t.version is not null"
    numbers = f"select m.name || '@' || t.number {named.format('version')} and t.state = 'captured'"
    found = _names(aliases, incomplete, model) + _names(numbers, incomplete, model)
    return [*found, *(word for word in words if word.startswith(incomplete))]


def aliases(incomplete: str) -> list[str]:
    """Complete the name of any alias."""
    return _names("select distinct name from base.alias", incomplete)


def datasets(incomplete: str) -> list[str]:
    """Complete a dataset's name."""
    return _names("select name from base.dataset where state = 'active'", incomplete)


def policies(incomplete: str) -> list[str]:
    """Complete a policy's name."""
    statement = (
        "select distinct name from base.definition where kind = 'policy' and state = 'active'"
    )
    return _names(statement, incomplete)


def checks(incomplete: str) -> list[str]:
    """Complete a check's name."""
    statement = (
        "select distinct name from base.definition where kind = 'check' and state = 'active'"
    )
    return _names(statement, incomplete)


def environments(incomplete: str) -> list[str]:
    """Complete an environment's name."""
    return _names("select name from base.environment where state = 'active'", incomplete)


def targets(incomplete: str) -> list[str]:
    """Complete what a version can be promoted to: an alias, or `env:` and an environment."""
    places = "select 'env:' || name from base.environment where state = 'active'"
    return [*aliases(incomplete), *_names(places, incomplete)]


def requests(incomplete: str) -> list[str]:
    """Complete the short name of an open promotion request."""
    statement = (
        "select right(replace(id::varchar, '-', ''), 8) from base.promotion where state = 'open'"
    )
    return _names(statement, incomplete)


def verdicts(incomplete: str) -> list[str]:
    """Complete what one can say to a promotion request."""
    return [one for one in ("approve", "reject", "clear", "comment") if one.startswith(incomplete)]


def deployments(incomplete: str) -> list[str]:
    """Complete the short name of a deployment that has not ended."""
    statement = (
        "select right(replace(id::varchar, '-', ''), 8) from base.deployment "
        "where state in ('pending', 'live', 'draining')"
    )
    return _names(statement, incomplete)


def conflicts(incomplete: str) -> list[str]:
    """Complete the id of an open conflict."""
    statement = (
        "select d.id::varchar from base.conflict c join base.document d on d.key = c.key "
        "where c.open"
    )
    return _names(statement, incomplete)


def people(incomplete: str) -> list[str]:
    """Complete the name of somebody of whom this registry has heard."""
    return _names("select distinct lower(name) from base.actor", incomplete)


def scopes(incomplete: str) -> list[str]:
    """Complete a scope: everything, what is below a folder of names, or one model."""
    folders = (
        "select distinct array_to_string(parts[:depth], '/') || '/*' from ("
        "select string_split(name, '/') as parts, unnest(range(1, len(parts))) as depth "
        "from base.model where state <> 'deleted')"
    )
    return [*(["*"] if not incomplete else []), *_names(folders, incomplete), *models(incomplete)]


def roles(incomplete: str) -> list[str]:
    """Complete the name of a role."""
    from regtui.core.access import Role

    names = [role.name.lower() for role in Role]
    return [name for name in names if name.startswith(incomplete.lower())]


def user_states(incomplete: str) -> list[str]:
    """Complete the state of a user."""
    return [state for state in ("active", "disabled") if state.startswith(incomplete.lower())]


def _names(statement: str, incomplete: str, *parameters: str) -> list[str]:
    os.environ.setdefault("REGTUI_WAIT", PATIENCE)
    with contextlib.suppress(Exception):
        from regtui.registry.context import make_context

        context = make_context(None if SETTINGS.home is None else Path(SETTINGS.home), "cli")
        if not context.replica.home.exists():
            return []
        with context.reading() as connection:
            rows = connection.execute(
                f"select name from ({statement}) as found(name) "  # noqa: S608 -- constants above
                "where starts_with(name, ?) order by name limit ?",
                [*parameters, incomplete.lower(), LIMIT],
            ).fetchall()
            return [row[0] for row in rows]
    return []
