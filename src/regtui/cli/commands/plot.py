"""`regtui plot`."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.color import colored
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput

if TYPE_CHECKING:
    from regtui.registry.answers_compare import PlotAnswer

app = single()

COLUMNS, LINES = range(30, 1001), range(10, 501)
"""Sizes of a plot on a terminal."""


@app.command()
def plot(
    references: Annotated[
        list[str],
        typer.Argument(
            metavar="REF...",
            help="Versions, or models: all versions of each.",
            autocompletion=complete.references,
        ),
    ],
    metric: Annotated[
        str | None, typer.Option(help="The metric; by default the model's primary metric.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a picture: .svg or .png.")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Columns, or pixels of a picture.")] = None,
    height: Annotated[int | None, typer.Option(help="Lines, or pixels of a picture.")] = None,
) -> None:
    """Draw a metric in the terminal, or into a picture.

    Curves over the steps where versions hold series of it, else its values over the versions.
    """
    if output is None:
        columns, lines = _size(width, height)
    found = SETTINGS.registry().plot(references, metric)
    for reference in found.missing:
        warn(f"{reference} has nothing of {found.metric!r} to draw")
    if output is not None:
        from regtui.registry.chart_files import write_plot

        if output == "":
            raise BadInput("--output names no file", "such as --output loss.svg")
        write_plot(found, Path(output), width=width, height=height)
    if SETTINGS.json:
        emit(found if output is None else {"path": str(Path(output).absolute())})
    elif output is not None:
        say(f"wrote {output}")
    elif not SETTINGS.quiet:
        _show(found, columns, lines)


def _show(found: "PlotAnswer", columns: int, lines: int) -> None:
    from regtui.cli.terminal_plot import draw
    from regtui.registry.chart import points

    if not any(True for line in found.lines for _ in points(line)):
        warn(f"no value of {found.metric!r} is a number that can be drawn")
        return
    typer.echo(draw(found, columns, lines, colored=colored()), color=True)


def _size(width: int | None, height: int | None) -> tuple[int, int]:
    terminal = shutil.get_terminal_size()
    for name, size, sizes in (("width", width, COLUMNS), ("height", height, LINES)):
        if size is not None and size not in sizes:
            raise BadInput(f"the {name} {size} is out of range", f"give {sizes[0]} to {sizes[-1]}")
    # One line stays free for the prompt, and a plot higher than wide says no more.
    lines = min(terminal.lines - 1, 30)
    return (
        min(width or terminal.columns, COLUMNS[-1]),
        max(height or lines, LINES[0]),
    )
