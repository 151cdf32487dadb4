"""Intents: what somebody did at once, and the intents that took it back.

An intent is the operations of one group, or one operation alone. Over it stands a chain: what took
it back, what took that back, and so on; under an undo stands what it took back. Whoever looks
through many intents reads them a page at a time (`load`): their groups, everything that is linked
with them over or under, and the groups of that, in a handful of queries however many they are.

What was read is remembered and never read again, so the intents of one unit of work are to be
looked at before it writes.
"""

import itertools
from collections.abc import Iterable

from msgspec import Struct

from regtui.core.view import Past
from regtui.registry.figures import seq_text
from regtui.registry.history import is_revert
from regtui.replica.database import Connection
from regtui.replica.history import members, operations_by_id, undoers, undone_under


class Intent(Struct, frozen=True):
    """What was done at once.

    Attributes:
        pasts: Its operations, in their order.
    """

    pasts: tuple[Past, ...]

    @property
    def first(self) -> Past:
        """Its first operation."""
        return self.pasts[0]

    @property
    def is_undo(self) -> bool:
        """Whether `undo` or `redo` made it."""
        operation = self.first.operation
        return operation.undoes is not None and not is_revert(operation)

    @property
    def name(self) -> str:
        """What to call it in a message, such as `#4 #5`."""
        return " ".join(seq_text(past.seq) for past in self.pasts)


class Intents:
    """The intents of a registry.

    Args:
        connection: The open replica.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._pasts: dict[str, Past] = {}
        self._intents: dict[str, Intent] = {}
        self._over: dict[str, list[str]] = {}
        self._linked: set[str] = set()

    def load(self, pasts: Iterable[Past]) -> None:
        """Read the intents of operations with all that is linked to them."""
        new = list(pasts)
        while new:
            self._join(new)
            new = self._link()

    def of(self, past: Past) -> Intent:
        """Return the intent that an operation belongs to."""
        if past.operation.id not in self._intents:
            self.load([past])
        return self._intents[past.operation.id]

    def over(self, found: Intent) -> list[Intent]:
        """Return the chain of intents over one: what took it back, what took that back, and on."""
        chain: list[Intent] = []
        last = found
        while above := self._above(last):
            last = self.of(max(above, key=lambda past: past.seq))
            chain.append(last)
        return chain

    def below(self, found: Intent) -> Intent | None:
        """Return what an undo took back; None where that is not here."""
        past = self._pasts.get(found.first.operation.undoes or "")
        return None if past is None or past.seq >= found.first.seq else self.of(past)

    def _above(self, found: Intent) -> list[Past]:
        """Return the operations that took any of an intent's back."""
        by = itertools.chain.from_iterable(
            self._over.get(past.operation.id, ()) for past in found.pasts
        )
        return [
            self._pasts[one]
            for one in by
            if one in self._pasts and self._pasts[one].seq > found.first.seq
        ]

    def _join(self, pasts: list[Past]) -> None:
        """Make the intents of operations, each with all of its group."""
        groups = {past.operation.group for past in pasts if past.operation.group is not None}
        joined = members(self._connection, groups)
        for past in pasts:
            if past.operation.id in self._intents:
                continue
            group = joined.get(past.operation.group or "", [])
            is_found = any(one.seq == past.seq for one in group)
            found = Intent(tuple(group) if is_found else (past,))
            for one in found.pasts:
                self._pasts[one.operation.id] = one
                self._intents[one.operation.id] = found

    def _link(self) -> list[Past]:
        """Look up what is over and under operations, once each; return those that are new."""
        ids = self._pasts.keys() - self._linked
        self._linked |= ids
        over = undoers(self._connection, ids)
        self._over |= over
        linked = {*itertools.chain.from_iterable(over.values())}
        linked |= {*undone_under(self._connection, ids).values()}
        return list(operations_by_id(self._connection, linked - self._pasts.keys()).values())
