"""Histograms of latencies: counts between fixed bounds, so that any two of them can be added.

The bounds grow by the square root of two, from a quarter of a millisecond to three quarters of a
minute: a quantile is off by a fifth at most. Who reports and who adds up use this one table; it
is never changed, for counts of before and after could not be added.
"""

from bisect import bisect_left
from collections.abc import Sequence

BOUNDS: tuple[float, ...] = tuple(0.00025 * 2 ** (place / 2) for place in range(36))
"""Seconds, upwards."""

SLOTS = len(BOUNDS) + 1
"""Counts of a histogram: one up to each bound, and one for what took longer."""


def slot(seconds: float) -> int:
    """Return which count a latency belongs to: that of the first bound that it does not exceed."""
    return bisect_left(BOUNDS, seconds)


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Return the seconds within which a share of what was counted was done; None of nothing.

    Args:
        counts: As many as `SLOTS`.
        share: From 0 to 1.
    """
    total = sum(counts)
    if not total:
        return None
    rank, before = share * total, 0
    for place, count in enumerate(counts):
        if count and before + count >= rank:
            low = BOUNDS[place - 1] if place else 0.0
            high = BOUNDS[min(place, len(BOUNDS) - 1)]
            return low + (high - low) * max(0.0, rank - before) / count
        before += count
    return BOUNDS[-1]
