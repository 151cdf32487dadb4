"""Roles on the command line, as they are typed."""

from collections.abc import Sequence

from regtui.core.errors import BadInput


def narrowed(roles: Sequence[str], scopes: Sequence[str]) -> list[tuple[str, str]] | None:
    """Return what a token shall be narrowed to; None where nothing says so.

    Each role is meant in each scope, unless it names its own as `viewer:nlp/*`. A role alone is
    meant wherever its user has more; a scope alone leaves him whatever he may do in it.

    Raises:
        BadInput: Scopes were given, and every role names its own.
    """
    own = [tuple(text.split(":", 1)) for text in roles if ":" in text]
    plain = [text for text in roles if ":" not in text]
    if scopes and own and not plain:
        raise BadInput("each --role names its scope already", "leave --scope out")
    found = [(role, scope) for role, scope in own]
    if plain or scopes:
        found += [(role, scope) for role in plain or ["admin"] for scope in scopes or ["*"]]
    return found or None
