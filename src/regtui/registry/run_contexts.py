"""Keeping what is known of a run: in the place of a version, with its long texts by digest.

Packages and diff are the same for every version of a run, so each is kept once, as a text, and a
place names its digest. `regtui.core.documents.named_texts` tells which texts a version needs.
"""

from typing import Any

from regtui.capture.context import RunContext
from regtui.core import encoding
from regtui.replica.database import Connection
from regtui.replica.texts import keep


def keep_run_context(connection: Connection, context: RunContext) -> dict[str, Any]:
    """Keep the texts of a context in a writing unit of work.

    Args:
        connection: Inside the transaction that also sets the place.
        context: What is known of the run.

    Returns:
        The value for the place: nested JSON values, with `packages` and `git.diff` by digest.
    """
    values = dict(context.values)
    texts: dict[str, str] = {}
    if context.packages:
        values["packages"] = _named(texts, encoding.encode(context.packages).decode())
    if context.diff is not None:
        values["git"] = {**values.get("git", {}), "diff": _named(texts, context.diff)}
    keep(connection, texts.items())
    return values


def _named(texts: dict[str, str], text: str) -> str:
    digest = encoding.digest(text.encode())
    texts[digest] = text
    return digest
