"""`regtui sync`."""

import contextlib
import time
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Busy, RegtuiError, Unreachable
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from regtui.registry import Registry
    from regtui.sync.client import Synced

app = single()

SECONDS = 2.0
"""Before the first attempt after the server did not answer, and between two looks at a busy one."""

PATIENCE = 300.0
"""Seconds after which it syncs also without news."""

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
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Send the history of a registry that had no server."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --publish: tell what it does, no more.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Read also what is older than the first sync.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --publish: do it without asking.")
    ] = False,
) -> None:
    """Send what waits to the remote, and read what is newer there."""
    if (dry_run or yes) and not publish:
        raise BadInput("--dry-run and --yes belong to --publish")
    if push and pull:
        raise BadInput("--push and --pull exclude each other", "neither does both")
    direction = "push" if push else "pull" if pull else "both"
    registry = SETTINGS.registry()
    if publish:
        from regtui.cli.publication import publish_first

        if not publish_first(registry, dry_run=dry_run, yes=yes):
            return
        history = True  # what was just sent is all of it

    def once() -> "Synced":
        with Progress("bringing files") as progress:
            return registry.sync(artifacts=artifacts, direction=direction, on_progress=progress)

    if watch:
        _watch(registry, once)
        return
    done = once()
    if history:
        done.history = registry.fetch_history()
    _tell(done, always=True)


def _watch(registry: "Registry", once: "Callable[[], Synced]") -> None:
    """Sync whenever something happened there or here, until Ctrl-C."""
    pause = SECONDS
    try:
        while True:
            try:
                _tell(once(), always=False)
                pause = SECONDS
                _rest(registry)
            except (Unreachable, Busy) as error:  # the app may be syncing right now
                if pause == SECONDS:
                    warn(str(error))
                time.sleep(max(pause, getattr(error, "after", None) or 0.0))
                pause = min(pause * 2, LONGEST)
    except KeyboardInterrupt:
        return


def _rest(registry: "Registry") -> None:
    """Wait until something happened at the server or here; what fails there, the sync tells."""
    home = registry.context.replica.home
    before = home.written()
    with contextlib.suppress(RegtuiError):
        registry.wait_for_news(PATIENCE, is_over=lambda: home.written() != before)
        return
    time.sleep(SECONDS)


def _tell(done: "Synced", *, always: bool) -> None:
    counts = {
        name: getattr(done, name)
        for name in (
            "pushed", "accepted", "rejected", "conflicted", "pending", "pulled", "purged", "kept",
            "cursor", "history", "sent_files", "sent_bytes", "fetched_files", "fetched_bytes",
        )
    }  # fmt: skip
    is_something = any(value for name, value in counts.items() if name not in {"cursor", "pending"})
    if not always and not is_something:
        return
    if SETTINGS.json:
        emit(counts | {"absent": done.absent, "withheld": done.withheld})
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
    if done.history:
        parts.append(f"got {count_text(done.history, 'older operation')}")
    for verb, files, size in (
        ("sent", done.sent_files, done.sent_bytes),
        ("fetched", done.fetched_files, done.fetched_bytes),
    ):
        if files:
            parts.append(f"{verb} {count_text(files, 'file')}, {size_text(size)}")
    return parts


def _shown(references: list[str]) -> str:
    return ", ".join(references[:SHOWN]) + (", …" if len(references) > SHOWN else "")


def _warn(done: "Synced") -> None:
    if done.kept:
        warn(
            f"{count_text(done.kept, 'file')} of what may not be read any more were never sent: "
            "they stay in objects/ until `regtui gc`"
        )
    if done.absent:
        warn(f"some files of {_shown(done.absent)} are neither here nor on the server")
    if done.withheld:
        warn(
            f"the files of {_shown(done.withheld)} stay here: you may not write to these models "
            "(any more)"
        )
    if done.rejected:
        warn(f"{count_text(done.rejected, 'change')} refused; `regtui outbox ls` tells why")
    if done.conflicted:
        warn(
            f"{count_text(done.conflicted, 'change')} became part of a conflict; "
            "`regtui conflicts` lists what is open"
        )
    if done.healing:
        warn("the server was restored from a backup and takes back what it lost")
    if done.differing:
        warn(
            f"{count_text(len(done.differing), 'model')} differ from what the server says of them; "
            "its operator should run `regtui-server doctor`"
        )
    elif done.refetched:
        warn(f"{count_text(done.refetched, 'model')} differed from the server's and came anew")
