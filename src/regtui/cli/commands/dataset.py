"""`regtui dataset put | ls | show | rm`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete, values
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import age_text

if TYPE_CHECKING:
    from regtui.registry.answers_records import DatasetAnswer, MadeFrom

app = group("Make datasets known, list and remove them.")

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete.datasets)]


@app.command()
def put(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Such as team/reviews.", autocompletion=complete.datasets
        ),
    ],
    uri: Annotated[str | None, typer.Argument(help="Where it is; a known one keeps its.")] = None,
    digest: Annotated[
        str | None, typer.Option(help="Of its content, as you have one; empty takes it away.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", "-d")] = None,
    tag: Annotated[list[str], typer.Option(help="NAME=VALUE; an empty value takes it away.")] = [],
) -> None:
    """Make a dataset known, or change what is known of it."""
    given = {"uri": uri, "digest": digest, "description": description}
    wanted: dict[str, Any] = {path: value for path, value in given.items() if value is not None}
    if description == "":
        wanted["description"] = None
    pairs = values.pairs(tag, "--tag")
    wanted |= {f"tags/{key}": value or None for key, value in pairs.items()}
    dataset, changed = SETTINGS.registry().put_dataset(name, wanted)
    if SETTINGS.json:
        emit({"dataset": dataset, "changed": changed})
        return
    say(f"{name} is at {dataset.uri}" if changed else f"{name} is so already")


@app.command()
def ls(
    pattern: Annotated[
        str | None,
        typer.Argument(help="A name, its beginning, or a glob.", autocompletion=complete.datasets),
    ] = None,
) -> None:
    """List datasets."""
    found = SETTINGS.registry().datasets(pattern)
    if SETTINGS.json:
        emit({"datasets": found})
        return
    if not found:
        hint = "no datasets yet; `regtui dataset put NAME URI` makes one known"
        warn("no dataset matches" if pattern else hint)
        return
    rows = [
        [one.dataset, one.uri, str(one.versions), one.author, age_text(one.created)]
        for one in found
    ]
    headings = ("DATASET", "URI", "VERSIONS", "AUTHOR", "AGE")
    say(table(headings, rows, right="VERSIONS AGE"))


@app.command()
def show(name: Name) -> None:
    """Show a dataset and the versions that were made from it."""
    registry = SETTINGS.registry()
    dataset, versions = registry.dataset(name), registry.made_from(name)
    if SETTINGS.json:
        emit({"dataset": dataset, "versions": versions})
        return
    say(_shown(dataset, versions))


@app.command("rm")
def remove(name: Name) -> None:
    """Remove a dataset; versions that were made from it keep its address."""
    dataset = SETTINGS.registry().remove_dataset(name)
    if SETTINGS.json:
        emit({"dataset": dataset})
        return
    say(f"removed {dataset.dataset}")


def _shown(dataset: "DatasetAnswer", versions: "list[MadeFrom]") -> str:
    lines = [
        ("dataset", dataset.dataset),
        ("uri", dataset.uri),
        ("digest", dataset.digest or ""),
        ("description", dataset.description or ""),
        ("created", f"{dataset.created} by {dataset.author}"),
        *(("tag", f"{name} = {value}") for name, value in dataset.tags.items()),
        *(("version", _version(one, dataset.dataset)) for one in versions),
    ]
    shown: list[str] = []
    before = ""
    for name, value in lines:
        label = "" if name == before else name
        shown += [f"{label:<12} {part}" for part in value.splitlines()]
        before = name if value else before
    return "\n".join(shown)


def _version(version: "MadeFrom", dataset: str) -> str:
    """Return a version with what tells its input from the dataset as it is now."""
    notes = [] if version.input.lower() == dataset.lower() else [f"as {version.input}"]
    notes += [] if version.current else ["elsewhere or earlier"]
    notes += [version.state] if version.state != "captured" else []
    return version.reference + (f"  ({', '.join(notes)})" if notes else "")
