"""The chains of all replicas whose operations a registry has, to measure newcomers by.

They are read once from the stored operations, a page at a time, so that writers get their turn;
whoever is inside a unit of work reads on to the end and then knows all of them. What is remembered
is an entry per replica and gap (`regtui.core.replica_chain`).
"""

import msgspec
from msgspec import Struct

from regtui.core import chain
from regtui.core.operations import Operation
from regtui.core.replica_chain import Fit, ReplicaChain
from regtui.replica.database import Connection

PAGE = 5_000
"""Operations that are read at once."""


class _Place(Struct):
    """What an operation says of its place."""

    replica: str
    n: int
    prev: str


class KnownChains:
    """What is known of each replica's chain up to an operation of the registry."""

    def __init__(self) -> None:
        self._seq = 0
        self._chains: dict[str, ReplicaChain] = {}
        self._forked: set[str] = set()

    def read(self, connection: Connection) -> bool:
        """Read a page; False where there was none. What can't be read is for the audit to tell."""
        rows = connection.execute(
            "select seq, bytes from base.operation where seq > ? and seq <= ? order by seq",
            [self._seq, self._seq + PAGE],
        ).fetchall()
        decode = msgspec.json.Decoder(_Place).decode
        for seq, data in rows:
            self._seq = seq
            try:
                place = decode(data)
            except (msgspec.MsgspecError, UnicodeError):
                continue
            known = self._chains.setdefault(place.replica, ReplicaChain())
            known.take(place.n, place.prev, chain.tip(data.encode()))
        return bool(rows)

    def admits(self, operation: Operation, data: bytes) -> bool:
        """Tell whether an operation that is not here fits its replica's chain.

        One that does not belongs to a second history under one id; so does all that comes after it.
        """
        if operation.replica in self._forked:
            return False
        known = self._chains.setdefault(operation.replica, ReplicaChain())
        fits = known.fit(operation.n, operation.prev, chain.tip(data)) in {Fit.BESIDE, Fit.APART}
        if not fits:
            self._forked.add(operation.replica)
        return fits

    def take(self, operation: Operation, data: bytes) -> None:
        """Take in an operation that the registry has from now on."""
        self._chains[operation.replica].take(operation.n, operation.prev, chain.tip(data))
        self._seq += 1
