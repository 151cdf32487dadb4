"""`regtui model create | archive | delete | restore | ls`."""

from typing import Annotated, Any

import typer

from regtui.cli import complete, values
from regtui.cli.commands import group, models
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS

app = group("Create, archive, delete and restore models.")
app.command("ls")(models.models)

Model = Annotated[str, typer.Argument(autocompletion=complete.models)]


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Such as team/model.")],
    description: Annotated[str | None, typer.Option("--description", "-d")] = None,
    primary_metric: Annotated[
        str | None, typer.Option(help="The metric that decides which version is best.")
    ] = None,
    direction: Annotated[str | None, typer.Option(help="max or min.")] = None,
    tag: Annotated[list[str], typer.Option(help="NAME=VALUE.")] = [],
) -> None:
    """Make a model; one that is there already gets the values."""
    given = {
        "description": description,
        "primary_metric": primary_metric,
        "direction": direction,
    }
    wanted: dict[str, Any] = {path: value for path, value in given.items() if value is not None}
    wanted |= {f"tags/{key}": value for key, value in values.pairs(tag, "--tag").items()}
    registry = SETTINGS.registry()
    changed = registry.create_model(name, wanted)
    if SETTINGS.json:
        emit({"model": registry.model(name), "changed": changed})
        return
    say(f"{name} is there" if changed else f"{name} is so already")


@app.command()
def archive(model: Model) -> None:
    """Put a model away; `restore` brings it back."""
    _change(model, "archive", "archived")


@app.command()
def delete(model: Model) -> None:
    """Delete a model; its history stays and `restore` brings it back."""
    _change(model, "delete", "deleted")


@app.command()
def restore(model: Model) -> None:
    """Bring back a model that was archived or deleted."""
    _change(model, "restore", "active again")


def _change(model: str, verb: str, state: str) -> None:
    changed = SETTINGS.registry().change_state("model", model, verb)
    if SETTINGS.json:
        emit({"model": model, "changed": changed})
        return
    say(f"{model} is {state}" if changed else f"{model} is {state} already")
