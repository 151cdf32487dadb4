"""How often somebody may ask: a token bucket for each token, or address where there is none."""

import math
import threading
import time
from collections.abc import Callable

from sync_server.authority import Refused

KNOWN = 10_000
"""Buckets that are kept; full ones are forgotten beyond."""


class TooMany(Refused):
    """Somebody asks too often.

    Args:
        seconds: After which he may ask again.
    """

    def __init__(self, seconds: int) -> None:
        super().__init__(429, "too_many", f"too many requests; try again in {seconds} s")
        self.retry_after = seconds


class RateLimiter:
    """Token buckets by key.

    Args:
        rate: What flows in, a second.
        burst: What a bucket holds.
        clock: Returns seconds that never go back.
    """

    def __init__(
        self, rate: float, burst: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, key: str) -> None:
        """Take one out of a bucket.

        Raises:
            TooMany: It is empty.
        """
        now = self._clock()
        with self._lock:
            level, since = self._buckets.get(key, (float(self._burst), now))
            level = min(self._burst, level + (now - since) * self._rate)
            if level < 1:
                raise TooMany(math.ceil((1 - level) / self._rate))
            self._buckets[key] = level - 1, now
            if len(self._buckets) > KNOWN:
                self._forget(now)

    def _forget(self, now: float) -> None:
        """Let go of what is full again, and of the oldest half where everybody is busy."""
        full = (self._burst - 1) / self._rate
        kept = {k: v for k, v in self._buckets.items() if now - v[1] < full}
        while len(kept) > KNOWN // 2:
            del kept[next(iter(kept))]
        self._buckets = kept
