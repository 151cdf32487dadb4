"""`regtui sql`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, table
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text

app = single()

VIEWS = (
    "models, versions, aliases, metrics, params, tags, files, parents, inputs, operations, history"
)


@app.command(epilog=f"Views: {VIEWS}.")
def sql(
    statement: Annotated[str, typer.Argument(help="One SELECT statement.")],
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    parquet: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a Parquet file.", readable=False)
    ] = None,
) -> None:
    """Ask a question in SQL, read-only."""
    registry = SETTINGS.registry()
    if parquet is not None:
        count = registry.write_parquet(statement, parquet)
        emit({"rows": count}) if SETTINGS.json else say(f"{count_text(count, 'row')} in {parquet}")
        return
    answer = registry.sql(statement)
    if SETTINGS.json:
        emit([dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows])
    elif csv:
        import csv as writer

        out = writer.writer(sys.stdout, lineterminator="\n")
        out.writerow(answer.columns)
        out.writerows(answer.rows)
    else:
        rows = [["" if cell is None else str(cell) for cell in row] for row in answer.rows]
        say(table(answer.columns, rows))


def _plain(value: Any) -> Any:
    """Return a value that JSON can hold: no NaN, no dates, no bytes."""
    import math

    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
