"""Every field and operator means what the table of fields says, and pages add up to the whole."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.query import Query, parse_query
from regtui.core.query.fields import FIELDS
from regtui.core.query.parse import MOST_TERMS, MOST_VALUES
from regtui.core.query.syntax import Condition
from regtui.core.query.text import quote
from regtui.replica.database import Connection, duckdb
from regtui.replica.migrate import apply_all
from regtui.replica.query_cursor import Cursor, decode_cursor, encode_cursor
from regtui.replica.query_sql import compile_query, count_query

DAY = 86_400_000
NOW = 1_793_491_200_000  # 2026-11-01T00:00

Row = dict[str, Any]


def empty() -> Connection:
    connection = duckdb.connect(":memory:")
    apply_all(connection, NOW)
    return connection


def insert(connection: Connection, table: str, *rows: Row) -> None:
    for row in rows:
        marks = ", ".join("?" * len(row))
        sql = f"insert into base.{table} ({', '.join(row)}) values ({marks})"
        connection.execute(sql, list(row.values()))


def model(key: int, name: str, search: str = "") -> Row:
    return {
        "key": key,
        "id": f"{key:032x}",
        "name": name,
        "minted": name,
        "generation": 1,
        "display_name": name,
        "state": "active",
        "author": 1,
        "created": NOW,
        "search": f"{name} {search}".strip(),
    }


def version(key: int, **values: Any) -> Row:
    identity = values.pop("id", f"{key:032x}")
    return {
        "key": key,
        "model": 1,
        "number": key,
        "id": identity,
        "short": int(identity[:10], 16),
        "digest": f"{key:064x}",
        "size": 1000,
        "files": 1,
        "state": "captured",
        "author": 1,
        "created": NOW - key * DAY,
        "description": None,
        "source": None,
        "search": "",
    } | values


def document(key: int) -> Row:
    """One that an authority put in its order, by its key."""
    place = {"kind": "check_run", "stream": 1, "seq": key}
    return {"key": key, "id": f"{key:032x}", "body": "{}", **place}


def found(connection: Connection, query: str) -> set[int]:
    """The keys of the versions that match; the page and the count agree."""
    parsed = parse_query(query)
    statement = compile_query(parsed, now=NOW, limit=1000)
    assert statement.sql.count("?") == len(statement.parameters)
    keys = [row[0] for row in connection.execute(statement.sql, statement.parameters).fetchall()]
    counting = count_query(parsed, now=NOW)
    assert connection.execute(counting.sql, counting.parameters).fetchone() == (len(keys),)
    assert len(keys) == len(set(keys))
    return set(keys)


@pytest.fixture(scope="module")
def registry() -> Iterator[Connection]:
    """Six versions of two models; the sixth is archived, the fifth has next to nothing."""
    with empty() as connection:
        insert(connection, "model", model(1, "nlp/sentiment", "team=blue"), model(2, "nlp_x"))
        insert(
            connection,
            "actor",
            {"key": 1, "id": f"{1:032x}", "name": "Ann"},
            {"key": 2, "id": f"{2:032x}", "name": "Ben"},
        )
        insert(
            connection,
            "version",
            version(1, id="3f9c00aa11" + "0" * 22, digest="a4" + "0" * 62),
            version(2, size=2_000_000, files=2, author=2, id="3f9cffffff" + "f" * 22),
            version(3, description="The New Corpus", search="the new corpus env=prod"),
            version(4, model=2, source="runs/Exp-7/m.pt", search="runs/exp-7/m.pt"),
            version(5, model=2, number=None, author=3),
            version(6, state="archived"),
        )
        alias = {"key": 1, "model": 1, "name": "champion", "version": 1, "moved": 1}
        unset = alias | {"key": 2, "name": "candidate", "version": None}
        insert(connection, "alias", alias, unset, alias | {"key": 3, "name": "100%", "version": 4})
        for key, value in [(1, 0.9), (2, 0.5), (3, math.nan), (4, math.inf), (6, 0.9)]:
            insert(connection, "metric", {"version": key, "name": "f1", "value": value})
        insert(connection, "metric", {"version": 1, "name": "top 5", "value": 1.0})
        insert(connection, "metric", {"version": 5, "name": "f1", "value": None})
        for key, text, number in [(1, "0.001", 0.001), (2, "adamw", None), (3, "1.10", 1.1)]:
            row = {"version": key, "name": "p", "value": text, "number": number}
            insert(connection, "param", row)
        for key, name, text in [(1, "env", "dev"), (3, "env", "prod"), (4, "gpu", "a%b")]:
            insert(connection, "tag", {"entity": key, "name": name, "value": text})
        insert(connection, "parent", {"version": 2, "id": "3f9c00aa11" + "0" * 22})
        for key, of, place, state in [
            (71, 1, "production", "live"),
            (72, 2, "production", "stopped"),
            (73, 3, "staging", "pending"),
        ]:
            ran = {"version": of, "environment": place, "state": state, "target": ""}
            insert(connection, "deployment", {"key": key, **ran, **MADE, "model": 1, "created": 0})
        for key, of, told, outcome in [
            (81, 1, 10, "failed"),
            (82, 1, 20, "passed"),
            (83, 2, 10, "passed"),
            (84, 2, 20, "timeout"),
            (85, 2, 30, "passed"),
            (86, 3, 10, "passed"),
        ]:
            ran = {"version": of, "name": "smoke", "told": told, "outcome": outcome}
            counts = key < 85  # the others are of somebody who is no reporter
            where = {"runner": "box", "started": 0, "ended": 0, "counts": counts}
            insert(connection, "check_run", {"key": key, **ran, **MADE, **where})
            insert(connection, "document", document(key))
        insert(connection, "input", {"version": 3, "name": "reviews-2026", "uri": "s3://x"})
        yield connection


MADE = {"id": "3f9c00aa11" + "0" * 22, "author": 1}

CASES: dict[str, set[int]] = {
    "": {1, 2, 3, 4, 5},
    "corpus": {3},
    '"NEW corpus"': {3},
    "sentiment": {1, 2, 3},
    '"team=blue"': {1, 2, 3},
    "-sentiment": {4, 5},
    "_": {4, 5},
    "%": set(),
    "exp-7 nlp_x": {4},
    "model:nlp": {1, 2, 3},
    "model:nlp/": {1, 2, 3},
    "model:NLP/sentiment": {1, 2, 3},
    "model:nlp_x": {4, 5},
    "model:nlp*": {1, 2, 3, 4, 5},
    "model:*_x": {4, 5},
    "model:n_p*": set(),
    "model!=nlp": {4, 5},
    "model:nlp_x,nlp/sentiment": {1, 2, 3, 4, 5},
    "number:3": {3},
    "number:1,4": {1, 4},
    "number!=3": {1, 2, 4, 5},
    "-number!=3": {3},
    "number>3": {4},
    "number>=3": {3, 4},
    "number<2": {1},
    "number<=2": {1, 2},
    "-number<=2": {3, 4, 5},
    "id:3f9c": {1, 2},
    "id::3F9C00": {1},
    "id:3f9cffffffff": {2},
    "id:3f9c00aa11" + "0" * 22: {1},
    "id:3f9c00aa111": set(),
    "id!=3f9c": {3, 4, 5},
    "digest:a4": {1},
    "digest!=a4": {2, 3, 4, 5},
    "alias:champion": {1},
    "alias:CHAMP*": {1},
    "alias:candidate": set(),
    "alias:*": {1, 4},
    "alias:100%": {4},
    "alias:1%*": set(),
    "alias!=champion": {2, 3, 4, 5},
    "-alias:*": {2, 3, 5},
    "author:ann": {1, 3, 4},
    "author:B*,x": {2},
    "author!=ann": {2, 5},
    "state:archived": {6},
    "state:any": {1, 2, 3, 4, 5, 6},
    "state:captured,archived": {1, 2, 3, 4, 5, 6},
    "state!=archived": {1, 2, 3, 4, 5},
    "-state:captured": {6},
    "created>2d": {1},
    "created>=2d": {1, 2},
    "created:2d": {1, 2},
    "created<4d": {5},
    "created<=4d": {4, 5},
    "created!=2d": {3, 4, 5},
    "created:2026-10-30": {2},
    "created>2026-10-30": {1},
    "created>=2026-10-30": {1, 2},
    "created<2026-10-30": {3, 4, 5},
    "created<=2026-10-30": {2, 3, 4, 5},
    "created!=2026-10-30": {1, 3, 4, 5},
    "created:2026-10-30T00:00,2026-10-29T00:01": {2},
    "size>1KB": {2},
    "size>=1KB": {1, 2, 3, 4, 5},
    "size<1KiB": {1, 3, 4, 5},
    "size<=1000": {1, 3, 4, 5},
    "size:2MB": {2},
    "size!=2MB": {1, 3, 4, 5},
    "files>1": {2},
    "files:1": {1, 3, 4, 5},
    "tag:env": {1, 3},
    "tag:env=prod": {3},
    "tag.env:prod,dev": {1, 3},
    "tag:env=prod,gpu": {3, 4},
    "tag:env=p*d": {3},
    "tag:gpu=a%b": {4},
    "tag:gpu=%*": set(),
    "tag.env!=prod": {1, 2, 4, 5},
    "-tag:env": {2, 4, 5},
    "metric.f1>0.5": {1, 4},
    "metric.f1>=0.5": {1, 2, 4},
    "metric.f1<0.9": {2},
    "metric.f1<=0.9": {1, 2},
    "metric.f1:0.9,0.5": {1, 2},
    "metric.f1!=0.9": {2, 3, 4, 5},
    "metric.f1:nan": {3},
    "metric.f1:inf": {4},
    "metric.f1>inf": set(),
    "metric.f1:*": {1, 2, 3, 4},
    "-metric.f1:*": {5},
    'metric."top 5":1': {1},
    "metric.F1:*": set(),
    "param.p<=1e-3": {1},
    "param.p>=1": {3},
    "param.p:1.1": {3},
    'param.p:"1.1"': set(),
    'param.p:"1.10"': {3},
    "param.p:adam*,0.001": {1, 2},
    "param.p!=adamw": {1, 3, 4, 5},
    "param.p:*": {1, 2, 3},
    'description:"NEW C"': {3},
    "description!=corpus": {1, 2, 4, 5},
    "description:*": {3},
    "source:exp-7/": {4},
    "-source:*": {1, 2, 3, 5},
    "parent::3f9c": {2},
    "parent:3f9d": set(),
    "parent:*": {2},
    "input:reviews-*": {3},
    "input:reviews": set(),
    "-input:*": {1, 2, 4, 5},
    "deployed:production": {1},
    "deployed:Prod*": {1},
    "deployed:*": {1, 3},
    "-deployed:*": {2, 4, 5},
    "check.smoke:passed": {1},
    "check.smoke:timeout,failed": {2},
    "check.smoke:*": {1, 2},
    "-check.smoke:passed": {2, 3, 4, 5},
    "check.other:passed": set(),
    "metric.f1>0.5 alias:champion -tag:env=prod author:ann created>7d": {1},
    "metric.f1>0.5 sort:-metric.f1": {1, 4},
    "-metric.f1>0.5 sort:metric.f1,-param.p": {2, 3, 5},
}


@pytest.mark.parametrize("query", CASES)
def test_a_query_finds_exactly_what_it_says(registry: Connection, query: str) -> None:
    assert found(registry, query) == CASES[query]


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_and_order_operator_has_a_case(name: str) -> None:
    tests = [term.test for query in CASES for term in parse_query(query).terms]
    conditions = [test for test in tests if isinstance(test, Condition) and test.field == name]
    operators = {test.operator for test in conditions}

    assert conditions
    assert name not in {"number", "created", "size", "metric"} or operators >= {
        ">",
        ">=",
        "<",
        "<=",
    }


ATTACKS = ["' or true --", "'; drop table base.version; --", "\\", "%", "%_", "?", "\0", "$1", ");"]


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "term",
    [
        *(
            "{}",
            "model:{}",
            "model:{}*",
            "alias:{}",
            "author:{}",
            "tag:{}",
            "tag.{}:x",
            "tag.env:{}",
        ),
        *("metric.{}>0", "metric.{}:*", "param.p:{}", "param.{}:x", "description:{}", "source:{}"),
        *("input:{}*", "sort:metric.{}", "sort:-param.{}"),
    ],
)
def test_what_a_person_writes_never_becomes_sql(
    registry: Connection, term: str, attack: str
) -> None:
    query = parse_query(term.replace("{}*", quote(f"{attack}*")).replace("{}", quote(attack)))
    statement = compile_query(query, now=NOW, limit=9)
    harmless = compile_query(parse_query(term.replace("{}", "x")), now=NOW, limit=9)

    keys = {row[0] for row in registry.execute(statement.sql, statement.parameters).fetchall()}

    assert statement.sql == harmless.sql
    assert term.startswith("sort") or not keys


def test_a_query_of_the_largest_size_still_runs(registry: Connection) -> None:
    many = ",".join(["x*"] * MOST_VALUES)
    query = " ".join([f"model:{many}", f"-tag.env:{many}", f"alias:{many}", f"param.p:{many}"])

    assert found(registry, " ".join([query] * (MOST_TERMS // 4))) == set()


names = st.sampled_from(["a", "b"])
numbers = st.sampled_from([0.0, 0.5, 1.0, -1.0, math.nan, math.inf, -math.inf])
maybe_names = st.dictionaries(names, numbers)
params = st.dictionaries(names, st.sampled_from(["1", "2", "02", "x", "y", "nan"]))
rows = st.lists(
    st.fixed_dictionaries(
        {
            "model": st.integers(1, 2),
            "number": st.none() | st.integers(1, 3),
            "size": st.integers(1, 3),
            "created": st.integers(1, 3),
            "author": st.integers(1, 2),
            "metric": maybe_names,
            "param": params,
        }
    ),
    max_size=12,
)
sorts = st.lists(
    st.tuples(
        st.sampled_from(["", "-"]),
        st.sampled_from(
            [
                *("name", "author", "state", "number", "size", "files", "created"),
                *("metric.a", "metric.b", "param.a", "param.b"),
            ]
        ),
    ),
    max_size=3,
    unique_by=lambda key: key[1],
)
filters = st.sampled_from(["", "state:any", "size>1", "metric.a:*", "-metric.a:*", "metric.a<0.7"])


@pytest.fixture(scope="module")
def scratch() -> Iterator[Connection]:
    with empty() as connection:
        insert(connection, "model", model(1, "alpha"), model(2, "Beta"))
        for key, name in [(1, "Ann"), (2, "ben")]:
            insert(connection, "actor", {"key": key, "id": f"{key:032x}", "name": name})
        yield connection


@given(rows=rows, sort=sorts, condition=filters, size=st.integers(1, 5))
def test_the_pages_together_are_the_whole_in_order(
    scratch: Connection, rows: list[Row], sort: list[tuple[str, str]], condition: str, size: int
) -> None:
    fill(scratch, rows)
    query = parse_query(f"{condition} sort:{','.join(map(''.join, sort))}" if sort else condition)

    assert walk(scratch, query, size) == expected(rows, sort or [("-", "created")], condition)


def walk(connection: Connection, query: Query, size: int) -> list[int]:
    """The keys of all pages."""
    walked: list[int] = []
    after: Cursor | None = None
    while True:
        statement = compile_query(query, now=NOW, limit=size, after=after)
        page = connection.execute(statement.sql, statement.parameters).fetchall()
        walked += [row[0] for row in page]
        if len(page) < size:
            return walked
        after = decode_cursor(encode_cursor(query, page[-1][1:], page[-1][0]), query)


def fill(connection: Connection, rows: list[Row]) -> None:
    for table in ("version", "metric", "param"):
        connection.execute(f"delete from base.{table}")
    for key, row in enumerate(rows):
        plain = {name: row[name] for name in ("model", "number", "size", "created", "author")}
        insert(connection, "version", version(key, **plain))
        for name, value in row["metric"].items():
            insert(connection, "metric", {"version": key, "name": name, "value": value})
        for name, value in row["param"].items():
            number = float(value) if value.isdigit() else None
            entry = {"version": key, "name": name, "value": value, "number": number}
            insert(connection, "param", entry)


def expected(rows: list[Row], sort: list[tuple[str, str]], condition: str) -> list[int]:
    """The order by the book: a stable sort by each column, the last one first."""
    keys = [key for key, row in enumerate(rows) if matches(row, condition)]
    keys.sort(reverse=True)
    for sign, field in reversed(sort):
        for column in reversed(sort_values(rows, field)):
            present = [key for key in keys if column[key] is not None]
            present.sort(key=lambda key: column[key], reverse=sign == "-")
            keys = present + [key for key in keys if column[key] is None]
    return keys


def matches(row: Row, condition: str) -> bool:
    value = row["metric"].get("a")
    matching: dict[str, bool] = {
        "": True,
        "state:any": True,
        "size>1": row["size"] > 1,
        "metric.a:*": value is not None,
        "-metric.a:*": value is None,
        "metric.a<0.7": value is not None and value < 0.7,
    }
    return matching[condition]


def sort_values(rows: list[Row], field: str) -> list[list[Any]]:
    """The columns of a sort key, one value for each row."""
    kind, _, name = field.partition(".")
    if kind == "metric":
        values = [row["metric"].get(name) for row in rows]
        return [[None if value is None or math.isnan(value) else value for value in values]]
    if kind == "param":
        texts = [row["param"].get(name) for row in rows]
        return [[float(text) if text and text.isdigit() else None for text in texts], texts]
    if kind in {"state", "files"}:
        return [[0 for _ in rows]]
    if kind in {"name", "author"}:
        words = {"name": ["alpha", "Beta"], "author": ["Ann", "ben"]}[kind]
        return [[words[row["model" if kind == "name" else "author"] - 1] for row in rows]]
    return [[row[kind] for row in rows]]


def test_a_sort_key_that_is_given_twice_counts_once(registry: Connection) -> None:
    statement = compile_query(parse_query("sort:-size,name,size"), now=NOW, limit=9)

    columns = registry.execute(statement.sql, statement.parameters).description

    assert [column[0] for column in columns or []] == ["key", "s0", "s1"]


def test_versions_without_the_metric_or_with_nan_fill_up_the_page(registry: Connection) -> None:
    statement = compile_query(parse_query("sort:-metric.f1"), now=NOW, limit=9)

    rows = registry.execute(statement.sql, statement.parameters).fetchall()

    assert [row[0] for row in rows] == [4, 1, 2, 5, 3]
    assert rows[-1] == (3, None)
