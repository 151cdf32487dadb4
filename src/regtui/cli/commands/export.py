"""`regtui export`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Damaged
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

if TYPE_CHECKING:
    from regtui.registry.answers_bundle import Exported

app = single()


@app.command()
def export(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[REF] FILE",
            help="A version, and a new file; - is standard output.",
            autocompletion=complete.references,
        ),
    ],
    whole: Annotated[
        bool, typer.Option("--all", help="The whole registry; then FILE stands alone.")
    ] = False,
    no_artifacts: Annotated[
        bool, typer.Option("--no-artifacts", help="What is known only, without stored files.")
    ] = False,
) -> None:
    """Write a version, or the whole registry, into a bundle.

    A file that is there already is replaced with --yes only. Exits with 8 where the store has lost
    files of the registry, which the bundle then lacks; all the rest is in it.
    """
    reference, name = _split(words, whole=whole)
    target = _standard_output() if name == "-" else Path(name)
    with Progress(f"exporting to {name}") as progress:
        made = SETTINGS.registry().export(
            reference,
            target,
            artifacts=not no_artifacts,
            replace=SETTINGS.yes,
            on_progress=progress,
        )
    if name != "-":
        _tell(made)
    if made.missing:
        _tell_missing(made)


def _split(words: list[str], *, whole: bool) -> tuple[str | None, str]:
    if whole and len(words) == 1 and words[0]:
        return None, words[0]
    if not whole and len(words) == 2 and words[1]:  # noqa: PLR2004 -- what and where to
        return words[0], words[1]
    raise BadInput(
        "an export needs a version and a file, or --all and a file",
        "such as `regtui export team/ranker@3 ranker.regtui`",
    )


def _standard_output() -> BinaryIO:
    if SETTINGS.json:
        raise BadInput("--json and the bundle can't share standard output", "name a file")
    if sys.stdout.isatty():
        raise BadInput("a bundle is nothing for a terminal", "name a file, or pipe it")
    return sys.stdout.buffer


def _tell(made: "Exported") -> None:
    if SETTINGS.json:
        emit(made)
        return
    what = "the registry" if made.version is None else made.version.reference
    content = f"{count_text(made.objects, 'stored file')}, {size_text(made.bytes)}"
    say(f"exported {what} to {made.file}  {content}")


def _tell_missing(made: "Exported") -> None:
    if SETTINGS.json:
        raise typer.Exit(Damaged.exit_code)
    for digest in made.missing[:20]:
        warn(f"missing: {digest}")
    raise Damaged(
        f"{count_text(len(made.missing), 'file')} that versions need are not in it",
        "`regtui verify` names them",
    )
