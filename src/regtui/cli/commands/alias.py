"""`regtui alias set | rm | ls`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import aliases, group
from regtui.cli.gate_text import outcome_line
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
    changed, outcome = registry.move_alias(reference, name)
    if SETTINGS.json:
        version = registry.version(reference)
        emit({"version": version, "changed": changed and outcome.done, "outcome": outcome})
        return
    if not changed:
        say(f"{name} points to {reference} already")
        return
    say(outcome_line(f"{name} → {reference}", f"{name} → {reference}", outcome))


@app.command("rm")
def remove(
    reference: Annotated[
        str, typer.Argument(metavar="MODEL@ALIAS", autocompletion=complete.references)
    ],
) -> None:
    """Take an alias away."""
    outcome = SETTINGS.registry().remove_alias(reference)
    if SETTINGS.json:
        emit({"removed": reference if outcome.done else None, "outcome": outcome})
        return
    say(outcome_line(f"removed {reference}", f"remove {reference}", outcome))
