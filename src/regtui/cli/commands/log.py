"""`regtui log`."""

import contextlib
import time
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import age_text, seq_text

if TYPE_CHECKING:
    from regtui.registry.history import OperationAnswer

app = single()


@app.command()
def log(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="REF",
            help="A model with all in it, a version, an alias (MODEL@ALIAS) or dataset:NAME.",
            autocompletion=complete.references,
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is done from now on.")
    ] = False,
    author: Annotated[str | None, typer.Option(help="What this person did only.")] = None,
    kind: Annotated[str | None, typer.Option(help="Of this kind, such as version.edit.")] = None,
    since: Annotated[str | None, typer.Option(help="Not older than 7d, or than a date.")] = None,
    limit: Annotated[int, typer.Option(help="Operations of the page.")] = 50,
    after: Annotated[str | None, typer.Option(help="Cursor of the page before.")] = None,
) -> None:
    """Tell who did what, newest first."""
    registry = SETTINGS.registry()
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for operation in registry.follow(reference, author=author, kind=kind, wait=_wait):
                _tell(operation)
        return
    page = registry.log(reference, author=author, kind=kind, since=since, limit=limit, after=after)
    if SETTINGS.json:
        emit(page)
        return
    if not page.operations:
        warn("nothing was done yet" if reference is None else f"nothing was done to {reference}")
        return
    say(table(("SEQ", "WHO", "AGE", "WHAT"), [_row(one) for one in page.operations], right="SEQ"))
    if page.next is not None:
        warn(f"there is more: --after {page.next}")


def _tell(operation: "OperationAnswer") -> None:
    import sys

    if SETTINGS.json:
        emit(operation)
    else:
        say("  ".join(_row(operation)))
    sys.stdout.flush()  # who follows waits for each line


def _wait(seconds: float) -> None:
    """Let some time pass; end at once where whoever read the output has gone."""
    import select
    import sys

    with contextlib.suppress(AttributeError, ValueError):  # an output that is no file
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        if poll.poll(seconds * 1000):
            raise BrokenPipeError
        return
    time.sleep(seconds)


def _row(operation: "OperationAnswer") -> list[str]:
    undone = " (undone)" if operation.undone_by else ""
    via = "" if operation.via == "cli" else f" ({operation.via})"
    return [
        seq_text(operation.seq),
        operation.actor + via,
        age_text(operation.time),
        operation.summary + undone,
    ]
