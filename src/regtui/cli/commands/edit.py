"""`regtui edit`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete, values
from regtui.cli.commands import single
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, RegtuiError
from regtui.registry.editor import edit_text, keep
from regtui.registry.typed_values import input_uris, value_of

if TYPE_CHECKING:
    from regtui.registry import Registry

app = single()

KEYED = {
    "tag": "tags",
    "param": "params",
    "metric": "metrics",
    "owner": "owners",
    "input": "inputs",
}


@app.command()
def edit(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="A model or version.", autocompletion=complete.references
        ),
    ],
    set_: Annotated[
        list[str],
        typer.Option("--set", help="FIELD=VALUE, such as primary_metric=f1 or param.lr=0.1."),
    ] = [],
    unset: Annotated[
        list[str], typer.Option(help="Take a value away: FIELD, tag.NAME, metric.NAME …")
    ] = [],
    tag: Annotated[list[str], typer.Option(help="NAME=VALUE.")] = [],
    metric: Annotated[list[str], typer.Option(help="NAME=VALUE or NAME=VALUE@STEP.")] = [],
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
    description: Annotated[str | None, typer.Option("--description", "-d")] = None,
) -> None:
    """Change values of a model or version.

    Without options it opens $EDITOR on the card of a model.
    """
    parents = [name for name in unset if name.startswith("parent.")]
    wanted = _wanted(set_, [name for name in unset if name not in parents], tag, metric)
    if description is not None:
        wanted["description"] = description or None
    registry = SETTINGS.registry()
    if parent or input_ or parents:
        without = [name.removeprefix("parent.") for name in parents]
        inputs = input_uris(input_)
        wanted |= registry.origins(reference, inputs=inputs, parents=parent, without=without)
    changed = registry.edit(reference, wanted) if wanted else _edit_card(registry, reference)
    if SETTINGS.json:
        is_version = "@" in reference or reference.startswith(":")
        shown: Any = registry.version(reference) if is_version else registry.model(reference)
        emit({"version" if is_version else "model": shown, "changed": changed})
    else:
        say(f"changed {reference}" if changed else f"{reference} is so already")


def _wanted(set_: list[str], unset: list[str], tag: list[str], metric: list[str]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for name, text in values.pairs(set_, "--set").items():
        wanted[_path(name)] = _value(name, text) if text or "." in name else None
    for name in unset:
        wanted[_path(name)] = None
    for name, text in values.pairs(tag, "--tag").items():
        wanted[f"tags/{name}"] = text
    for name, (value, step) in values.metrics(metric).items():
        wanted[f"metrics/{name}"] = {"value": value, "step": step}
    return wanted


def _path(name: str) -> str:
    field, dot, key = name.partition(".")
    return f"{KEYED[field]}/{key}" if dot and key and field in KEYED else name


def _value(name: str, text: str) -> Any:
    field, dot, key = name.partition(".")
    return value_of(KEYED.get(field, field), key, text) if dot else text


def _edit_card(registry: "Registry", reference: str) -> bool:
    """Open the editor on a model's card; saving it unchanged changes nothing."""
    if "@" in reference or reference.startswith(":"):
        raise BadInput(
            "nothing to change", "give --set, --tag, --metric, --input, --parent or --description"
        )
    written = ""

    def editor(card: str) -> str:
        nonlocal written
        shown = card or f"# {reference}\n"
        written = edit_text(shown, suffix=".md")
        if card and not written.strip():
            warn(f"an empty text keeps the card; `regtui edit {reference} --unset card` removes it")
            return card
        return card if written == shown else written

    try:
        return registry.edit_card(reference, editor)
    except RegtuiError as error:
        if not written:
            raise
        raise type(error)(error.message, f"your text is in {keep(written, '.md')}") from error
