"""One value, one spelling, and back."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.documents import Document, Register, decode_document, encode_document
from regtui.core.encoding import digest, encode, tag_float, untag_float
from regtui.core.operations import (
    KINDS,
    ActBody,
    AliasBody,
    CaptureBody,
    Change,
    CheckBody,
    CommentBody,
    DatasetBody,
    DeploymentBody,
    EditBody,
    EnvironmentBody,
    GrantBody,
    ModelBody,
    Operation,
    PolicyBody,
    ReplicaBody,
    ReportBody,
    RequestBody,
    ResolveBody,
    ReviewBody,
    StateBody,
    TeamBody,
    TransitionBody,
    UserBody,
    decode_operation,
    encode_operation,
)
from regtui.core.verdicts import (
    Accepted,
    Conflicted,
    PathResult,
    Rejected,
    Unsupported,
    Verdict,
    decode_verdict,
    encode_verdict,
)

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
integers = st.integers(-(2**63), 2**64 - 1)
scalars = st.one_of(
    st.none(), st.booleans(), integers, words, st.floats(allow_nan=False, allow_infinity=False)
)
plain = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)
changes = st.dictionaries(
    words, st.builds(Change, to=plain, saw=st.none() | words, was=st.none() | words), max_size=3
)
figures = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(
    ["NaN", "Infinity", "-Infinity"]
)
bodies: dict[type, st.SearchStrategy[Any]] = {
    EditBody: st.builds(EditBody, changes),
    ModelBody: st.builds(ModelBody, words, integers, changes),
    CaptureBody: st.builds(CaptureBody, words, words, integers, integers, changes),
    StateBody: st.builds(StateBody, st.none() | words, changes),
    AliasBody: st.builds(AliasBody, words, changes),
    ResolveBody: st.builds(
        ResolveBody, words, words, st.none() | words, st.lists(words, max_size=3), changes
    ),
    CommentBody: st.builds(CommentBody, words, words, changes),
    DatasetBody: st.builds(DatasetBody, words, changes),
    PolicyBody: st.builds(PolicyBody, words, words, changes),
    CheckBody: st.builds(CheckBody, words, words, changes),
    EnvironmentBody: st.builds(EnvironmentBody, words, changes),
    ReportBody: st.builds(
        ReportBody,
        version=words,
        check=words,
        definition=st.none() | words,
        outcome=st.sampled_from(["passed", "failed", "error", "timeout"]),
        figures=st.dictionaries(words, figures, max_size=3),
        runner=words,
        started=integers,
        ended=integers,
        inputs=st.none() | words,
        set=changes,
    ),
    RequestBody: st.builds(
        RequestBody,
        st.none() | words,
        st.sampled_from(["alias", "environment"]),
        words,
        st.booleans(),
        changes,
    ),
    ReviewBody: st.builds(
        ReviewBody,
        st.sampled_from(["approve", "reject", "none"]),
        words,
        st.dictionaries(words, words, max_size=3),
        changes,
    ),
    ActBody: st.builds(ActBody, st.none() | words, changes),
    DeploymentBody: st.builds(
        DeploymentBody,
        version=words,
        environment=words,
        target=words,
        state=st.sampled_from(["pending", "live"]),
        replaces=st.none() | words,
        rollback_of=st.none() | words,
        break_glass=st.none() | words,
        set=changes,
    ),
    TransitionBody: st.builds(
        TransitionBody,
        st.sampled_from(["live", "draining", "stopped", "failed", "rolled_back"]),
        words,
        changes,
    ),
    UserBody: st.builds(UserBody, words, changes),
    TeamBody: st.builds(TeamBody, words, changes),
    GrantBody: st.builds(GrantBody, words, words, words, changes),
    ReplicaBody: st.builds(ReplicaBody, words, words, changes),
}


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    variant = KINDS[draw(st.sampled_from(sorted(KINDS)))]
    names = ("id", "replica", "prev", "actor", "stream", "entity", "via", "session")
    fields: dict[str, Any] = {name: draw(words) for name in names}
    fields |= {"n": draw(integers), "at": draw(integers), "group": draw(st.none() | words)}
    fields["undoes"] = draw(st.none() | words)
    return variant(**fields, body=draw(bodies[variant.__annotations__["body"]]))


registers = st.builds(Register, v=plain, by=words, at=integers)
documents = st.builds(
    Document,
    id=words,
    kind=words,
    stream=words,
    seq=integers,
    by=words,
    facts=st.dictionaries(words, plain, max_size=3),
    fields=st.dictionaries(words, registers, max_size=3),
)
results = st.builds(
    PathResult,
    st.sampled_from(["lost", "merged", "same", "conflict"]),
    st.none() | words,
    st.none() | words,
)
accepted = {
    "op": words,
    "now": integers,
    "at_used": integers,
    "documents": st.dictionaries(words, words, max_size=2),
    "number": st.none() | integers,
    "merged_into": st.none() | words,
    "paths": st.dictionaries(words, results, max_size=2),
}
verdicts: st.SearchStrategy[Verdict] = st.one_of(
    st.builds(Accepted, **accepted),
    st.builds(Conflicted, **accepted, conflicts=st.lists(words, max_size=2).map(tuple)),
    st.builds(
        Rejected,
        op=words,
        now=integers,
        code=words,
        message=words,
        hint=words,
        cause=st.none() | words,
    ),
    st.builds(Unsupported, op=words, now=integers, kind=words),
)


@given(operations())
def test_an_operation_is_what_its_bytes_say(operation: Operation) -> None:
    data = encode_operation(operation)
    assert decode_operation(data) == operation
    assert encode_operation(decode_operation(data)) == data


@given(documents)
def test_a_document_is_what_its_bytes_say(document: Document) -> None:
    data = encode_document(document)
    assert decode_document(data) == document
    assert encode_document(decode_document(data)) == data


@given(verdicts)
def test_a_verdict_is_what_its_bytes_say(verdict: Verdict) -> None:
    data = encode_verdict(verdict)
    assert decode_verdict(data) == verdict
    assert encode_verdict(decode_verdict(data)) == data


@given(plain)
def test_bytes_do_not_depend_on_the_order_in_which_a_value_was_made(value: Any) -> None:
    def backwards(part: Any) -> Any:
        if isinstance(part, dict):
            return {key: backwards(part[key]) for key in reversed(part)}
        return [backwards(item) for item in part] if isinstance(part, list) else part

    assert encode(backwards(value)) == encode(value)


@given(plain)
def test_bytes_read_back_to_the_same_bytes(value: Any) -> None:
    assert encode(msgspec.json.decode(encode(value))) == encode(value)


def test_the_spelling_never_changes() -> None:
    value = {"ü": 1, "a": [0.1, 1.0, -0.0, 1e300, True, None], "Z": "é\n/"}
    expected = '{"Z":"é\\n/","a":[0.1,1.0,-0.0,1e300,true,null],"ü":1}'
    assert encode(value).decode() == expected


def test_a_document_keeps_fields_that_this_program_does_not_know() -> None:
    document = Document(
        id="d", kind="dream", stream="s", seq=1, by="o", facts={"a": 1},
        fields={"colour": Register({"rgb": [1, 2, 3]}, "o", 1)},
    )  # fmt: skip
    assert decode_document(encode_document(document)) == document


def test_a_digest_is_blake3() -> None:
    assert digest(b"") == "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"


@given(st.floats())
def test_every_float_travels(value: float) -> None:
    back = untag_float(msgspec.json.decode(encode(tag_float(value))))
    assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize("text", ["nan", "inf", "1", ""])
def test_no_other_string_is_a_float(text: str) -> None:
    with pytest.raises(KeyError):
        untag_float(text)
