"""`regtui checkout`."""

from pathlib import Path
from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

app = single()


@app.command()
def checkout(
    reference: Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)],
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="A new or empty folder.", readable=False)
    ],
    link: Annotated[
        bool, typer.Option("--link", help="Hard link to the stored, read-only files.")
    ] = False,
) -> None:
    """Write the files of a version into a folder, verified."""
    with Progress(f"checking out {reference}") as progress:
        version = SETTINGS.registry().checkout(reference, folder, link=link, on_progress=progress)
    if SETTINGS.json:
        emit({"version": version, "path": str(folder.absolute())})
        return
    content = f"{count_text(version.files, 'file')}, {size_text(version.size)}"
    say(f"{version.reference} is in {folder}  {content}")
