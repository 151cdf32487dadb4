"""`regtui pull`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

app = single()


@app.command()
def pull(
    references: Annotated[
        list[str], typer.Argument(metavar="REF...", autocompletion=complete.references)
    ],
) -> None:
    """Fetch the files of versions from the remote."""
    with Progress("fetching files") as progress:
        found = SETTINGS.registry().pull(references, on_progress=progress)
    if SETTINGS.json:
        emit(found)
        return
    for warning in found.warnings:
        warn(warning)
    names = ", ".join(version.reference for version in found.versions)
    if not found.files:
        say(f"all files of {names} are here")
        return
    say(f"fetched {count_text(found.files, 'file')}, {size_text(found.bytes)}, of {names}")
