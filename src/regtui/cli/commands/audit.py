"""`regtui audit verify | anchor | export`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Damaged
from regtui.core.wording import count_text
from regtui.registry.figures import seq_text

app = group("Prove that the history is what was done.")


@app.command()
def verify(
    anchor: Annotated[
        str | None, typer.Option(help="The history has to extend this anchor.")
    ] = None,
    remote: Annotated[
        bool, typer.Option("--remote", help="Read the server's history, too, and compare.")
    ] = False,
) -> None:
    """Recompute every link, digest and signature from the stored bytes."""
    with Progress("auditing") as progress:
        found = SETTINGS.registry().verify_history(anchor, remote=remote, on_progress=progress)
    if SETTINGS.json:
        emit(found)
    else:
        for problem in found.problems:
            warn(f"{problem.kind} {problem.name}: {problem.problem}")
        if found.extends is False:
            warn("the history does not extend the anchor")
    if not found.ok:
        if SETTINGS.json:
            raise typer.Exit(Damaged.exit_code)
        raise Damaged(
            f"the history is not what was done: {count_text(found.count, 'problem')}",
            "docs/history.md says what to do",
        )
    say(
        f"{count_text(found.operations, 'operation')}, {count_text(found.documents, 'document')} "
        f"and {count_text(found.signatures, 'signature')} are what they were"
    )
    for gap in found.unsigned:
        say(
            f"#{gap.first} to #{gap.last} were not signed here: they are older than signing, or "
            "came from another replica; the signatures after them cover them"
        )
    if found.remote is not None:
        say(
            f"the server has the same history: {count_text(found.remote.operations, 'operation')} "
            f"in {count_text(found.remote.streams, 'stream')}, {found.remote.proven} of them "
            "proven by the signatures of those who made them"
        )
    say(f"anchor {found.anchor.anchor}")


@app.command()
def anchor() -> None:
    """Print a text that proves, kept elsewhere, that nothing before it was rewritten."""
    found = SETTINGS.registry().anchor()
    if SETTINGS.json:
        emit(found)
        return
    say(found.anchor)


@app.command()
def export(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[REF]",
            help="A model, version, alias (MODEL@ALIAS), env:NAME, dataset:NAME or person:NAME.",
            autocompletion=complete.references,
        ),
    ] = None,
    form: Annotated[
        str, typer.Option("--format", help="jsonl (JSON Lines), or csv for spreadsheets.")
    ] = "jsonl",
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="A new file; - prints it.")
    ] = "-",
    since: Annotated[str | None, typer.Option(help="Not older than 7d, or than a date.")] = None,
) -> None:
    """Write who did what, when, from where and on whose approval, one row an operation.

    Oldest first. A file that is there already is replaced with --yes only.
    """
    if output == "-" and SETTINGS.json and form != "jsonl":
        raise BadInput("--json and CSV can't share standard output", "name a file with --output")
    made = SETTINGS.registry().export_audit(
        reference,
        sys.stdout.buffer if output == "-" else Path(output),
        form=form,
        since=since,
        replace=SETTINGS.yes,
    )
    if made.missing_before is not None:
        warn(
            f"operations before {seq_text(made.missing_before)} are not here; "
            "`regtui sync --history` reads them"
        )
    if made.unknown:
        warn(f"a newer regtui made {count_text(made.unknown, 'operation')}; upgrade to see them")
    if output == "-":
        return
    if SETTINGS.json:
        emit(made)
        return
    say(f"exported {count_text(made.rows, 'operation')} to {made.file}")
