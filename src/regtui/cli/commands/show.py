"""`regtui show`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete
from regtui.cli.color import Painted, say_painted
from regtui.cli.commands import single
from regtui.cli.output import CONTESTED, emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import number_text, size_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.registry import Registry
    from regtui.registry.answers import FileAnswer, VersionAnswer
    from regtui.registry.answers_records import CommentAnswer

app = single()

COMMENTS = 5
"""That are shown; `regtui comments` lists all."""

NOTES = 20
"""Lines below the list of files; `--json` tells everything of each file."""

Part = tuple[dict[str, Any], list[Painted]]
"""One part of an answer: its fields for scripts, its lines for people."""


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
    files: Annotated[
        bool, typer.Option("--files", help="List the files of a version, and how safe they are.")
    ] = False,
    tensors: Annotated[
        bool, typer.Option("--tensors", help="List the tensors in the files of a version.")
    ] = False,
    card: Annotated[bool, typer.Option("--card", help="Print the card of the model.")] = False,
    context: Annotated[
        bool, typer.Option("--context", help="Tell where a version was found, and its run.")
    ] = False,
    lineage: Annotated[
        bool, typer.Option("--lineage", help="List direct parents, children and datasets.")
    ] = False,
) -> None:
    """Show everything of a model or version.

    The options may be combined; each adds a part.
    """
    registry = SETTINGS.registry()
    wanted = {
        _card: card, _files: files, _tensors: tensors, _context: context, _lineage: lineage,
    }  # fmt: skip
    parts = [part for part, asked in wanted.items() if asked]
    if not parts:
        _whole(registry, reference)
        return
    shown = [part(registry, reference) for part in parts]
    if SETTINGS.json:
        emit({name: value for answer, _ in shown for name, value in answer.items()})
        return
    for place, (_, lines) in enumerate(shown):
        say_painted([("", ""), *lines] if place else lines)


def _whole(registry: "Registry", reference: str) -> None:
    if _names_version(reference):
        version = registry.version(reference)
        said = registry.comments(version.short_id)
        if SETTINGS.json:
            emit({"version": version, "comments": said})
            return
        say(_version(version))
        _say_comments(said)
    else:
        _model(registry, reference)


def _names_version(reference: str) -> bool:
    return "@" in reference or reference.startswith(":")


def _card(registry: "Registry", reference: str) -> Part:
    model = registry.version(reference).model if _names_version(reference) else reference
    text = registry.card(model)
    if not text and not SETTINGS.json:
        warn(f"{model} has no card yet; `regtui edit {model}` writes one")
    return {"card": text}, [(line, "") for line in text.rstrip("\n").split("\n")] if text else []


def _context(registry: "Registry", reference: str) -> Part:
    places = registry.places(reference)
    lines: list[Painted] = []
    for place in places:
        facts = [
            ("place", f"{place.folder.rstrip('/')}/{place.name}"),
            ("host", place.host),
            ("run", place.run or ""),
            ("captured", f"{place.at} by {place.author}"),
            *(("context", f"{name} = {_text(value)}") for name, value in _flat(place.context)),
        ]
        lines += [("", "")] if lines else []
        lines += [(line, "") for line in _aligned(facts).split("\n")]
    return {"places": places}, lines


def _flat(context: "Mapping[str, Any]") -> "list[tuple[str, Any]]":
    from regtui.registry.surroundings import flat

    return sorted(flat(context).items())


def _text(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def _lineage(registry: "Registry", reference: str) -> Part:
    from regtui.cli.lineage_tree import tree

    found = registry.lineage(reference, depth=1)
    return {"lineage": found}, [line for line in tree(found) if "--depth" not in line[0]]


def _files(registry: "Registry", reference: str) -> Part:
    version, found = registry.files(reference)
    headings = [version.reference, "SIZE", "", "FORMAT", "SAFETY", "TENSORS", "DIGEST"]
    rows = [
        [
            file.path,
            size_text(file.size),
            "x" if file.executable else "",
            file.format,
            file.safety.upper() if file.safety == "dangerous" else file.safety,
            str(file.tensors or ""),
            file.digest[:12],
        ]
        for file in found
    ]
    heading, *lines = table(headings, rows, right="SIZE TENSORS").split("\n")
    colors = ["bad" if file.safety == "dangerous" else "" for file in found]
    painted = [(heading, ""), *zip(lines, colors, strict=True)]
    notes = [(note, "") for file in found for note in _notes(file)]
    if len(notes) > NOTES:
        notes[NOTES:] = [(f"… and {len(notes) - NOTES} more", "")]
    return {"files": found}, [*painted, *([("", "")] if notes else []), *notes]


def _notes(file: "FileAnswer") -> list[str]:
    """Return what has to be said of a file beside its row."""
    notes = []
    if file.safety == "dangerous":
        from regtui.registry.capture_layouts import reason

        notes.append(f"dangerous: {file.path}: {reason(file.globals, file.problem)}")
    elif file.problem:
        notes.append(f"{file.safety}: {file.path}: {file.problem}")
    elif file.complete is False:
        notes.append(f"incomplete: {file.path} ends too early")
    return notes


def _tensors(registry: "Registry", reference: str) -> Part:
    version, found = registry.tensors(reference)
    headings = [version.reference, "TENSOR", "DTYPE", "SHAPE", "SIZE", "DIGEST"]
    rows = [
        [
            tensor.path,
            tensor.tensor,
            tensor.dtype,
            "x".join(map(str, tensor.shape)),
            size_text(tensor.size) if tensor.size else "",
            (tensor.digest or "")[:12],
        ]
        for tensor in found
    ]
    if not found and not SETTINGS.json:
        warn(f"{version.reference} has no tensors in a format that is understood")
        return {"tensors": found}, []
    lines = table(headings, rows, right="SIZE")
    return {"tensors": found}, [(line, "") for line in lines.split("\n")]


def _version(version: "VersionAnswer") -> str:
    lines = [
        ("version", f"{version.reference}  {version.short_id}"),
        ("state", version.state + (" (pending)" if version.pending else "")),
        ("aliases", ", ".join(n + CONTESTED * (n in version.contested) for n in version.aliases)),
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
    said = registry.comments(model.model)
    if SETTINGS.json:
        emit({"model": model, "comments": said})
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
    _say_comments(said)


def _say_comments(said: "list[CommentAnswer]") -> None:
    """Print the newest comments below what they are about."""
    from regtui.cli.comment_text import shown

    newest = said[-COMMENTS:]
    if newest:
        say("\n" + "\n\n".join(shown(newest)))
    if len(said) > COMMENTS:
        warn(f"{len(said) - COMMENTS} earlier comments; `regtui comments` lists all")


def _aligned(lines: list[tuple[str, str]]) -> str:
    shown: list[str] = []
    before = ""
    for name, value in lines:
        if value:
            label = "" if name == before else name
            shown += [f"{label:<12} {part}" for part in value.splitlines()]
            before = name
    return "\n".join(shown)
