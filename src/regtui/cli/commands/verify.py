"""`regtui verify`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Damaged
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

app = single()


@app.command()
def verify(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[REF]", help="Only this version.", autocompletion=complete.references
        ),
    ] = None,
    signature: Annotated[
        bool, typer.Option("--signature", help="Check who signed REF, not its files.")
    ] = False,
) -> None:
    """Compare stored files with their digests.

    Exits with 8 where one is missing or is not what it was.
    """
    if signature:
        _verify_signatures(reference)
        return
    with Progress("verifying") as progress:
        found = SETTINGS.registry().verify(reference, on_progress=progress)
    if SETTINGS.json:
        emit(found)
    else:
        for damage in found.damaged:
            warn(f"{damage.problem}: {damage.digest[:16]} needed by {', '.join(damage.used_by)}")
    if found.damaged:
        if SETTINGS.json:
            raise typer.Exit(Damaged.exit_code)
        raise Damaged(
            f"{len(found.damaged)} of {found.files} stored files are damaged",
            "capture the same content again from another copy",
        )
    counts = f"{count_text(found.versions, 'version')}, {count_text(found.files, 'file')}"
    say(f"{counts}, {size_text(found.bytes)}: all intact")


def _verify_signatures(reference: str | None) -> None:
    """Tell who signed a version; that nobody did, or a wrong signature, is a failure of trust."""
    if reference is None:
        raise BadInput("--signature needs a version", "such as regtui verify team/m@7 --signature")
    found = SETTINGS.registry().signatures(reference)
    wrong = [one for one in found if one.valid is False]
    if SETTINGS.json:
        emit({"signatures": found})
        if wrong or not found:
            raise typer.Exit(Damaged.exit_code)
        return
    if wrong:
        raise Damaged(f"the signature of {wrong[0].replica} is not that of {reference}")
    if not found:
        raise Damaged(f"{reference} is not signed", f"`regtui sign {reference}`")
    for one in found:
        known = "valid" if one.valid else "of a replica whose key is not known here"
        say(f"{one.replica}  {known}")
