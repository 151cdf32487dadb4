"""Definitions from files: the tables of policies or checks in TOML, or on standard input."""

import sys
import tomllib
import unicodedata
from pathlib import Path
from typing import Any

from regtui.core.errors import BadInput, NotFound

LIMIT = 1 << 20
"""Bytes of one file."""


def tables_in(path: str, kind: str) -> list[dict[str, Any]]:
    """Return the tables `[[policy]]` or `[[check]]` of a file; `-` is standard input.

    Other tables are left alone, so that policies and checks may stand in one file.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no TOML, too large, has no such table, or one of them twice.
    """
    text = _text(path)
    try:
        found = tomllib.loads(text).get(kind, [])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise BadInput(f"{path} is no TOML: {error}") from None
    tables = [found] if isinstance(found, dict) else found
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        raise BadInput(f"{path} has no table [[{kind}]]", "docs/governance.md has an example")
    _check_told_apart(tables, path)
    return tables


def _check_told_apart(tables: list[dict[str, Any]], path: str) -> None:
    """Refuse a file in which one table would silently take the place of another one."""
    seen = set[tuple[str, str]]()
    for table in tables:
        name, models = str(table.get("name")), str(table.get("models", "*"))
        told = unicodedata.normalize("NFC", name).casefold(), models.casefold()
        if told in seen:
            raise BadInput(f"{path} has {name!r} for {models} twice", "give one another name")
        seen.add(told)


def _text(path: str) -> str:
    try:
        data = sys.stdin.buffer.read(LIMIT + 1) if path == "-" else Path(path).read_bytes()
    except FileNotFoundError:
        raise NotFound(f"there is no file {path}") from None
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    if len(data) > LIMIT:
        raise BadInput(f"{path} has more than {LIMIT:,} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise BadInput(f"{path} is not written in UTF-8") from None
