"""`regtui alias set | rm | ls`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import aliases, group
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS

app = group("Set, remove and list aliases.")
app.command("ls")(aliases.aliases)


@app.command("set")
def set_(
    reference: Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)],
    name: Annotated[str, typer.Argument(autocompletion=complete.aliases)],
) -> None:
    """Point an alias to a version."""
    registry = SETTINGS.registry()
    changed = registry.set_alias(reference, name)
    if SETTINGS.json:
        emit({"version": registry.version(reference), "changed": changed})
        return
    say(f"{name} → {reference}" if changed else f"{name} points to {reference} already")


@app.command("rm")
def remove(
    reference: Annotated[
        str, typer.Argument(metavar="MODEL@ALIAS", autocompletion=complete.references)
    ],
) -> None:
    """Take an alias away."""
    SETTINGS.registry().remove_alias(reference)
    if SETTINGS.json:
        emit({"removed": reference})
        return
    say(f"removed {reference}")
