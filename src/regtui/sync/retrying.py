"""Trying again: how long to wait after a failure, and when to give up.

Waits grow exponentially and are drawn at random, so that clients that failed together do not come
back together. Whoever gets further meanwhile starts counting anew: a transfer over a bad network
ends only when nothing at all gets through any more.
"""

import random
import threading

from msgspec import Struct

from regtui.core.errors import Unreachable


class Stopped(Exception):
    """The work was called off."""


class Again(Exception):
    """It failed in a way that may be over soon.

    Args:
        reason: What happened, as a part of a sentence.
        after: Seconds to wait at least.
    """

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


class Retry(Struct, frozen=True):
    """How often and after how long to try again.

    Attributes:
        attempts: Failures in a row, without getting any further, after which to give up.
        first: Seconds to wait after the first failure, at most.
        longest: Seconds to wait at most.
    """

    attempts: int = 8
    first: float = 0.25
    longest: float = 20.0


class Attempts:
    """The attempts at one thing.

    Args:
        retry: How often and after how long.
        stop: Set when the work is called off.
    """

    def __init__(self, retry: Retry, stop: threading.Event) -> None:
        self._retry = retry
        self._stop = stop
        self._failures = 0
        self._reached = -1

    def failed(self, again: Again, reached: int = 0) -> None:
        """Wait after a failure.

        Args:
            again: The failure.
            reached: How far it got; a number that grows.

        Raises:
            Unreachable: It failed too often in a row.
            Stopped: The work was called off.
        """
        if reached > self._reached:
            self._reached, self._failures = reached, 0
        self._failures += 1
        if self._failures >= self._retry.attempts:
            message = f"the server can't be reached: {again.reason}"
            raise Unreachable(message, "nothing is lost; try again later") from again
        longest = min(self._retry.longest, self._retry.first * 2 ** (self._failures - 1))
        wait = max(again.after, random.uniform(longest / 4, longest))  # noqa: S311 -- no secret
        if self._stop.wait(wait):
            raise Stopped
