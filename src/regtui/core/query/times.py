"""Dates and durations of the query language, in milliseconds.

The core may not import the clock's modules, and a query needs little: days of the Gregorian
calendar in UTC counted from 1970 (after Howard Hinnant's `days_from_civil`, exact for every year),
and durations of whole units. A year is 365 days.
"""

import re

from regtui.core.query.syntax import Span

SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"y": 365 * DAY, "w": 7 * DAY, "d": DAY, "h": HOUR, "m": MINUTE, "s": SECOND}
_LONGEST = 10_000 * _UNITS["y"]
_DURATION = re.compile(r"([0-9]{1,12})([ywdhms])")
_DATE = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?)?[Zz]?"
)
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def read_duration(text: str) -> int | None:
    """Return the milliseconds of `7d` or the like; None if it is none or beyond 10,000 years."""
    found = _DURATION.fullmatch(text.lower())
    if not found:
        return None
    milliseconds = int(found[1]) * _UNITS[found[2]]
    return milliseconds if milliseconds <= _LONGEST else None


def duration_text(milliseconds: int) -> str:
    """Return the duration in the largest unit that fits exactly."""
    for letter, unit in _UNITS.items():
        if milliseconds % unit == 0:
            return f"{milliseconds // unit}{letter}"
    raise ValueError(milliseconds)


def read_date(text: str) -> Span | None:
    """Return the day, minute or second that the text names; None if it names none."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups())
    if not (year and 1 <= month <= 12 and 1 <= day <= _month_days(year, month)):  # noqa: PLR2004
        return None
    if hour > 23 or minute > 59 or second > 59:  # noqa: PLR2004
        return None
    start = _days(year, month, day) * DAY + hour * HOUR + minute * MINUTE + second * SECOND
    unit = SECOND if found[6] else MINUTE if found[4] else DAY
    return Span(start, start + unit)


def date_text(span: Span) -> str:
    """Return the text that reads back to the span."""
    days, rest = divmod(span.start, DAY)
    year, month, day = _civil(days)
    date = f"{year:04}-{month:02}-{day:02}"
    unit = span.end - span.start
    if unit == DAY:
        return date
    clock = f"{date}T{rest // HOUR:02}:{rest // MINUTE % 60:02}"
    return clock if unit == MINUTE else f"{clock}:{rest // SECOND % 60:02}"


def _month_days(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else _DAYS[month - 1]  # noqa: PLR2004


def _days(year: int, month: int, day: int) -> int:
    """Return the days from 1970-01-01; the year is turned to start in March, leap day last."""
    year, month = (year, month - 3) if month > 2 else (year - 1, month + 9)  # noqa: PLR2004
    era, of_era = divmod(year, 400)
    of_year = (153 * month + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """Return year, month and day: the inverse of `_days`."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    after = month >= 10  # noqa: PLR2004
    return year + era * 400 + after, month - 9 if after else month + 3, day
