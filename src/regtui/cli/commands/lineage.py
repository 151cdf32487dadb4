"""`regtui lineage`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.color import say_painted
from regtui.cli.commands import single
from regtui.cli.lineage_tree import SHOWN, tree
from regtui.cli.output import emit
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def lineage(
    reference: Annotated[
        str,
        typer.Argument(metavar="REF", help="A version.", autocompletion=complete.references),
    ],
    depth: Annotated[int | None, typer.Option(min=0, help="Steps to go; by default all.")] = None,
    up: Annotated[bool, typer.Option("--up", help="Only what it was made from.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only what was made from it.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="List every version; by default 20 below each.")
    ] = False,
) -> None:
    """Show what a version was made from, and what was made from it.

    Parents, children, and datasets.
    """
    both = up == down
    found = SETTINGS.registry().lineage(reference, up=up or both, down=down or both, depth=depth)
    if SETTINGS.json:
        emit(found)
    else:
        say_painted(tree(found, limit=None if everything else SHOWN))
