"""`regtui capture`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete, values
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.registry.figures import count_text, size_text
from regtui.registry.typed_values import input_uris

if TYPE_CHECKING:
    from regtui.registry.series import Series

app = single()

_WARNINGS = 5


@app.command()
def capture(
    path: Annotated[str, typer.Argument(help="A file or folder.")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="The model; by default named after PATH.",
            autocompletion=complete.models,
        ),
    ] = None,
    metric: Annotated[list[str], typer.Option(help="NAME=VALUE or NAME=VALUE@STEP.")] = [],
    param: Annotated[list[str], typer.Option(help="NAME=VALUE.")] = [],
    tag: Annotated[list[str], typer.Option(help="NAME=VALUE.")] = [],
    parent: Annotated[
        list[str],
        typer.Option(help="A version that it was made from.", autocompletion=complete.references),
    ] = [],
    input_: Annotated[
        list[str],
        typer.Option(
            "--input", help="A dataset: NAME=URI, or NAME alone.", autocompletion=complete.datasets
        ),
    ] = [],
    alias: Annotated[
        str | None, typer.Option(help="Move this alias to it.", autocompletion=complete.aliases)
    ] = None,
    description: Annotated[str | None, typer.Option("--description", "-d")] = None,
    series: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Metric curves: CSV with a header, or JSON lines."),
    ] = None,
    new: Annotated[
        bool, typer.Option("--new", help="Make a version even of content that is there.")
    ] = False,
) -> None:
    """Make a version of a file or folder.

    The same content again gives the version that it already is.
    """
    with Progress(f"capturing {path}") as progress:
        captured = SETTINGS.registry().capture(
            path,
            model=model,
            metrics=values.metrics(metric),
            params=values.params(param),
            tags=values.pairs(tag, "--tag"),
            parents=parent,
            inputs=input_uris(input_),
            alias=alias,
            description=description,
            series=_series(series),
            new=new,
            on_progress=progress,
        )
    for line in captured.warnings[:_WARNINGS]:
        warn(line)
    if len(captured.warnings) > _WARNINGS:
        warn(f"{len(captured.warnings) - _WARNINGS} more files are dangerous to load")
    if SETTINGS.json:
        emit(captured)
        return
    version = captured.version
    verb = "captured" if captured.created else "updated" if captured.changed else "unchanged"
    content = f"{count_text(version.files, 'file')}, {size_text(version.size)}"
    if captured.restored:
        verb, content = "restored", f"{content}; its files are here again"
    # Without a number yet its reference is the short id alone.
    name = version.model if version.number is None else version.reference
    say(f"{verb} {name}  {version.short_id}  {content}")


def _series(file: str | None) -> "dict[str, Series]":
    """Read curves before anything is captured."""
    if file is None:
        return {}
    from pathlib import Path

    from regtui.registry.series import parse_series

    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise BadInput(f"can't read --series {file}: {reason}", "name a CSV file") from None
    return parse_series(text)
