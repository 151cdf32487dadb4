"""`regtui sync`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import Unreachable
from regtui.registry.figures import count_text

if TYPE_CHECKING:
    from regtui.sync.client import Synced

app = single()

SECONDS = 2.0
"""Between two syncs of `--watch`."""

LONGEST = 60.0
"""Seconds between two attempts while the server does not answer."""


@app.command()
def sync(
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
) -> None:
    """Send what waits to the remote, and read what is newer there."""
    registry = SETTINGS.registry()
    if not watch:
        _tell(registry.sync(), always=True)
        return
    pause = SECONDS
    try:
        while True:
            try:
                _tell(registry.sync(), always=False)
                pause = SECONDS
            except Unreachable as error:
                if pause == SECONDS:
                    warn(str(error))
                pause = min(pause * 2, LONGEST)
            time.sleep(pause)
    except KeyboardInterrupt:
        return


def _tell(done: "Synced", *, always: bool) -> None:
    counts = {
        name: getattr(done, name)
        for name in (
            "pushed", "accepted", "rejected", "conflicted", "pending", "pulled", "purged", "cursor",
        )
    }  # fmt: skip
    is_something = any(value for name, value in counts.items() if name not in {"cursor", "pending"})
    if not always and not is_something:
        return
    if SETTINGS.json:
        emit(counts)
        return
    parts = [
        f"sent {count_text(done.pushed, 'change')}",
        f"got {count_text(done.pulled, 'record')}",
    ]
    if done.purged:
        parts.append(f"{count_text(done.purged, 'record')} may not be read any more")
    say(", ".join(parts))
    if done.rejected:
        warn(f"{count_text(done.rejected, 'change')} refused; `regtui outbox` tells why")
    if done.conflicted:
        warn(f"{count_text(done.conflicted, 'conflict')}; `regtui conflicts` lists them")
    if done.healing:
        warn("the server was restored from a backup and takes back what it lost")
    if done.refetched:
        warn(f"{count_text(done.refetched, 'model')} differed from the server's and came anew")
