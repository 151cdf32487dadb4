"""`regtui capture`."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete, values
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import RegtuiError
from regtui.core.wording import count_text
from regtui.registry.figures import size_text
from regtui.registry.typed_values import input_uris

if TYPE_CHECKING:
    from regtui.registry.answers import Captured
    from regtui.registry.answers_checks import Checked
    from regtui.registry.series import Series

app = single()

_WARNINGS = 5
_SERIES_LIMIT = 64 << 20
"""Bytes of a file of curves; what is kept of them is far less."""


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
    no_checks: Annotated[
        bool, typer.Option("--no-checks", help="Run none of the checks that go with a capture.")
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
        emit(captured if no_checks else _checked(captured)[0])
        return
    version = captured.version
    verb = "captured" if captured.created else "updated" if captured.changed else "unchanged"
    content = f"{count_text(version.files, 'file')}, {size_text(version.size)}"
    if captured.restored:
        verb, content = "restored", f"{content}; its files are here again"
    # Without a number yet its reference is the short id alone.
    name = version.model if version.number is None else version.reference
    say(f"{verb} {name}  {version.short_id}  {content}")
    if not no_checks:
        sys.stdout.flush()  # the capture is done, however long checks take
        _, found = _checked(captured)
        if found is not None:
            from regtui.cli.commands.check import tell_checked

            tell_checked(found)


def _checked(captured: "Captured") -> "tuple[Captured, Checked | None]":
    """Run the checks that go with a capture; what keeps them from running fails no capture."""
    from msgspec import structs

    if captured.version.state != "captured":
        return captured, None
    try:
        found = SETTINGS.registry().run_checks(f":{captured.version.id}", on="capture")
    except RegtuiError as error:
        warn(f"its checks could not be run: {error}")
        return captured, None
    return structs.replace(captured, checks=found.runs), found


def _series(file: str | None) -> "dict[str, Series]":
    """Read curves before anything is captured."""
    if file is None:
        return {}
    from regtui.cli.given_text import read_given
    from regtui.registry.series import parse_series

    return parse_series(read_given(file, limit=_SERIES_LIMIT, option="--series"))
