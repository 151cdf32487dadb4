"""`regtui sync`."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Unreachable
from regtui.registry.figures import count_text, size_text

if TYPE_CHECKING:
    from regtui.sync.client import Synced

app = single()

SECONDS = 2.0
"""Between two syncs of `--watch`."""

LONGEST = 60.0
"""Seconds between two attempts while the server does not answer."""

SHOWN = 5
"""Versions that one warning names."""


@app.command()
def sync(
    watch: Annotated[bool, typer.Option("--watch", help="Go on until Ctrl-C.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Send only.")] = False,
    pull: Annotated[bool, typer.Option("--pull", help="Read only.")] = False,
    artifacts: Annotated[
        str | None,
        typer.Option(
            metavar="all|aliased|none",
            help="Whose files travel, both ways. [default: those captured here are sent]",
        ),
    ] = None,
) -> None:
    """Send what waits to the remote, and read what is newer there."""
    if push and pull:
        raise BadInput("--push and --pull exclude each other", "neither does both")
    direction = "push" if push else "pull" if pull else "both"
    registry = SETTINGS.registry()

    def once() -> "Synced":
        with Progress("bringing files") as progress:
            return registry.sync(artifacts=artifacts, direction=direction, on_progress=progress)

    if not watch:
        _tell(once(), always=True)
        return
    pause = SECONDS
    try:
        while True:
            try:
                _tell(once(), always=False)
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
            "sent_files", "sent_bytes", "fetched_files", "fetched_bytes",
        )
    }  # fmt: skip
    is_something = any(value for name, value in counts.items() if name not in {"cursor", "pending"})
    if not always and not is_something:
        return
    if SETTINGS.json:
        emit(counts | {"absent": done.absent})
        return
    say(", ".join(_parts(done)))
    _warn(done)


def _parts(done: "Synced") -> list[str]:
    parts = [
        f"sent {count_text(done.pushed, 'change')}",
        f"got {count_text(done.pulled, 'record')}",
    ]
    if done.purged:
        parts.append(f"{count_text(done.purged, 'record')} may not be read any more")
    for verb, files, size in (
        ("sent", done.sent_files, done.sent_bytes),
        ("fetched", done.fetched_files, done.fetched_bytes),
    ):
        if files:
            parts.append(f"{verb} {count_text(files, 'file')}, {size_text(size)}")
    return parts


def _warn(done: "Synced") -> None:
    if done.absent:
        shown = ", ".join(done.absent[:SHOWN]) + (", …" if len(done.absent) > SHOWN else "")
        warn(f"some files of {shown} are neither here nor on the server")
    if done.rejected:
        warn(f"{count_text(done.rejected, 'change')} refused; `regtui outbox` tells why")
    if done.conflicted:
        warn(f"{count_text(done.conflicted, 'conflict')}; `regtui conflicts` lists them")
    if done.healing:
        warn("the server was restored from a backup and takes back what it lost")
    if done.refetched:
        warn(f"{count_text(done.refetched, 'model')} differed from the server's and came anew")
