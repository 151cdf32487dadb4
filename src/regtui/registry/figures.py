"""Figures as people read them: numbers, counts, sizes and ages in few characters."""

from collections.abc import Sequence
from time import time as now  # by a name of its own, for tests that stop the clock

from regtui.replica.remote import PENDING


def number_text(value: float | str | None) -> str:
    """Return a figure in few digits."""
    if value is None or isinstance(value, str):
        return value or ""
    return f"{value:.6g}"


def size_text(size: int) -> str:
    """Return bytes in the unit that keeps them short."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:  # noqa: PLR2004 -- bytes
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def roles_text(roles: Sequence[tuple[str, str]], nothing: str = "no role") -> str:
    """Return roles in scopes as people read them, or what stands there without any."""
    return ", ".join(f"{role} in {scope}" for role, scope in roles) or nothing


def seq_text(seq: int) -> str:
    """Return how people call an operation: `#12`, or `+3` while it waits for the remote."""
    return f"#{seq}" if seq < PENDING else f"+{seq - PENDING}"


def age_text(created: str, until: str | None = None) -> str:
    """Return how long ago a time was, or how long before another one, in its largest unit."""
    import datetime

    then = datetime.datetime.fromisoformat(created)
    end = now() if until is None else datetime.datetime.fromisoformat(until).timestamp()
    seconds = max(0.0, end - then.timestamp())
    for unit, length in (("y", 31_557_600), ("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds:.0f}s"
