"""The shapes of answers hold whatever was written."""

import pytest

from regtui.registry.answers import iso


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_700_000_000_123_456, "2023-11-14T22:13:20.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
        (500_000_000_000_000_000, "9999-12-31T23:59:59.999Z"),
        (2**63 - 1, "9999-12-31T23:59:59.999Z"),
        (-(2**63), "0001-01-01T00:00:00.000Z"),
    ],
)
def test_every_time_that_can_be_stored_has_a_text(microseconds: int, text: str) -> None:
    assert iso(microseconds) == text
