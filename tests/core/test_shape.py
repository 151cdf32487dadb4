"""What no authority could ever accept is malformed, whoever asks and whatever the state."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.encoding import digest, encode
from regtui.core.errors import BadInput
from regtui.core.identity import alias_id, model_id, user_id, version_id
from regtui.core.judgement import judge
from regtui.core.judgement.shape import CHANGES_LIMIT, KEY_LIMIT, VALUE_LIMIT
from regtui.core.operations import (
    BYTES_LIMIT,
    KINDS,
    AliasBody,
    CaptureBody,
    Change,
    EditBody,
    ModelBody,
    Operation,
    StateBody,
    UnknownKind,
    decode_operation,
    encode_operation,
)
from regtui.core.verdicts import Judged, Rejected, Unsupported
from tests.core.registry_state import Authority, Replica

DIGEST = digest(b"weights")
NESTED: Any = "deep"
for _ in range(40):
    NESTED = [NESTED]


def code(judged: Judged) -> str:
    assert isinstance(judged.verdict, Rejected), judged.verdict
    return judged.verdict.code


def place(**fields: Any) -> dict[str, Any]:
    return {"host": "h", "folder": "/", "name": "n", "at": 1, "author": user_id("a")} | fields


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("nonsense", "x"),
        ("description/key", "x"),
        ("description", 1),
        ("description", True),
        ("description", "x" * (VALUE_LIMIT + 1)),
        ("description", "\ud800"),
        ("tags", "x"),
        ("tags/", "x"),
        ("/tags", "x"),
        ("", "x"),
        ("tags/" + "k" * (KEY_LIMIT + 1), "x"),
        ("tags/\x1b[31m", "x"),
        ("tags/\0", "x"),
        ("tags/k", 1),
        ("tags/k", {"a": 1}),
        ("params/p", [1]),
        ("params/p", math.nan),
        ("params/p", -math.inf),
        ("params/p", 2**64),
        ("params/p", -(2**63) - 1),
        ("metrics/f1", 0.5),
        ("metrics/f1", {"value": "nan"}),
        ("metrics/f1", {"value": math.nan}),
        ("metrics/f1", {"value": 1, "step": 1.5}),
        ("metrics/f1", {"value": 1, "step": 2**63}),
        ("metrics/f1", {"value": 1, "unit": "%"}),
        ("metrics/f1", {"step": 1}),
        ("inputs/i", {"uri": "x", "more": 1}),
        ("inputs/i", {"uri": "x" * VALUE_LIMIT}),
        ("parents/5b8d2ac8-32ef-5b0c-9d6e-1f4f0a3f7a11", False),
        ("parents/5b8d2ac8-32ef-5b0c-9d6e-1f4f0a3f7a11", 1),
        ("state", "deleted"),
        ("places/p", place()),
        ("signatures/s", b"bytes"),
    ],
)
def test_an_edit_of_a_version_with_such_a_value_is_malformed(
    authority: Authority, ann: Replica, version: str, path: str, value: Any
) -> None:
    stream = ann.accepted.documents[version].stream
    operation = ann.draft("version.edit", stream, version, EditBody({path: Change(value)}))
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("params/p", 2**64 - 1),
        ("params/p", False),
        ("params/p", ""),
        ("metrics/new", {"value": "NaN"}),
        ("metrics/f1", {"value": "-Infinity", "step": -1}),
        ("metrics/new", {"value": 1e308, "step": None}),
        ("tags/a/b", "x"),
        ("tags/ä@:*", "x" * (VALUE_LIMIT - 2)),
        ("description", ""),
        ("inputs/i", {"uri": "x", "digest": None}),
    ],
)
def test_an_edit_of_a_version_with_such_a_value_is_well_formed(
    ann: Replica, version: str, path: str, value: Any
) -> None:
    ann.edit(version, {path: value})
    ann.sync()
    assert ann.value(version, path) == value


@pytest.mark.parametrize(
    "value",
    [
        place(surprise=1),
        place(at="now"),
        place(at=2**63),
        place(context={"deep": NESTED}),
        place(context={"figure": [math.inf]}),
        place(context={"log": "x" * VALUE_LIMIT}),
        {"host": "h"},
    ],
)
def test_a_capture_at_such_a_place_is_malformed(
    authority: Authority, ann: Replica, model: str, value: Any
) -> None:
    body = CaptureBody(DIGEST, "", 1, 1, {"places/p": Change(value)})
    operation = ann.draft("version.capture", model, version_id(model, DIGEST), body)
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


@pytest.mark.parametrize(
    "body",
    [
        CaptureBody(DIGEST, "", -1, 1, {}),
        CaptureBody(DIGEST, "", 1, 0, {}),
        CaptureBody(DIGEST, "", 2**63, 1, {}),
        CaptureBody(DIGEST, "n" * (KEY_LIMIT + 1), 1, 1, {}),
        CaptureBody(DIGEST.upper(), "", 1, 1, {}),
        CaptureBody("0" * 63, "", 1, 1, {}),
        CaptureBody(DIGEST, "", 1, 1, {"state": Change("deleted")}),
    ],
)
def test_such_a_capture_is_malformed(
    authority: Authority, ann: Replica, model: str, body: CaptureBody
) -> None:
    entity = version_id(model, body.digest, body.nonce)
    operation = ann.draft("version.capture", model, entity, body)
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


@pytest.mark.parametrize(
    ("kind", "entity", "body"),
    [
        ("model.create", model_id("other", 0), ModelBody("nlp/new", 0, {})),
        ("model.create", model_id("nlp/new", 1), ModelBody("nlp/new", 0, {})),
        ("model.create", "", ModelBody("", 0, {})),
        ("version.capture", "", CaptureBody(DIGEST, "", 1, 1, {})),
        ("alias.set", "", AliasBody("champion", {"version": Change("v")})),
        ("alias.set", alias_id("stream", "latest"), AliasBody("latest", {"version": Change("v")})),
        ("alias.set", "", AliasBody("champion", {"version": Change("v"), "more": Change("x")})),
        ("alias.set", alias_id("stream", "a"), AliasBody("a", {"version": Change(None)})),
        ("alias.set", alias_id("stream", "a"), AliasBody("a", {})),
        ("alias.remove", alias_id("stream", "a"), AliasBody("a", {"version": Change("v")})),
        ("model.edit", "stream", EditBody({})),
        ("model.edit", "elsewhere", EditBody({"description": Change("x")})),
        ("model.edit", "stream", EditBody({"name": Change("x")})),
        ("model.delete", "stream", StateBody(None, {})),
        ("model.delete", "stream", StateBody(None, {"state": Change("archived")})),
        ("model.delete", "stream", StateBody(None, {"state": Change(None)})),
        (
            "model.delete",
            "stream",
            StateBody(None, {"state": Change("deleted"), "description": Change("x")}),
        ),
    ],
)
def test_such_an_operation_is_malformed(
    authority: Authority, ann: Replica, kind: str, entity: str, body: Any
) -> None:
    stream = entity if kind == "model.create" else "stream"
    operation = ann.draft(kind, stream, entity, body)
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


@pytest.mark.parametrize(
    "field",
    [
        {"id": "short"},
        {"id": "ABCDEF00-0000-0000-0000-000000000000"},
        {"replica": ""},
        {"undoes": ""},
        {"undoes": "ABCDEF00-0000-0000-0000-000000000000"},
        {"at": -1},
        {"at": 2**63},
    ],
)
def test_an_operation_of_such_an_origin_is_malformed(
    authority: Authority, ann: Replica, model: str, field: dict[str, Any]
) -> None:
    operation = msgspec.structs.replace(ann.edit(model, {"description": "x"}), **field)
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


def test_too_many_changes_are_malformed(authority: Authority, ann: Replica, model: str) -> None:
    changes = {f"tags/{n}": Change("x") for n in range(CHANGES_LIMIT + 1)}
    operation = ann.draft("model.edit", model, model, EditBody(changes))
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


def test_a_card_may_be_long_but_not_longer_than_an_operation(
    authority: Authority, ann: Replica, model: str
) -> None:
    ann.edit(model, {"card": "x" * (BYTES_LIMIT // 2)})
    ann.sync()
    operation = ann.edit(model, {"card": "x" * BYTES_LIMIT})
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


@pytest.mark.parametrize("field", ["state", "name"])
def test_a_creation_is_no_way_to_rename_or_delete(
    authority: Authority, ann: Replica, model: str, field: str
) -> None:
    holder = authority.state.documents[model]
    changes = {field: Change("deleted", saw=holder.stamp(field))}
    operation = ann.draft("model.create", model, model, ModelBody("nlp/bert", 0, changes))
    assert code(judge(operation, authority.state, ann.actor, authority.now)) == "malformed"


# Bytes


@pytest.fixture
def wire(ann: Replica, model: str) -> dict[str, Any]:
    """An edit as plain JSON."""
    operation = ann.edit(model, {"description": "x"})
    plain: dict[str, Any] = msgspec.json.decode(encode_operation(operation))
    return plain


@pytest.mark.parametrize(
    "change",
    [
        {"surprise": 1},
        {"body": {"set": {"description": {"to": "x", "surprise": 1}}}},
        {"body": {"set": {"description": {"saw": None}}}},
        {"body": {"set": {}, "surprise": 1}},
        {"body": None},
        {"body": {"set": []}},
        {"at": "now"},
        {"at": 1.5},
        {"n": None},
        {"id": 7},
        {"actor": None},
        {"kind": 7},
        {"v": "1"},
    ],
)
def test_bytes_with_such_a_field_hold_no_operation(
    wire: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises((BadInput, UnknownKind)):  # a newer program may know the field
        decode_operation(encode(wire | change))


@pytest.mark.parametrize("missing", ["id", "replica", "at", "actor", "stream", "entity", "kind"])
def test_bytes_without_a_field_hold_no_operation(wire: dict[str, Any], missing: str) -> None:
    del wire[missing]
    with pytest.raises(BadInput):
        decode_operation(encode(wire))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"kind":"model.edit","v":1',
        b'{"kind":"model.edit","v":1,"body":' + b"[" * 100_000,
        b'{"kind":"model.edit","v":1,"at":' + b"9" * 10_000 + b"}",
        b'{"kind":"model.edit","v":NaN}',
        b" " * (BYTES_LIMIT + 1),
    ],
)
def test_such_bytes_hold_no_operation(data: bytes) -> None:
    with pytest.raises(BadInput):
        decode_operation(data)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    with pytest.raises((BadInput, UnknownKind)):
        decode_operation(data)


@pytest.mark.parametrize("change", [{"kind": "model.teleport"}, {"v": 2}, {"kind": "conflict"}])
def test_bytes_of_a_newer_program_are_unknown_and_not_malformed(
    wire: dict[str, Any], change: dict[str, Any]
) -> None:
    with pytest.raises(UnknownKind):
        decode_operation(encode(wire | change | {"body": {"new": "shape"}}))


class ModelTeleport(Operation, frozen=True, tag="model.teleport"):
    kind = "model.teleport"
    body: EditBody


def test_a_kind_that_this_authority_does_not_know_is_unsupported(
    authority: Authority, ann: Replica, wire: dict[str, Any]
) -> None:
    operation = msgspec.convert(wire | {"kind": "model.teleport"}, ModelTeleport)
    judged = judge(operation, authority.state, ann.actor, 5)
    assert judged == Judged(Unsupported(op=operation.id, now=5, kind="model.teleport"))


def test_a_format_that_this_authority_does_not_know_is_unsupported(
    authority: Authority, ann: Replica, model: str
) -> None:
    operation = msgspec.structs.replace(ann.edit(model, {"description": "x"}), v=2)
    judged = judge(operation, authority.state, ann.actor, authority.now)
    assert isinstance(judged.verdict, Unsupported)


def test_every_kind_has_its_variant() -> None:
    assert all(variant.kind == kind for kind, variant in KINDS.items())
