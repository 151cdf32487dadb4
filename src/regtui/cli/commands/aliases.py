"""`regtui aliases`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import age_text, emit, say, table, warn
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def aliases(
    model: Annotated[
        str | None, typer.Argument(help="Of this model only.", autocompletion=complete.models)
    ] = None,
) -> None:
    """List aliases."""
    found = SETTINGS.registry().aliases(model)
    if SETTINGS.json:
        emit({"aliases": found})
        return
    if not found:
        warn("no aliases yet; `regtui alias set REF NAME` makes one")
        return
    rows = [[f"{a.model}@{a.alias}", str(a.number), a.short_id, age_text(a.moved)] for a in found]
    say(table(("ALIAS", "NUMBER", "ID", "MOVED"), rows, right="NUMBER MOVED"))
