"""Definitions from files: the tables of policies or checks in TOML, or on standard input."""

import sys
from pathlib import Path
from typing import Any

from regtui.core.errors import BadInput, NotFound
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
    return tables_of(_text(path), kind, path)


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
