"""`regtui show`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, number_text, say, size_text, table
from regtui.cli.settings import SETTINGS

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.registry.answers import VersionAnswer

app = single()


@app.command()
def show(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF",
            help="MODEL, MODEL@ALIAS, MODEL@7, MODEL@latest or :SHORTID.",
            autocompletion=complete.references,
        ),
    ],
    files: Annotated[bool, typer.Option("--files", help="List the files of a version.")] = False,
    card: Annotated[bool, typer.Option("--card", help="Print the card of a model.")] = False,
) -> None:
    """Show everything of a model or version."""
    registry = SETTINGS.registry()
    if files:
        _files(registry, reference)
    elif card:
        text = registry.card(reference)
        emit({"card": text}) if SETTINGS.json else say(text.rstrip("\n"))
    elif "@" in reference or reference.startswith(":"):
        version = registry.version(reference)
        emit({"version": version}) if SETTINGS.json else say(_version(version))
    else:
        _model(registry, reference)


def _files(registry: "Registry", reference: str) -> None:
    version, found = registry.files(reference)
    if SETTINGS.json:
        emit({"files": found})
        return
    rows = [[f.path, size_text(f.size), "x" if f.executable else "", f.digest[:16]] for f in found]
    say(table([version.reference, "SIZE", "", "DIGEST"], rows, right="SIZE"))


def _version(version: "VersionAnswer") -> str:
    lines = [
        ("version", f"{version.reference}  {version.short_id}"),
        ("state", version.state + (" (pending)" if version.pending else "")),
        ("aliases", ", ".join(version.aliases)),
        ("description", version.description or ""),
        ("created", f"{version.created} by {version.author}"),
        ("source", version.source or ""),
        ("files", f"{version.files}, {size_text(version.size)}"),
        ("digest", version.digest),
        *(("metric", f"{n} = {_metric(version, n)}") for n in version.metrics),
        *(("param", f"{name} = {value}") for name, value in version.params.items()),
        *(("tag", f"{name} = {value}") for name, value in version.tags.items()),
        *(("parent", parent) for parent in version.parents),
        *(("input", f"{name} = {value['uri']}") for name, value in version.inputs.items()),
    ]
    return _aligned(lines)


def _metric(version: "VersionAnswer", name: str) -> str:
    step = version.steps.get(name)
    return number_text(version.metrics[name]) + ("" if step is None else f" at step {step}")


def _model(registry: "Registry", reference: str) -> None:
    model = registry.model(reference)
    if SETTINGS.json:
        emit({"model": model})
        return
    primary = f"{model.primary_metric} ({model.direction})" if model.primary_metric else ""
    lines = [
        ("model", model.model),
        ("name", model.display_name if model.display_name != model.model else ""),
        ("state", model.state),
        ("description", model.description or ""),
        ("versions", str(model.versions)),
        ("primary", primary),
        ("owners", ", ".join(model.owners)),
        ("created", f"{model.created} by {model.author}"),
        *(("alias", f"{name} → {number}") for name, number in model.aliases.items()),
        *(("tag", f"{name} = {value}") for name, value in model.tags.items()),
    ]
    say(_aligned(lines))


def _aligned(lines: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    before = ""
    for name, value in lines:
        if value:
            label = "" if name == before else name
            shown += [f"{label:<12} {part}" for part in value.splitlines()]
            before = name
    return "\n".join(shown)
