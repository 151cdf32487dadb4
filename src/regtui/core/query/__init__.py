"""The query language: which versions, in which order.

`sentiment metric.f1>0.9 -tag:broken created>7d sort:-metric.f1` means the same in the app's
filter, in `ls` and in watch rules. A query is text, is parsed into frozen values (`syntax`), and is
compiled elsewhere: nothing here knows about storage. `parse_query(to_text(query))` is the query
again, and `parse_query` raises nothing but `QueryError`, which points at the character.

The fields are a table (`fields`), so that parser, completion and documentation can't disagree.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from regtui.core.query.errors import QueryError
    from regtui.core.query.parse import parse_query
    from regtui.core.query.syntax import Query
    from regtui.core.query.text import to_text

__all__ = ["Query", "QueryError", "parse_query", "to_text"]

_MODULES = {"Query": "syntax", "QueryError": "errors", "parse_query": "parse", "to_text": "text"}


def __getattr__(name: str) -> Any:
    """Import what is asked for: a listing without a query starts without the parser."""
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
