"""`regtui deployments`, which is `regtui deploy ls`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import age_text

app = single()


@app.command()
def deployments(
    reference: Annotated[
        str | None, typer.Argument(metavar="[MODEL|REF]", autocompletion=complete.references)
    ] = None,
    env: Annotated[
        str | None, typer.Option(help="Only there.", autocompletion=complete.environments)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
) -> None:
    """List deployments, newest first."""
    found = SETTINGS.registry().deployments(reference, environment=env, ended=all_)
    if SETTINGS.json:
        emit({"deployments": found})
        return
    if not found:
        warn("nothing is deployed; `regtui deploy REF ENVIRONMENT` records that something is")
        return
    rows = [
        [
            one.deployment,
            one.version,
            place_text(one.environment, one.target),
            one.state + ("?" if one.waiting else ""),
            one.health,
            "" if one.since is None else age_text(one.since),
            one.by,
            ", ".join(one.approved_by) + ("  ! break glass" if one.break_glass else ""),
        ]
        for one in found
    ]
    headings = ("DEPLOYMENT", "VERSION", "WHERE", "STATE", "HEALTH", "LIVE", "BY", "APPROVED BY")
    say(table(headings, rows, right="LIVE"))


def place_text(environment: str, target: str) -> str:
    """Return where something runs: the environment, and what in there."""
    return f"{environment}/{target}" if target else environment
