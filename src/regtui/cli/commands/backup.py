"""`regtui backup create | restore | verify | ls`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import Damaged
from regtui.core.wording import count_text
from regtui.registry.figures import age_text, size_text

if TYPE_CHECKING:
    from regtui.registry.backup import BackupAnswer

app = group("Write the whole registry into a file, and make it from one.")

File = Annotated[Path, typer.Argument(metavar="FILE", help="A backup.", readable=False)]


@app.command()
def create(
    target: Annotated[
        Path, typer.Argument(metavar="FILE|DIR", help="A new file, or a folder.", readable=False)
    ],
    no_artifacts: Annotated[
        bool, typer.Option("--no-artifacts", help="The database only, without stored files.")
    ] = False,
) -> None:
    """Write the registry into one file; others may go on writing meanwhile.

    A file that is there already is replaced with --yes only. Exits with 8 where the store has lost
    files, which the backup then lacks; all the rest is in it.
    """
    with Progress(f"backing up to {target}") as progress:
        made = SETTINGS.registry().create_backup(
            target, artifacts=not no_artifacts, replace=SETTINGS.yes, on_progress=progress
        )
    _tell(made, f"backed up to {made.file}")


@app.command()
def restore(file: File) -> None:
    """Make the registry from a backup, in a new or empty home."""
    with Progress(f"restoring {file}") as progress:
        made = SETTINGS.registry().restore_backup(file, on_progress=progress)
    _tell(made, f"restored to {made.home}")


@app.command()
def verify(file: File) -> None:
    """Compare everything in a backup with its digests."""
    with Progress(f"verifying {file}") as progress:
        found = SETTINGS.registry().verify_backup(file, on_progress=progress)
    _tell(found, f"{file} is intact")


@app.command()
def ls(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A backup.", readable=False)
    ] = None,
) -> None:
    """Tell what a backup holds, or list the copies of the database that the home keeps."""
    registry = SETTINGS.registry()
    if file is None:
        found = registry.database_copies()
        if SETTINGS.json:
            emit({"copies": found})
            return
        rows = [[Path(one.file).name, size_text(one.bytes), age_text(one.created)] for one in found]
        say(table(("COPY", "SIZE", "AGE"), rows, right="SIZE AGE") if rows else "no copies")
        return
    header = registry.describe_backup(file)
    if SETTINGS.json:
        emit({"file": str(file), "header": header})
        return
    versions = count_text(header.versions, "version")
    stored = f"{count_text(header.objects, 'stored file')}, {size_text(header.bytes)}"
    say(f"made {header.created} of the registry {header.registry}")
    say(f"{count_text(header.models, 'model')}, {versions}, {stored}")
    if not header.artifacts:
        say("the database only, without stored files")


def _tell(answer: "BackupAnswer", what: str) -> None:
    if SETTINGS.json:
        emit(answer)
    else:
        content = f"{count_text(answer.objects, 'stored file')}, {size_text(answer.bytes)}"
        versions = count_text(answer.header.versions, "version")
        say(f"{what}  {versions}, {content}")
    if answer.missing:
        if SETTINGS.json:
            raise typer.Exit(Damaged.exit_code)
        for digest in answer.missing[:20]:
            warn(f"missing: {digest}")
        raise Damaged(
            f"{count_text(len(answer.missing), 'file')} that versions need are not in it",
            "`regtui verify` names them",
        )
