"""What a typed text means, and what one types for a value that is kept."""

from typing import Any

import pytest

from regtui.core.errors import BadInput
from regtui.registry.typed_values import text_of, value_of

TYPED: list[tuple[str, str, Any]] = [
    ("metrics", "0.91", {"value": 0.91, "step": None}),
    ("metrics", "0.91@500", {"value": 0.91, "step": 500}),
    ("params", "0.0003", 0.0003),
    ("params", "6", 6),
    ("params", "true", True),
    ("params", "007", "007"),
    ("params", "adam w", "adam w"),
    ("tags", "6", "6"),
    ("tags", "", ""),
    ("inputs", "s3://x", {"uri": "s3://x", "digest": None}),
    ("owners", "", True),
    ("description", "true", "true"),
]


@pytest.mark.parametrize(("field", "text", "value"), TYPED)
def test_a_text_means_a_value_and_is_typed_for_it(field: str, text: str, value: Any) -> None:
    assert value_of(field, "name", text) == value
    assert text_of(field, value) == text


@pytest.mark.parametrize("text", ["", "high", "1@", "1@x", "1@-1", "1@9223372036854775808", "@1"])
def test_what_is_no_number_is_no_metric(text: str) -> None:
    with pytest.raises(BadInput, match="is no number"):
        value_of("metrics", "f1", text)


def test_metrics_that_are_no_finite_numbers_are_typed_by_name() -> None:
    for name in ("NaN", "Infinity", "-Infinity"):
        assert text_of("metrics", {"value": name, "step": 3}) == f"{name}@3"
        assert str(value_of("metrics", "f1", name)["value"]) in {"nan", "inf", "-inf"}
