"""How many operations a request has: what the server manages in the time that it gives one."""

from regtui.wire.messages import OPERATIONS_LIMIT

FIRST_BATCH = 500
"""Operations that a first request sends at most; what the next ones do depends on the server."""

LEAST_BATCH = 50

LESS = 8
"""A request that is not taken is sent again with so many times fewer operations."""


class BatchSize:
    """The operations of the next request.

    Args:
        first: Of the first one, at most.

    Attributes:
        limit: Of the next one, at most.
    """

    def __init__(self, first: int = FIRST_BATCH) -> None:
        self.limit = first
        self._most = OPERATIONS_LIMIT

    def note_judged(self, sent: int, answered: int) -> None:
        """Choose the next size by what was judged of a request.

        A server judges for so long, and what it does not come to is sent once more, with what was
        ahead: so it is asked for less than it managed, and for slowly more from there on.
        """
        if answered < sent:
            self._most = self.limit = max(LEAST_BATCH, answered * 3 // 4)
        elif sent >= self.limit:
            self.limit = min(2 * self.limit, self._most)
            self._most = min(OPERATIONS_LIMIT, self._most + self._most // 8 + 1)

    def note_refused(self, sent: int) -> bool:
        """Choose a smaller size, where a request is not taken as it is; False where there is none.

        What comes after is not as large again at once: that would not be taken, either.
        """
        if not sent or self.limit == 1:
            return False
        sent = min(self.limit, sent)
        self.limit, self._most = max(1, sent // LESS), max(1, sent // 2)
        return True
