"""`regtui aliases`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import CONTESTED, emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.registry.figures import age_text

app = single()


@app.command()
def aliases(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL | MODEL@ALIAS]",
            help="Of this model only; of one alias: where it pointed.",
            autocompletion=complete.references,
        ),
    ] = None,
    history: Annotated[
        bool, typer.Option("--history", help="Where one alias pointed, newest first.")
    ] = False,
) -> None:
    """List aliases."""
    if history or (model is not None and "@" in model):
        _tell_history(model)
        return
    found = SETTINGS.registry().aliases(model)
    if SETTINGS.json:
        emit({"aliases": found})
        return
    if not found:
        warn("no aliases yet; `regtui alias set REF NAME` makes one")
        return
    rows = [
        [
            f"{a.model}@{a.alias}{CONTESTED if a.conflict else ''}",
            str(a.number),
            a.short_id,
            age_text(a.moved),
            ("protected" if a.protected else "")
            + (f"  requested: {a.requested}" if a.requested else ""),
        ]
        for a in found
    ]
    say(table(("ALIAS", "NUMBER", "ID", "MOVED", ""), rows, right="NUMBER MOVED"))


def _tell_history(alias: str | None) -> None:
    if alias is None:
        raise BadInput("--history needs an alias", "such as team/model@champion")
    found = SETTINGS.registry().holders(alias)
    if SETTINGS.json:
        emit({"holders": found})
        return
    rows = [
        [
            "removed" if one.version_id is None else f"@{one.number}",
            "" if one.before is None else f"@{one.before}",
            one.author,
            age_text(one.since),
            "" if one.seq is None else f"#{one.seq}" + (" (back)" if one.undoes else ""),
        ]
        for one in found
    ]
    say(table(("POINTS TO", "FROM", "BY", "AGE", "OPERATION"), rows, right="AGE"))
