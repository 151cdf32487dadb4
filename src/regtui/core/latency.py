"""Histograms of latencies: counts between fixed bounds, so that any two of them can be added.

The bounds grow by the square root of two, from a quarter of a millisecond to three quarters of a
minute: a quantile is off by a fifth at most. Who reports and who adds up use this one table; it
is never changed, for counts of before and after could not be added.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

BOUNDS: tuple[float, ...] = tuple(0.00025 * 2 ** (place / 2) for place in range(36))
"""Seconds, upwards."""

SLOTS = len(BOUNDS) + 1
"""Counts of a histogram: one up to each bound, and one for what took longer."""

COUNT_LIMIT = 2**40
"""How many requests one report may tell of."""


def slot(seconds: float) -> int:
    """Return which count a latency belongs to: that of the first bound that it does not exceed."""
    return bisect_left(BOUNDS, seconds)


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Return the seconds within which a share of what was counted was done; None of nothing.

    Args:
        counts: As many as `SLOTS`.
        share: From 0 to 1.
    """
    sums = [*accumulate(counts)]
    if not sums[-1]:
        return None
    rank = share * sums[-1]
    place = bisect_left(sums, rank) if rank else bisect_right(sums, 0)
    low = BOUNDS[place - 1] if place else 0.0
    high = BOUNDS[min(place, len(BOUNDS) - 1)]
    before = sums[place - 1] if place else 0
    return low + (high - low) * (rank - before) / counts[place]
