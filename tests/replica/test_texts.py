"""Texts are kept once each, whoever keeps them and however often."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.registry.series import Series, keep_series
from regtui.replica import texts
from regtui.replica.database import Connection, duckdb
from regtui.replica.migrate import apply_all


@pytest.fixture
def connection() -> Iterator[Connection]:
    connection = duckdb.connect(":memory:")
    apply_all(connection, 0)
    yield connection
    connection.close()


def kept(connection: Connection) -> list[tuple[str, str]]:
    return connection.execute("select digest, value from base.text order by all").fetchall()


def test_a_text_that_is_here_is_not_kept_again(connection: Connection) -> None:
    texts.keep(connection, [("a", "one"), ("b", "two")])
    texts.keep(connection, [("b", "two"), ("c", "three"), ("c", "three")])
    texts.keep(connection, [])

    assert kept(connection) == [("a", "one"), ("b", "two"), ("c", "three")]


def test_texts_come_back_as_they_were(connection: Connection) -> None:
    odd = ["", "\0", "a\0b", "'\"\\", "é\n\r\t\u2028", "🂡", "null", "[]"]

    texts.keep(connection, [(str(place), text) for place, text in enumerate(odd)])

    assert [value for _, value in kept(connection)] == odd


def test_more_texts_than_one_statement_writes_are_kept_once_each(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "PAGE_CHARACTERS", 3)
    many = [("a", "1"), ("b", "22"), ("c", "333"), ("d", "4444"), ("a", "1")]

    texts.keep(connection, many)

    assert kept(connection) == many[:4]


def test_an_older_programs_home_that_holds_a_text_twice_is_read_and_gains_no_third(
    connection: Connection,
) -> None:
    series = {"loss": Series(steps=(1, 2), values=(0.5, 0.25))}
    keep_series(connection, series)
    connection.execute("insert into base.text select * from base.text")

    assert keep_series(connection, series).keys() == {"series//loss"}

    assert len(kept(connection)) == 2


def test_a_card_that_comes_back_is_kept_once(registry: Registry, tmp_path: Path) -> None:
    registry.create_model("m")
    for card in ("one\n", "two\n", "one\n", "two\n"):
        registry.edit("m", {"card": card})

    with registry.context.reading() as connection:
        assert [value for _, value in kept(connection)] in (["one\n", "two\n"], ["two\n", "one\n"])
