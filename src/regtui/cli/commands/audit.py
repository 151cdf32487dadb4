"""`regtui audit verify | anchor`."""

from typing import Annotated

import typer

from regtui.cli.commands import group
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import Damaged
from regtui.registry.figures import count_text

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
