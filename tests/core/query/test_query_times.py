"""Dates agree with the calendar, durations with their units."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.query.times import DAY, date_text, duration_text, read_date, read_duration

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0))


@given(moments)
def test_a_second_is_the_same_as_in_the_calendar(moment: datetime) -> None:
    span = read_date(moment.replace(tzinfo=None).isoformat())

    assert span is not None
    assert span.start == (moment - EPOCH) // timedelta(milliseconds=1)
    assert span.end - span.start == 1000


@given(moments)
def test_a_day_lasts_from_midnight_to_midnight(moment: datetime) -> None:
    span = read_date(moment.date().isoformat())

    assert span is not None
    assert span.start == (moment - EPOCH).days * DAY
    assert span.end - span.start == DAY
    assert date_text(span) == moment.date().isoformat()


def test_a_date_may_say_that_it_is_in_utc() -> None:
    assert read_date("2026-11-01T12:30Z") == read_date("2026-11-01t12:30")


@pytest.mark.parametrize(
    "text",
    [
        "2026-02-29",
        "1900-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-04-31",
        "2026-01-00",
        "0000-01-01",
        "2026-11-01T24:00",
        "2026-11-01T12:60",
        "2026-11-01T12",
        "2026-11-01T12:30+01:00",
        "2026-1-1",
        "\u0662\u0660\u0662\u0666-11-01",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert read_date(text) is None


def test_leap_days_exist_in_leap_years() -> None:
    assert read_date("2024-02-29")
    assert read_date("2000-02-29")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("30s", 30_000),
        ("30m", 1_800_000),
        ("12H", 43_200_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1y", 31_536_000_000),
        ("0d", 0),
    ],
)
def test_a_duration_has_a_number_and_a_unit(text: str, milliseconds: int) -> None:
    assert read_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["7", "d", "-7d", "1.5d", "7dd", "7 d", "7q", "10001y", "\u0667d"])
def test_what_is_no_duration_is_none(text: str) -> None:
    assert read_duration(text) is None


def test_a_duration_is_shown_in_its_largest_whole_unit() -> None:
    assert duration_text(90 * 60_000) == "90m"
    assert duration_text(14 * DAY) == "2w"
