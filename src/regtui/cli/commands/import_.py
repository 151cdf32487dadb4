"""`regtui import`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

if TYPE_CHECKING:
    from regtui.registry.answers_bundle import ImportedRegistry, ImportedVersion

app = single()

_SHOWN = 20


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A bundle; - is standard input.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Put the version into this model.",
            autocompletion=complete.models,
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only, change nothing.")] = False,
) -> None:
    """Take in a bundle of a version or of a registry.

    Everything in it is verified before anything is kept. A registry is taken into an empty home, or
    merged into one of the same registry; conflicts wait to be resolved, and what can't be taken in
    is listed with its reason.
    """
    if file == "":
        raise BadInput("there is no file to import", "name a bundle")
    with Progress(f"importing {file}") as progress:
        found = SETTINGS.registry().import_bundle(
            sys.stdin.buffer if file == "-" else Path(file),
            model=model,
            dry_run=dry_run,
            on_progress=progress,
        )
    if SETTINGS.json:
        emit(found)
    elif found.kind == "version":
        _tell_version(found)  # type: ignore[arg-type]
    else:
        _tell_registry(found)  # type: ignore[arg-type]
    if found.missing and not SETTINGS.json:
        warn(
            f"{count_text(len(found.missing), 'file')} that versions need are neither in it nor "
            "here; import a bundle that has them, or capture the same content"
        )


def _tell_version(found: "ImportedVersion") -> None:
    version = found.version
    verb = "imported" if found.created else "updated" if found.changed else "unchanged"
    verb = f"would be {verb}:" if found.dry_run else verb
    content = f"{count_text(version.files, 'file')}, {size_text(version.size)}"
    say(f"{verb} {version.reference}  {version.short_id}  {content}")
    for field in found.ignored[:_SHOWN]:
        warn(f"this regtui does not know {field!r}, which is left out; upgrade and import it again")


def _tell_registry(found: "ImportedRegistry") -> None:
    would = "would take in" if found.dry_run else "took in"
    news = f"{count_text(found.operations, 'operation')}, {count_text(found.versions, 'version')}"
    stored = f"{count_text(found.objects, 'stored file')}, {size_text(found.bytes)}"
    say(f"{would} {news}, {stored}; {count_text(found.known, 'operation')} known already")
    if found.conflicts:
        say(f"{count_text(len(found.conflicts), 'conflict')} to resolve: `regtui conflicts`")
    for refused in found.refused[:_SHOWN]:
        hint = f"; {refused.hint}" if refused.hint else ""
        warn(f"refused {refused.kind} by {refused.actor}: {refused.message}{hint}")
    if len(found.refused) > _SHOWN:
        warn(f"and {len(found.refused) - _SHOWN} more; --json lists all")
