"""`regtui du`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import size_text

if TYPE_CHECKING:
    from regtui.registry.du import ModelUsage, StoreUsage, VersionUsage

app = single()

ALIGNED = "VERSIONS FILES TOTAL UNIQUE SHARED BYTES"


@app.command()
def du(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL|REF]",
            help="A model, for its versions, or one version.",
            autocompletion=complete.references,
        ),
    ] = None,
) -> None:
    """Tell how many bytes models and versions need.

    TOTAL counts every file that versions name, UNIQUE the stored bytes that nothing else needs,
    SHARED those that others need too. Deleted versions count for nothing, nor do
    archived ones under a rule of retention.
    """
    usage = SETTINGS.registry().du(reference)
    if SETTINGS.json:
        emit(usage)
        return
    if usage.versions is not None:
        _print_versions(usage.versions)
        return
    if usage.models:
        _print_models(usage.models)
    if usage.store is not None:
        _print_store(usage.store)


def _print_models(models: "list[ModelUsage]") -> None:
    rows = [[one.model, str(one.versions), str(one.files), *_sizes(one)] for one in models]
    headings = ("MODEL", "VERSIONS", "FILES", "TOTAL", "UNIQUE", "SHARED")
    say(table(headings, rows, right=ALIGNED) + "\n")


def _print_versions(versions: "list[VersionUsage]") -> None:
    if not versions:
        warn("no versions")
        return
    rows = [
        [f"{one.model}@{one.number or one.id}", one.state, str(one.files), *_sizes(one)]
        for one in versions
    ]
    say(table(("VERSION", "STATE", "FILES", "TOTAL", "UNIQUE", "SHARED"), rows, right=ALIGNED))


def _print_store(store: "StoreUsage") -> None:
    rows = [
        [name, str(amount.files), size_text(amount.bytes)]
        for name in store.__struct_fields__
        if (amount := getattr(store, name)).files or name in {"objects", "database"}
    ]
    say(table(("IN THE HOME", "FILES", "BYTES"), rows, right=ALIGNED))


def _sizes(one: "ModelUsage | VersionUsage") -> list[str]:
    return [size_text(one.total), size_text(one.unique), size_text(one.shared)]
