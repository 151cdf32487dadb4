"""Signs: the few characters that carry a meaning, and what stands for them in plain ASCII."""

import locale
import os

from msgspec import Struct


class Signs(Struct, frozen=True, kw_only=True):
    """Characters by what they mean; each is one cell wide."""

    mark: str
    passed: str
    failed: str
    unknown: str
    conflict: str
    live: str
    best: str
    up: str
    down: str
    same: str
    open: str
    closed: str
    leaf: str
    ascending: str
    descending: str
    waiting: str
    ellipsis: str
    bars: str
    outgoing: str
    """Waits for the server."""
    intent: str
    """First, middle and last of what was done at once."""


UNICODE = Signs(
    mark="▌", passed="✓", failed="✗", unknown="?", conflict="⚠", live="●", best="★", up="▲",
    down="▼", same="=", open="▾", closed="▸", leaf=" ", ascending="↑", descending="↓",
    waiting="·", ellipsis="…", bars="▁▂▃▄▅▆▇█", outgoing="↑", intent="╭│╰",
)  # fmt: skip
ASCII = Signs(
    mark="*", passed="+", failed="x", unknown="?", conflict="!", live="o", best="*", up="^",
    down="v", same="=", open="-", closed="+", leaf=" ", ascending="^", descending="v",
    waiting=".", ellipsis="~", bars="_.-=+*#@", outgoing="^", intent="/|\\",
)  # fmt: skip

_chosen: list[Signs] = []


def choose(*, ascii_only: bool | None = None) -> Signs:
    """Choose the signs of this process.

    Args:
        ascii_only: Whether to use ASCII alone; None to see what the terminal can show.
    """
    if ascii_only is None:
        encoding = locale.getpreferredencoding(do_setlocale=False).lower().replace("-", "")
        ascii_only = encoding not in {"utf8", "utf16"} or os.environ.get("TERM") in {
            "linux",
            "dumb",
        }
    _chosen[:] = [ASCII if ascii_only else UNICODE]
    return _chosen[0]


def signs() -> Signs:
    """Return the signs of this process."""
    return _chosen[0] if _chosen else choose()


def sparkline(values: list[float]) -> str:
    """Return values as a line of bars, one cell each; empty without two of them."""
    found = [value for value in values if value == value and abs(value) != float("inf")]  # noqa: PLR0124 -- NaN
    if len(found) < 2:  # noqa: PLR2004 -- one value has no course
        return ""
    low, high = min(found), max(found)
    bars = signs().bars
    if low == high:
        return bars[len(bars) // 2] * len(found)
    scale = (len(bars) - 1) / (high - low)
    return "".join(bars[round((value - low) * scale)] for value in found)
