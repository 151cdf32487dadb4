"""The operations of one replica, as far as a registry has them.

A replica numbers its operations and gives each the digest of the one before it. A registry need not
have all of them, nor have taken them in their order: what it refused leaves a gap, and what it
refused once may be accepted later, behind its successors (`docs/decisions/0008-gaps-in-chains.md`).
So two things are held against an operation, and nothing else: that its number is taken, and that it
does not fit an operation that is directly before or after it.

Kept are *runs*, numbers without a gap: the digest that the first one expects before it, and that of
the last one. Their count is that of the gaps, however long the history is.
"""

from bisect import bisect_right
from enum import Enum

from msgspec import Struct

from regtui.core import chain


class Fit(Enum):
    """How an operation stands in its replica's chain.

    Attributes:
        BESIDE: Directly after one that is known.
        APART: After a gap.
        TWICE: Where another one stands, or where none can.
        BROKEN: Beside one that names another digest for it, or whose digest it does not name.
    """

    BESIDE = 1
    APART = 2
    TWICE = 3
    BROKEN = 4


class _Run(Struct):
    first: int
    last: int
    prev: str
    tip: str


class ReplicaChain:
    """What is known of the chain of one replica.

    Attributes:
        n: Number of the operation that was taken last. A replica never takes operations of its own
            from others, so for the one that signs this is the end of its chain.
        tip: The digest that the one after it has as `prev`.
    """

    def __init__(self) -> None:
        self.n = 0
        self.tip = chain.GENESIS
        # The beginning counts as number 0: only the first operation follows on it.
        self._runs = [_Run(0, 0, "", chain.GENESIS)]

    @property
    def is_whole(self) -> bool:
        """Whether no operation is missing before the last one."""
        return len(self._runs) == 1

    def fit(self, n: int, prev: str, tip: str) -> Fit:
        """Tell how an operation would stand; nothing is kept of it."""
        place = self._place(n)
        if place < 0 or n <= self._runs[place].last:
            return Fit.TWICE
        below, above = self._beside(place, n)
        if (below and below.tip != prev) or (above and above.prev != tip):
            return Fit.BROKEN
        return Fit.BESIDE if below else Fit.APART

    def take(self, n: int, prev: str, tip: str) -> Fit:
        """Take in an operation, also one that does not fit: what comes next is measured by it.

        Args:
            n: Its number.
            prev: The digest that it expects before it.
            tip: Its own.
        """
        found = self.fit(n, prev, tip)
        self.n, self.tip = n, tip
        place = self._place(n)
        if found is Fit.TWICE:
            if place > 0 and n == self._runs[place].last:
                self._runs[place].tip = tip
            return found
        below, above = self._beside(place, n)
        run = _Run(
            below.first if below else n,
            above.last if above else n,
            below.prev if below else prev,
            above.tip if above else tip,
        )
        start = place if below else place + 1
        self._runs[start : place + (2 if above else 1)] = [run]
        return found

    def _place(self, n: int) -> int:
        """Return where the last run stands that begins at a number or before it; -1 for none."""
        return bisect_right(self._runs, n, key=lambda run: run.first) - 1

    def _beside(self, place: int, n: int) -> tuple[_Run | None, _Run | None]:
        """Return the runs that end directly before a free number and begin directly after it."""
        below, above = self._runs[place], self._runs[place + 1 : place + 2]
        return (
            below if below.last == n - 1 else None,
            above[0] if above and above[0].first == n + 1 else None,
        )
