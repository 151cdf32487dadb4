"""The feed: operations newest first, by pages, at a million of them as at ten.

Without a filter a row's place follows from its sequence number, so any page is one look. With one,
operations are found from the newest on; the sequence numbers of what was found are kept, so that a
page that was seen is one look again, and the feed knows its length only when it has seen the end.

`renew` and `page` read, and are called in the reader's thread only; what they leave behind may be
read everywhere.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from regtui.registry import Registry
from regtui.registry.history import LogRequest, OperationAnswer
from regtui.tui.widgets.virtual_table import PAGE

Place = Literal["alone", "first", "middle", "last"]
"""Where an operation stands among those of its intent, from above."""

MOST_NEW = 4 * PAGE
"""New operations that are put above what was found; of more, the feed begins anew."""


class FeedRow(Struct, frozen=True):
    """One row.

    Attributes:
        seq: Sequence number.
        operation: The operation; None where the registry has none of this number.
        place: Where it stands in its intent.
    """

    seq: int
    operation: OperationAnswer | None
    place: Place = "alone"


class Feed:
    """The operations that a request asks for.

    Attributes:
        total: How many there are, as far as is known.
        is_whole: Whether that is all.
    """

    def __init__(self, request: LogRequest) -> None:
        self.request = request
        self.total = 0
        self.is_whole = False
        self._seqs: list[int] = []
        """What was found; of a request for everything, none."""
        self._top = 0
        """The newest operation of a request for everything."""

    @property
    def is_filtered(self) -> bool:
        """Whether it asks for some operations only."""
        return self.request != LogRequest()

    def renew(self, registry: Registry) -> int:
        """Look for what was done since, and return how many rows came on top."""
        if not self.is_filtered:
            before, self._top = self._top, registry.anchor().seq
            self.total, self.is_whole = self._top, True
            return self._top - before
        new: list[int] = []
        while self._seqs and len(new) <= MOST_NEW:
            found = self._log(registry, new[-1] if new else None)
            seqs = [operation.seq for operation in found]
            new += [seq for seq in seqs if seq > self._seqs[0]]
            if len(new) < len(seqs) or not seqs or seqs[-1] <= self._seqs[0]:
                break
        if not self._seqs or len(new) > MOST_NEW:
            self._seqs, self.is_whole = [], False
        else:
            self._seqs = new + self._seqs
        self._count()
        return len(new)

    def page(self, registry: Registry, number: int) -> list[FeedRow]:
        """Return the rows of a page; none behind the end."""
        if self.is_filtered:
            return self._found_page(registry, number)
        high = self._top - number * PAGE
        low = max(high - PAGE + 1, 1)
        # One more on either side tells whether an intent goes on there.
        answers = registry.log(limit=PAGE + 2, after=str(high + 2)).operations
        by_seq = {answer.seq: answer for answer in answers}
        return _rows(range(high, low - 1, -1), by_seq)

    def _found_page(self, registry: Registry, number: int) -> list[FeedRow]:
        end = (number + 1) * PAGE
        while len(self._seqs) < end and not self.is_whole:
            found = self._log(registry, self._seqs[-1] if self._seqs else None)
            self._seqs += [operation.seq for operation in found]
            self.is_whole = len(found) < PAGE
        self._count()
        seqs = self._seqs[number * PAGE : end]
        if not seqs:
            return []
        answers = self._log(registry, seqs[0] + 1, limit=len(seqs))
        return _rows(seqs, {answer.seq: answer for answer in answers})

    def _log(
        self, registry: Registry, after: int | None, limit: int | None = None
    ) -> list[OperationAnswer]:
        wanted = self.request
        return registry.log(
            wanted.reference,
            author=wanted.author,
            kind=wanted.kind,
            since=wanted.since,
            limit=limit or PAGE,
            after=None if after is None else str(after),
        ).operations

    def _count(self) -> None:
        """Count; behind what was found a page is made out until the end is seen."""
        self.total = len(self._seqs) + (0 if self.is_whole else PAGE)


def _rows(seqs: Sequence[int], by_seq: dict[int, OperationAnswer]) -> list[FeedRow]:
    return [FeedRow(seq, by_seq.get(seq), _place(by_seq, seq)) for seq in seqs]


def _place(by_seq: dict[int, OperationAnswer], seq: int) -> Place:
    """Return where an operation stands in its intent: its operations have adjacent numbers."""
    own = by_seq.get(seq)
    if own is None or own.group is None:
        return "alone"
    above, below = (
        (other := by_seq.get(seq + step)) is not None and other.group == own.group
        for step in (1, -1)
    )
    if above:
        return "middle" if below else "last"
    return "first" if below else "alone"
