"""`regtui outbox`, with `retry`, `amend` and `discard`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.registry.answers import iso
from regtui.registry.figures import age_text

if TYPE_CHECKING:
    from regtui.registry.outbox import OutboxEntry

app = group("Look after what waits for the server, and what it refused.")

Named = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="The operation, or the end of its id.")
]
All = Annotated[bool, typer.Option("--all", help="Everything that was refused.")]


@app.command()
def ls() -> None:
    """List what waits and what was refused, oldest first."""
    found = SETTINGS.registry().outbox()
    if SETTINGS.json:
        emit({"outbox": [_document(one) for one in found]})
        return
    if not found:
        warn("nothing waits, and nothing was refused")
        return
    rows = [
        [
            one.id[-8:],
            one.state,
            one.kind,
            one.model or "",
            age_text(iso(one.created * 1000)),
            _why(one),
        ]
        for one in found
    ]
    say(table(("ID", "STATE", "WHAT", "MODEL", "AGE", "BECAUSE"), rows))


@app.command()
def retry(identity: Named = None, everything: All = False) -> None:
    """Make a refused change again, on what stands now, with what depends on it."""
    _answer(SETTINGS.registry().retry(_chosen(identity, everything)), "to be sent again")


@app.command()
def amend(
    identity: Annotated[
        str, typer.Argument(metavar="ID", help="The operation, or the end of its id.")
    ],
    values: Annotated[
        list[str],
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Another value of what it sets, such as tags/env=prod; empty takes it away.",
        ),
    ],
) -> None:
    """Make a refused change again with other values, with what depends on it."""
    from regtui.registry.typed_values import typed_at

    given = dict(typed_at(text) for text in values)
    _answer(SETTINGS.registry().amend(identity, given), "to be sent again")


@app.command()
def discard(
    identity: Named = None,
    everything: All = False,
    waiting: Annotated[
        bool,
        typer.Option("--waiting", help="One that the server does not take; all else waits for it."),
    ] = False,
) -> None:
    """Let a refused change go, with what depends on it."""
    if waiting:
        if identity is None or everything:
            raise BadInput("name one operation that waits", "`regtui outbox ls` lists them")
        _answer(SETTINGS.registry().discard_waiting(identity), "discarded")
        return
    _answer(SETTINGS.registry().discard(_chosen(identity, everything)), "discarded")


def _chosen(identity: str | None, everything: bool) -> str | None:
    if (identity is None) != everything:
        raise BadInput("name one operation, or say --all", "`regtui outbox ls` lists them")
    return identity


def _answer(found: "list[OutboxEntry]", verb: str) -> None:
    if SETTINGS.json:
        emit({"outbox": [_document(one) for one in found]})
        return
    for one in found:
        say(f"{one.kind} {one.id[-8:]} {verb}")


def _document(entry: "OutboxEntry") -> dict[str, Any]:
    """Return an operation with its time as all answers have theirs: ISO 8601 in UTC."""
    from msgspec.structs import asdict

    return {**asdict(entry), "created": iso(entry.created * 1000)}


def _why(entry: "OutboxEntry") -> str:
    if entry.reason is None:
        return ""
    return entry.reason if entry.state == "refused" else f"would be refused: {entry.reason}"
