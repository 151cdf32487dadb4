"""The filter of the activity, without a widget."""

import pytest

from regtui.core.query.errors import QueryError
from regtui.registry import Registry
from regtui.registry.history import LogRequest
from regtui.tui.log_filter import checked, parse, request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", LogRequest()),
        ("  ", LogRequest()),
        ("nlp/sentiment", LogRequest(reference="nlp/sentiment")),
        ("nlp/sentiment@7", LogRequest(reference="nlp/sentiment@7")),
        ("model:nlp/sentiment", LogRequest(reference="nlp/sentiment")),
        (":3f9c01aa52", LogRequest(reference=":3f9c01aa52")),
        ("dataset:reviews", LogRequest(reference="dataset:reviews")),
        ("author:ann kind:version.edit", LogRequest(author="ann", kind="version.edit")),
        ('author:"Ann ""A"" B" x', LogRequest(author='Ann "A" B', reference="x")),
        ("since:7d  a@b", LogRequest(since="7d", reference="a@b")),
    ],
)
def test_words_make_a_request(text: str, expected: LogRequest) -> None:
    assert request(parse(text)) == expected


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("who:ann", 0, "there is no who: here"),
        ("a since:7d since:8d", 11, "since: is given twice"),
        ("a b", 2, "a reference is given twice"),
        ("a author:", 9, "missing after author:"),
        ('kind:""', 7, "missing after kind:"),
    ],
)
def test_what_is_malformed_knows_its_place(text: str, position: int, said: str) -> None:
    with pytest.raises(QueryError, match=said) as caught:
        parse(text)

    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("author:ann nlp/none", 11, "there is no model 'nlp/none'"),
        ("nlp/sentiment@99", 0, "has no version 99"),
        ("kind:version.edit author:zoe", 18, "nobody called 'zoe'"),
        ("author:ann kind:version.fly", 11, "there is no kind"),
        ("since:yore", 0, "^'yore' is no time"),
        ("dataset:none", 0, "there is no dataset 'none'"),
    ],
)
def test_what_is_not_there_knows_its_place(
    sample: Registry, text: str, position: int, said: str
) -> None:
    with pytest.raises(QueryError) as caught:
        checked(sample.context, text)

    assert said.removeprefix("^") in caught.value.message
    if said.startswith("^"):
        assert caught.value.message.startswith(said[1:])
    assert caught.value.position == position


def test_what_is_there_is_no_error(sample: Registry) -> None:
    text = "nlp/sentiment@champion author:ben kind:alias.set since:2026-01-01"

    assert checked(sample.context, text).reference == "nlp/sentiment@champion"
