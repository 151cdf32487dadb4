"""`regtui models`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.registry.figures import age_text

app = single()


@app.command()
def models(
    pattern: Annotated[
        str | None,
        typer.Argument(help="A name, its beginning, or a glob.", autocompletion=complete.models),
    ] = None,
    state: Annotated[str, typer.Option(help="active, archived, deleted or any.")] = "active",
) -> None:
    """List models."""
    if state not in {"active", "archived", "deleted", "any"}:
        raise BadInput(f"there is no state {state!r}", "active, archived, deleted or any")
    found = SETTINGS.registry().models(pattern, state=state)
    if SETTINGS.json:
        emit({"models": found})
        return
    if not found:
        warn("no model matches" if pattern else "no models yet; `regtui capture PATH` makes one")
        return
    rows = [
        [
            model.model,
            str(model.versions),
            "" if model.latest is None else str(model.latest),
            " ".join(f"{name}→{number}" for name, number in model.aliases.items()),
            model.primary_metric or "",
            model.author,
            age_text(model.created),
        ]
        for model in found
    ]
    headings = ("MODEL", "VERSIONS", "LATEST", "ALIASES", "PRIMARY", "AUTHOR", "AGE")
    say(table(headings, rows, right="VERSIONS LATEST AGE"))
