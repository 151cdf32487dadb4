"""`regtui version archive | delete | restore`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS

app = group("Archive, delete and restore versions.")

Reference = Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)]


@app.command()
def archive(reference: Reference) -> None:
    """Put a version away; `restore` brings it back."""
    _change(reference, "archive", "archived")


@app.command()
def delete(reference: Reference) -> None:
    """Delete a version; its record stays and `restore` brings it back.

    Its files go with a `gc` 14 days later; then `restore` brings back the record only.
    """
    _change(reference, "delete", "deleted")


@app.command()
def restore(reference: Reference) -> None:
    """Bring back a version that was archived or deleted.

    Warns where its files are gone by now: capturing the same content brings them back.
    """
    _change(reference, "restore", "captured")


def _change(reference: str, verb: str, state: str) -> None:
    registry = SETTINGS.registry()
    version = registry.version(reference)
    changed = registry.change_state("version", version.short_id, verb)
    if verb == "restore":
        _warn_of_lost_files(version.short_id)
    if SETTINGS.json:
        emit({"version": registry.version(version.short_id), "changed": changed})
        return
    say(f"{version.reference} is {state}" if changed else f"{reference} is {state} already")


def _warn_of_lost_files(reference: str) -> None:
    """Say so where a restore brought back a record without its files."""
    if not SETTINGS.registry().has_files(reference):
        warn("its files are gone; capture the same content again to bring them back")
