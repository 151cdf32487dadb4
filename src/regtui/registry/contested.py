"""Contested aliases: what becomes of a reference through one whose conflict is open.

It names what was accepted. Whoever works on the registry may want to hear of it, or may want it to
fail; what he wants holds for the units of work that his context opens.
"""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

from regtui.core.errors import ConflictOpen

Listener = Callable[[str, str], None]
"""Is told the alias, as `MODEL@ALIAS`, and the id of its conflict."""

_listener: ContextVar[Listener | None] = ContextVar("contested", default=None)


@contextlib.contextmanager
def heard(listener: Listener | None) -> Iterator[None]:
    """Tell somebody of contested aliases for as long as this lasts; None tells nobody."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def tell(alias: str, conflict: str) -> None:
    """Tell whoever listens of an alias, as `MODEL@ALIAS`, whose conflict is open."""
    listener = _listener.get()
    if listener is not None:
        listener(alias, conflict)


def refuse(alias: str, conflict: str) -> None:
    """Be a listener that takes no contested alias.

    Raises:
        ConflictOpen: Always.
    """
    raise ConflictOpen(f"{alias} is contested", way_out(conflict))


def way_out(conflict: str) -> str:
    """Return what to do about a conflict."""
    return f"`regtui resolve {conflict[:8]}` settles it"
