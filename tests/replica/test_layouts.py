"""Layouts in the replica's tables."""

import math
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.access import Actor
from regtui.formats.layout import Layout
from regtui.formats.values import Facts, Tensor
from regtui.replica.database import Connection, duckdb
from regtui.replica.layouts import kept_layouts, read_layouts, short, write_layouts
from regtui.replica.migrate import apply_all
from regtui.replica.unit import Replica

A, B = "a" * 64, "b" * 64

text = st.text(st.characters(), max_size=20)  # surrogates and NUL included
values = st.one_of(text, st.integers(-(2**70), 2**70), st.floats(), st.booleans(), st.none())
tensors = st.builds(
    Tensor,
    name=text,
    dtype=st.sampled_from(["float32", "q4_k"]),
    shape=st.lists(st.integers(0, 2**65), max_size=4).map(tuple),
    size=st.integers(0, 2**65),
)
layouts = st.builds(
    Layout,
    facts=st.builds(
        Facts,
        format=st.sampled_from(["safetensors", "pickle"]),
        safety=st.sampled_from(["no-code", "dangerous"]),
        complete=st.sampled_from([True, False, None]),
        globals=st.lists(text, max_size=3).map(tuple),
        metadata=st.dictionaries(text, values, max_size=3),
        problem=st.none() | text,
        cut=st.booleans(),
    ),
    tensors=st.lists(st.tuples(tensors, st.sampled_from([None, A, B])), max_size=4).map(tuple),
    pieces=st.just(((0, 5, A), (5, 2**40, B))),
    suffixes=st.just((".bin", ".pkl")),
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with duckdb.connect(":memory:") as opened:
        apply_all(opened, now=0)
        yield opened


def told(value: object) -> object:
    """Return a value as it can be kept."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value).replace("inf", "Infinity").replace("nan", "NaN")
    return value


@given(layout=layouts)
def test_a_layout_comes_back_as_it_was_kept(connection: Connection, layout: Layout) -> None:
    write_layouts(connection, {A: layout}, 3)
    kept = kept_layouts(connection, [A, B])
    (back,) = read_layouts(connection, kept).values()
    row = kept[A]
    assert kept.keys() == {A}
    assert (row.reader, row.tensors, row.suffixes) == (3, len(layout.tensors), layout.suffixes)
    assert back.pieces == layout.pieces
    facts, expected = back.facts, layout.facts
    assert (facts.format, facts.safety, facts.complete, facts.cut, facts.problem) == (
        expected.format, expected.safety, expected.complete, expected.cut, told(expected.problem),
    )  # fmt: skip
    assert facts.globals == tuple(told(name) for name in expected.globals)
    assert facts.metadata == {told(n): told(v) for n, v in expected.metadata.items()}
    assert [digest for _, digest in back.tensors] == [digest for _, digest in layout.tensors]
    for (tensor, _), (other, _) in zip(back.tensors, layout.tensors, strict=True):
        assert (tensor.name, tensor.dtype) == (told(other.name), other.dtype)
        assert (tensor.shape, tensor.size) == (other.shape, min(other.size, 2**63 - 1))


@pytest.mark.parametrize("count", [3, 200, 5_200])
def test_a_newer_layout_takes_the_place_of_the_older(connection: Connection, count: int) -> None:
    digests = [f"{number:064x}" for number in range(count)]
    tensor = (Tensor("w", "int8", (1,), size=1), A)
    old = Layout(Facts("unknown", "unread"), (tensor, tensor), ((0, 1, A), (1, 1, B)))
    new = Layout(Facts("pickle", "dangerous"), (tensor,), ((0, 2, A),))
    write_layouts(connection, dict.fromkeys(digests, old), 1)
    write_layouts(connection, dict.fromkeys(digests[1:], new), 2)
    kept = kept_layouts(connection, digests)
    found = read_layouts(connection, kept)
    assert [kept[digest].reader for digest in digests] == [1, *[2] * (count - 1)]
    assert found == {digests[0]: old} | dict.fromkeys(digests[1:], new)
    assert len({row.key for row in kept.values()}) == count
    counted = connection.execute(
        "select (select count(*) from base.layout where format in ('unknown', 'pickle') "
        "and digest in (select unhex(unnest(?::varchar[])))), "
        "(select count(*) from base.tensor where layout not in (select key from base.layout)), "
        "(select count(*) from base.piece where layout not in (select key from base.layout))",
        [digests],
    ).fetchone()
    assert counted == (count, 0, 0)


def test_digests_with_equal_beginnings_are_told_apart(connection: Connection) -> None:
    one, other = "c" * 64, "c" * 15 + "d" * 49
    assert short(one) == short(other)
    write_layouts(connection, {one: Layout(Facts("text", "no-code"))}, 1)
    assert kept_layouts(connection, [other]) == {}
    assert kept_layouts(connection, [other, one]).keys() == {one}
    many = [other, one, *(f"{number:064x}" for number in range(10**6, 10**6 + 100))]
    assert kept_layouts(connection, many).keys() == {one}


def test_nothing_asked_for_is_nothing_found(connection: Connection) -> None:
    assert kept_layouts(connection, []) == {}
    assert read_layouts(connection, {}) == {}
    write_layouts(connection, {}, 1)


def test_a_hundred_thousand_tensors_fit_the_memory_of_a_reader(
    replica: Replica, ann: Actor
) -> None:
    large = Layout(
        Facts("safetensors", "no-code"),
        tuple(
            (Tensor(f"layers.{n}.weight", "float32", (64, 64), size=16_384), A)
            for n in range(10**5)
        ),
    )
    with replica.writing(ann, "cli", "session") as authority:
        write_layouts(authority.connection, {B: large}, 1)
    with replica.reading() as connection:
        assert read_layouts(connection, kept_layouts(connection, [B])) == {B: large}
