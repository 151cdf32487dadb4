"""The floor of `regtui ls --json`: typer, DuckDB and the documents of one page, nothing else."""

import sys

import _duckdb
import typer

connection = _duckdb.connect(
    sys.argv[1],
    read_only=True,
    config={
        "threads": 1,
        "memory_limit": "80MB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    },
)
keys = connection.execute(
    "select key from base.version where state = 'captured' order by created desc, key desc limit 51"
).fetchall()
page = connection.execute(
    "select body from base.document where key in (select unnest(?::bigint[]))",
    [[key for (key,) in keys[:50]]],
).fetchall()
typer.echo(f"[{','.join(body for (body,) in page)}]")
connection.close()
