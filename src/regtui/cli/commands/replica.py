"""`regtui replica ls | revoke`."""

from typing import Annotated

import typer

from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import age_text

app = group("Look after the copies of the registry that sync.")


@app.command()
def ls() -> None:
    """List replicas, newest sign of life first; who is no admin sees his own."""
    found = SETTINGS.registry().replicas()
    if SETTINGS.json:
        emit({"replicas": found})
        return
    if not found:
        warn("no replicas yet; each shows from its first sync on")
        return
    rows = [
        [
            one.id[:8],
            one.user,
            one.host or "",
            one.state,
            age_text(one.seen),
            "here" if one.here else "",
        ]
        for one in found
    ]
    say(table(("ID", "USER", "HOST", "STATE", "SEEN", ""), rows))


@app.command()
def revoke(
    identity: Annotated[str, typer.Argument(metavar="ID", help="The beginning of its id will do.")],
) -> None:
    """Stop a replica from syncing, for good; what it has stays on its machine."""
    replica = SETTINGS.registry().revoke_replica(identity)
    if SETTINGS.json:
        emit({"revoked": replica})
        return
    say(f"{replica.user}'s replica {replica.id[:8]} on {replica.host or '?'} syncs no more")
