"""Definitions from files: the tables of policies or checks in TOML, or on standard input."""

from typing import Any

from regtui.cli.given_text import read_given
from regtui.registry.definition_text import tables_of

LIMIT = 1 << 20
"""Bytes of one file."""


def tables_in(path: str, kind: str) -> list[dict[str, Any]]:
    """Return the tables `[[policy]]` or `[[check]]` of a file; `-` is standard input.

    Other tables are left alone, so that policies and checks may stand in one file.

    Raises:
        NotFound: There is no such file.
        BadInput: It is no TOML, too large, has no such table, or one of them twice.
    """
    return tables_of(read_given(path, limit=LIMIT), kind, path)
