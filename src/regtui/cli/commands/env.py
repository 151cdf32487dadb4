"""`regtui env put | ls | rm`."""

from typing import Annotated, Any

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput

app = group("Look after the environments that versions are deployed to.")

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete.environments)]


@app.command()
def put(
    name: Name,
    kind: Annotated[str | None, typer.Option(help="Such as production, staging, edge.")] = None,
    protected: Annotated[
        bool, typer.Option("--protected", help="Only maintainers deploy there.")
    ] = False,
    is_open: Annotated[
        bool, typer.Option("--open", help="Contributors deploy there, too.")
    ] = False,
    description: Annotated[str | None, typer.Option("--description", "-d")] = None,
    expect: Annotated[
        str | None, typer.Option(metavar="TIME", help="How often to hear of it, such as 5m.")
    ] = None,
) -> None:
    """Make an environment, or change it."""
    if protected and is_open:
        raise BadInput("an environment is --protected or --open", "give one of them")
    given = {"kind": kind, "description": description, "expect": expect}
    values: dict[str, Any] = {
        key: None if value == "" else value for key, value in given.items() if value is not None
    }
    if protected or is_open:
        values["protected"] = protected
    found, changed = SETTINGS.registry().put_environment(name, values)
    if SETTINGS.json:
        emit({"environment": found, "changed": changed})
        return
    word = "protected" if found.protected else "open"
    say(f"{found.environment} is {word}" if changed else f"{found.environment} is so already")


@app.command()
def ls() -> None:
    """List environments."""
    found = SETTINGS.registry().environments()
    if SETTINGS.json:
        emit({"environments": found})
        return
    if not found:
        warn("no environments yet; `regtui env put NAME` makes one")
        return
    rows = [
        [
            one.environment,
            one.kind or "",
            "protected" if one.protected else "open",
            str(one.live),
            one.expect or "",
            one.description or "",
        ]
        for one in found
    ]
    headings = ("ENVIRONMENT", "KIND", "DEPLOYING", "LIVE", "EXPECT", "DESCRIPTION")
    say(table(headings, rows, right="LIVE"))


@app.command("rm")
def remove(name: Name) -> None:
    """Remove an environment where nothing runs; its history stays."""
    found = SETTINGS.registry().remove_environment(name)
    if SETTINGS.json:
        emit({"environment": found})
        return
    say(f"removed {found.environment}")
