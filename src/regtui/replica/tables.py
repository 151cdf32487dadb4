"""Writing many rows at once.

One statement a row costs a millisecond, so every table is written by one statement a transaction:
its rows travel as one JSON text. Documents and texts are long and go beside it, as a list: JSON
inside of JSON is escaped and read twice. Rows that change are deleted and inserted: an update of a
wide row costs twenty times as much at a million versions as at a thousand.
"""

from collections.abc import Sequence
from typing import Any

from regtui.core import encoding
from regtui.replica.database import Connection

Row = Sequence[Any]

COLUMNS: dict[str, dict[str, str]] = {
    "actor": {"key": "bigint", "id": "uuid", "name": "varchar"},
    "stream": {
        "key": "bigint",
        "id": "varchar",
        "head": "bigint",
        "count": "bigint",
        "link": "blob",
        "last_number": "integer",
    },
    "document": {
        "key": "bigint",
        "id": "uuid",
        "kind": "varchar",
        "stream": "bigint",
        "seq": "bigint",
        "body": "varchar",
    },
    "operation": {
        "seq": "bigint",
        "id": "uuid",
        "stream": "bigint",
        "bytes": "varchar",
        "verdict": "varchar",
        "link": "blob",
        "stream_link": "blob",
    },
    "log": {
        "seq": "bigint",
        "operation": "uuid",
        "actor": "bigint",
        "via": "varchar",
        "time": "bigint",
        "entity": "bigint",
        "kind": "varchar",
        "path": "varchar",
        "before": "varchar",
        "after": "varchar",
        "result": "varchar",
        "reason": "varchar",
    },
    "text": {"digest": "varchar", "value": "varchar"},
    "outbox": {
        "position": "bigint",
        "id": "uuid",
        "state": "varchar",
        "bytes": "varchar",
        "verdict": "varchar",
        "created": "bigint",
    },
    "total": {"stream": "bigint", "documents": "bigint", "total": "varchar"},
    "receipted": {"operation": "uuid", "receipt": "bigint"},
    "certificate": {"version": "uuid", "certificate": "varchar"},
    "text_of": {"stream": "bigint", "digest": "varchar"},
    "model": {
        "key": "bigint",
        "id": "uuid",
        "name": "varchar",
        "minted": "varchar",
        "generation": "integer",
        "display_name": "varchar",
        "description": "varchar",
        "state": "varchar",
        "primary_metric": "varchar",
        "direction": "varchar",
        "author": "bigint",
        "created": "bigint",
        "search": "varchar",
    },
    "version": {
        "key": "bigint",
        "model": "bigint",
        "number": "integer",
        "id": "uuid",
        "short": "bigint",
        "slot": "bigint",
        "digest": "varchar",
        "size": "bigint",
        "files": "integer",
        "state": "varchar",
        "author": "bigint",
        "created": "bigint",
        "description": "varchar",
        "source": "varchar",
        "search": "varchar",
    },
    "alias": {
        "key": "bigint",
        "model": "bigint",
        "name": "varchar",
        "version": "bigint",
        "moved": "bigint",
    },
    "conflict": {"key": "bigint", "entity": "bigint", "path": "varchar", "open": "boolean"},
    "metric": {"version": "bigint", "name": "varchar", "value": "double", "step": "bigint"},
    "param": {"version": "bigint", "name": "varchar", "value": "varchar", "number": "double"},
    "tag": {"entity": "bigint", "name": "varchar", "value": "varchar"},
    "parent": {"version": "bigint", "id": "uuid"},
    "input": {"version": "bigint", "name": "varchar", "uri": "varchar"},
    "file": {
        "version": "bigint",
        "path": "varchar",
        "size": "bigint",
        "executable": "boolean",
        "digest": "blob",
    },
    "enrolment": {"replica": "uuid", "public_key": "blob", "created": "bigint"},
    "signature": {"seq": "bigint", "replica": "uuid", "n": "bigint", "signature": "blob"},
    "released": {"version": "bigint", "since": "bigint"},
    "undo": {"seq": "bigint", "operation": "uuid", "undoes": "uuid"},
    "layout": {
        "key": "bigint",
        "short": "bigint",
        "digest": "blob",
        "reader": "integer",
        "format": "varchar",
        "safety": "varchar",
        "tensors": "integer",
        "facts": "varchar",
    },
    "tensor": {
        "layout": "bigint",
        "position": "integer",
        "name": "varchar",
        "dtype": "varchar",
        "shape": "varchar",
        "size": "bigint",
        "digest": "blob",
    },
    "piece": {"layout": "bigint", '"offset"': "bigint", "size": "bigint", "digest": "blob"},
    "comment": {
        "key": "bigint",
        "entity": "bigint",
        "author": "bigint",
        "created": "bigint",
        "edited": "bigint",
        "text": "varchar",
        "state": "varchar",
    },
    "dataset": {
        "key": "bigint",
        "id": "uuid",
        "name": "varchar",
        "uri": "varchar",
        "digest": "varchar",
        "description": "varchar",
        "state": "varchar",
        "author": "bigint",
        "created": "bigint",
    },
    "definition": {
        "key": "bigint",
        "id": "uuid",
        "kind": "varchar",
        "name": "varchar",
        "models": "varchar",
        "state": "varchar",
        "target_kind": "varchar",
        "target": "varchar",
        "author": "bigint",
        "created": "bigint",
    },
    "check_run": {
        "key": "bigint",
        "id": "uuid",
        "version": "bigint",
        "name": "varchar",
        "definition": "uuid",
        "outcome": "varchar",
        "counts": "boolean",
        "runner": "varchar",
        "started": "bigint",
        "ended": "bigint",
        "told": "bigint",
        "author": "bigint",
    },
    "figure": {"run": "bigint", "name": "varchar", "value": "double"},
    "promotion": {
        "key": "bigint",
        "id": "uuid",
        "model": "bigint",
        "version": "bigint",
        "target_kind": "varchar",
        "target": "varchar",
        "state": "varchar",
        "auto": "boolean",
        "glass": "varchar",
        "reason": "varchar",
        "author": "bigint",
        "created": "bigint",
    },
    "review": {
        "promotion": "bigint",
        "author": "bigint",
        "verdict": "varchar",
        "role": "varchar",
        "text": "varchar",
        "said": "bigint",
    },
    "environment": {
        "key": "bigint",
        "id": "uuid",
        "name": "varchar",
        "kind": "varchar",
        "protected": "boolean",
        "description": "varchar",
        "expect": "varchar",
        "state": "varchar",
        "author": "bigint",
        "created": "bigint",
    },
    "deployment": {
        "key": "bigint",
        "id": "uuid",
        "model": "bigint",
        "version": "bigint",
        "environment": "varchar",
        "target": "varchar",
        "state": "varchar",
        "since": "bigint",
        "until": "bigint",
        "replaces": "uuid",
        "replaced_by": "uuid",
        "rollback_of": "uuid",
        "promotion": "uuid",
        "url": "varchar",
        "reason": "varchar",
        "expect": "varchar",
        "author": "bigint",
        "created": "bigint",
    },
    "holder": {
        "alias": "bigint",
        "version": "bigint",
        "operation": "uuid",
        "author": "bigint",
        "since": "bigint",
    },
}
"""Columns and types of the tables, in the order in which rows list their values."""

PAGE = 5_000
"""Rows of one statement: their JSON text has to fit the memory limit several times over."""


def insert(connection: Connection, table: str, rows: Sequence[Row]) -> None:
    """Insert rows, whose values stand in the order of `COLUMNS`; blobs are given in hex."""
    statement, is_long = _INSERTS[table], table in _LONG
    for start in range(0, len(rows), PAGE):
        page = rows[start : start + PAGE]
        if is_long:
            heads = encoding.encode([row[:-1] for row in page]).decode()
            connection.execute(statement, [heads, [row[-1] for row in page]])
        else:
            connection.execute(statement, [encoding.encode(page).decode()])


def delete(connection: Connection, table: str, keys: Sequence[int]) -> None:
    """Delete the rows that belong to the keys of documents, versions, streams or models."""
    if keys:
        connection.execute(_DELETES[table], [list(keys)])


def _insert_statement(table: str) -> str:
    columns = COLUMNS[table]
    values = [
        f"unhex(r[{index}])" if kind == "blob" else f"cast(r[{index}] as {kind})"
        for index, kind in enumerate(columns.values(), start=1)
    ]
    rows = "unnest(from_json(?, '[[\"varchar\"]]')) as r"
    if table in _LONG:
        values[-1] = "last"
        rows += ", unnest(?::varchar[]) as last"
    return (
        f"insert into base.{table} ({', '.join(columns)}) "  # noqa: S608 -- names are constants
        f"select {', '.join(values)} from (select {rows})"
    )


_LONG = {"document", "text"}
"""Tables whose last column has long texts."""

_INSERTS = {table: _insert_statement(table) for table in COLUMNS}
_DELETES = {
    table: f"delete from base.{table} "  # noqa: S608 -- names are constants of this module
    f"where {next(iter(columns))} in (select unnest(?::bigint[]))"
    for table, columns in COLUMNS.items()
}
