"""Names, and the ids that follow from them for ever."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.errors import BadInput
from regtui.core.identity import (
    NAME_LIMIT,
    NAMESPACE,
    alias_id,
    alias_key,
    conflict_id,
    model_id,
    name_key,
    replica_id,
    short_id,
    short_number,
    slug,
    user_id,
    version_id,
)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("bert", "bert"),
        ("NLP/Bert-Base", "nlp/bert-base"),
        ("Größe", "größe"),
        ("Gro\u0308ße", "größe"),
        ("CAFE\u0301", "café"),
        ("İstanbul", "i̇stanbul"),
        ("模型/一", "模型/一"),
        ("v1.0+cu118", "v1.0+cu118"),
        ("a/-b", "a/-b"),
        ("x" * NAME_LIMIT, "x" * NAME_LIMIT),
    ],
)
def test_a_name_has_one_identity_form(name: str, key: str) -> None:
    assert name_key(name) == key


@pytest.mark.parametrize(
    "name",
    [
        "", " ", "a b", "a\tb", "a\u00a0b", "a\u200bb", "a\u202eb", "a\0b", "\ud800", "/a", "a/",
        "a//b", ".", "..", "a/../b", "a/./b", "-a", "+1", "a@b", "a:b", "a,b", "a*", 'a"b', "a\\b",
        "x" * (NAME_LIMIT + 1),
    ],
)  # fmt: skip
def test_such_a_name_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        name_key(name)


@given(st.text(max_size=20))
def test_the_identity_form_of_an_identity_form_is_itself(text: str) -> None:
    try:
        key = name_key(text)
    except BadInput:
        return
    assert name_key(key) == key


@pytest.mark.parametrize("name", ["latest", "Latest", "best", "1", "v1", "V12", "+1", "a/b", ""])
def test_such_an_alias_is_refused(name: str) -> None:
    with pytest.raises(BadInput):
        alias_key(name)


@pytest.mark.parametrize(
    ("name", "key"), [("Champion", "champion"), ("v1.2", "v1.2"), ("vnext", "vnext"), ("1a", "1a")]
)
def test_an_alias_has_one_identity_form(name: str, key: str) -> None:
    assert alias_key(name) == key


@pytest.mark.parametrize(
    ("text", "segment"),
    [
        ("bert-base", "bert-base"),
        ("Bert", "bert"),
        ("größe", "größe"),
        ("My Model", "my-model-2c8bb4"),
        ("a/b", "a-b-0da3cf"),
    ],
)
def test_a_slug_keeps_what_it_can(text: str, segment: str) -> None:
    assert slug(text) == segment


@given(st.text(st.characters(exclude_categories=())))
def test_a_slug_is_a_name_of_one_segment(text: str) -> None:
    assert name_key(slug(text)) == slug(text)
    assert "/" not in slug(text)


@given(st.text(), st.text())
def test_texts_of_different_names_have_different_slugs(one: str, other: str) -> None:
    if slug(one) == slug(other):
        assert one == other or name_key(one) == name_key(other)


def test_ids_never_change() -> None:
    model = model_id("nlp/bert", 0)
    version = version_id(model, "0" * 64)
    assert model == "8e194ab9-2149-50d2-9476-e126d66d62c7"
    assert version == "5b262524-024a-5ce0-b5a7-1848196eb0a7"
    assert version_id(model, "0" * 64, "n") == "c2405b15-2572-538d-92b5-8bbe7364de81"
    assert alias_id(model, "champion") == "54c62893-193e-5815-995e-e605cbd6608f"
    assert conflict_id(version, "description", model) == "0b9313d9-9ead-5d5b-83ff-cbc1980ac5d2"
    assert user_id("ann") == "c785c4f0-dafe-5c44-8294-f4ff16acde11"
    assert replica_id(b"key") == "ff8e2bab-3b26-e0c1-2700-2127905539b4"


def test_generations_nonces_and_models_tell_ids_apart() -> None:
    one, two = model_id("m", 0), model_id("m", 1)
    digest = "0" * 64
    ids = {one, two, version_id(one, digest), version_id(two, digest), version_id(one, digest, "n")}
    assert len(ids) == 5


def test_a_user_has_one_id_however_the_name_was_typed() -> None:
    assert user_id("Jose\u0301") == user_id("José")


def test_a_short_id_is_the_start_of_the_id() -> None:
    version = str(uuid.UUID(int=0xABCDEF0123 << 88))
    assert short_id(version) == ":abcdef0123"
    assert short_number(version) == 0xABCDEF0123


@given(st.text(), st.text(), st.text())
def test_ids_are_uuids_of_version_5_of_their_parts(model: str, digest: str, nonce: str) -> None:
    parts = f"version\0{model}\0{digest}\0{nonce}"
    try:
        expected = str(uuid.uuid5(NAMESPACE, parts))
    except UnicodeEncodeError:
        return  # a lone surrogate is no part of a name
    assert version_id(model, digest, nonce) == expected
