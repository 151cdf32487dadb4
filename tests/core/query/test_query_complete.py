"""What can be written where the cursor stands in a query."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.query.complete import completed, completions, wanted_at
from regtui.core.query.parse import parse_query

WORDS = {
    ("model", ""): ["nlp/sentiment", "vision/digits", "with space"],
    ("metric", ""): ["f1", "loss", "top 5"],
    ("param", ""): ["lr"],
    ("tag", ""): ["draft", "env"],
    ("tag", "env"): ["dev", "prod"],
    ("alias", ""): ["champion"],
}


def known(field: str, name: str, beginning: str) -> Iterable[str]:
    return [word for word in WORDS.get((field, name), []) if word.startswith(beginning)]


def complete(text: str) -> list[str]:
    """Return the query with each completion at its end."""
    wanted = wanted_at(text, len(text))
    return [completed(text, wanted, word)[0] for word in completions(wanted, known)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("met", ["metric."]),
        ("-al", ["-alias:"]),
        ("so", ["source:", "sort:"]),
        ("metric.", ["metric.f1", "metric.loss", 'metric."top 5"']),
        ("metric.l", ["metric.loss"]),
        ('metric."to', ['metric."top 5"']),
        ("model:v", ["model:vision/digits"]),
        ("model:w", ['model:"with space"']),
        ("model:nlp/sentiment,v", ["model:nlp/sentiment,vision/digits"]),
        ("bad alias:c", ["bad alias:champion"]),
        ("state:ar", ["state:archived"]),
        ("tag:e", ["tag:env"]),
        ("tag:env=p", ["tag:env=prod"]),
        ("tag.env:d", ["tag.env:dev"]),
        ("sort:-metric.f", ["sort:-metric.f1"]),
        ("sort:size,num", ["sort:size,number"]),
        ('"model:n', []),
        ("nothing:x", []),
    ],
)
def test_completions(text: str, expected: list[str]) -> None:
    assert complete(text) == expected


def test_a_completion_in_the_middle_keeps_what_follows() -> None:
    text = "alias:ch metric.f1>0.5"
    wanted = wanted_at(text, len("alias:ch"))

    assert completed(text, wanted, "champion") == ("alias:champion metric.f1>0.5", 14)


@given(st.text(alphabet=':.,="-<>!emtricsoalng 5', max_size=30), st.integers(0, 30))
def test_any_text_has_completions_and_none_raises(text: str, cursor: int) -> None:
    wanted = wanted_at(text, min(cursor, len(text)))

    for word in completions(wanted, known):
        done, end = completed(text, wanted, word)
        assert done[:end].endswith(word)


@pytest.mark.parametrize(
    "text", ["model:", "alias:", "state:", "sort:", "tag:", "created:", "tag:env="]
)
def test_what_completes_a_value_is_a_query(text: str) -> None:
    for done in complete(text):
        parse_query(done if not done.endswith(".") else done + "f1")
