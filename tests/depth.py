"""How much of a test is run each time, and how much by the slow suites alone."""

from collections.abc import Iterable
from typing import Any

import pytest


def few_of(values: Iterable[Any], count: int) -> list[Any]:
    """Return values to parametrize with: the first so many for every run, the others marked slow.

    For tests that take a second and more, and of which each further value says little.
    """
    return [
        value if place < count else pytest.param(*_given(value), marks=pytest.mark.slow)
        for place, value in enumerate(values)
    ]


def _given(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)
