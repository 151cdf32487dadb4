"""Definitions as people write them: policies as TOML, read and written, and in a few words."""

import tomllib
import unicodedata
from typing import Any

from regtui.core.errors import BadInput
from regtui.core.wording import count_text
from regtui.registry.answers_production import PolicyAnswer

_TOLD = {"alias", "environment", "description", "approvals", "approver_role", "checks", "max_age"}


def tables_of(text: str, kind: str, called: str) -> list[dict[str, Any]]:
    """Return the tables `[[policy]]` or `[[check]]` of a text.

    Policies and checks may stand together, and nothing else: a table whose name is mistyped would
    be dropped without a word.

    Args:
        text: TOML.
        kind: `policy` or `check`.
        called: What errors call the text.

    Raises:
        BadInput: It is no TOML, has no such table, one of them twice, or something else.
    """
    try:
        known = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"{called} is no TOML: {error}") from None
    found = known.get(kind, [])
    tables = [found] if isinstance(found, dict) else found
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        raise BadInput(f"{called} has no table [[{kind}]]", "docs/governance.md has an example")
    for name in known:
        if name not in {"policy", "check"}:
            raise BadInput(f"{called} has {name!r}, which is no policy and no check")
    _check_told_apart(tables, called)
    return tables


def _check_told_apart(tables: list[dict[str, Any]], called: str) -> None:
    """Refuse a file in which one table would silently take the place of another one."""
    seen = set[tuple[str, str]]()
    for table in tables:
        name, models = str(table.get("name")), str(table.get("models", "*"))
        told = unicodedata.normalize("NFC", name).casefold(), models.casefold()
        if told in seen:
            raise BadInput(f"{called} has {name!r} for {models} twice", "give one another name")
        seen.add(told)


def toml_of(policy: PolicyAnswer) -> str:
    """Return a policy as a file has it."""
    import tomlkit

    document = tomlkit.document()
    tables = tomlkit.aot()
    one = tomlkit.table()
    for key, value in {"name": policy.policy, "models": policy.models, **policy.definition}.items():
        one.add(key, value)
    tables.append(one)
    document.add("policy", tables)
    return tomlkit.dumps(document).strip()


def protects_text(policy: PolicyAnswer) -> str:
    """Return what a policy protects: `@production`, or `env:production`."""
    name = policy.target or "?"
    return f"env:{name}" if policy.target_kind == "environment" else f"@{name}"


def asks_text(policy: PolicyAnswer) -> str:
    """Return in a few words what a policy asks."""
    given = policy.definition
    told = [count_text(given["approvals"], "approval")] if given.get("approvals") else []
    told += [str(one) for one in given.get("checks", [])]
    left = [key for key in given if key not in _TOLD]
    return ", ".join([*told, *left]) or "a maintainer"
