"""The pace of syncing: how long to wait before the next sync, after how the last one went.

While something happens on either side it is quick; while nothing does it slows down, and a server
that is away is asked ever more seldom.
"""

from typing import Literal

SHORTEST = 5.0
"""Seconds between two syncs while something happens."""

IDLE = 60.0
"""Seconds between two syncs while nothing happens, at most."""

AWAY = 300.0
"""Seconds between two attempts while the server is away, at most."""

SOON = 1.0
"""Seconds after a change here: what is done at once goes in one request."""

Outcome = Literal["news", "nothing", "away"]
"""How a sync went: something was sent or came, nothing did, or it failed."""


class Pace:
    """How long to wait before the next sync.

    Attributes:
        seconds: How long.
        is_away: Whether the server was away the last time.
    """

    def __init__(self) -> None:
        self.seconds = SHORTEST
        self.is_away = False

    def went(self, outcome: Outcome) -> None:
        """Take in how a sync went."""
        was_away, self.is_away = self.is_away, outcome == "away"
        if outcome == "news" or was_away != self.is_away:
            self.seconds = SHORTEST
        elif outcome == "nothing":
            self.seconds = min(self.seconds * 1.5, IDLE)
        else:
            self.seconds = min(self.seconds * 2, AWAY)
