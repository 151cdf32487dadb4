"""The options that every command has, and what they open."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from sync_server.authority import RegistryRow
from sync_server.configuration import Configuration, configured
from sync_server.data_folder import opened
from sync_server.server import Server

Data = Annotated[
    Path,
    typer.Option("--data", metavar="DIR", envvar="REGTUI_SERVER_DATA", help="The data folder."),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        envvar="REGTUI_SERVER_CONFIG",
        help="Configuration; DIR/regtui-server.toml without.",
    ),
]
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="postgresql://…; a file in the data folder without."
    ),
]
RegistryName = Annotated[
    str | None,
    typer.Option("--registry", metavar="NAME", help="Which registry, where there are several."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def group(name: str, text: str) -> typer.Typer:
    """Return a group of commands."""
    return typer.Typer(name=name, help=text, no_args_is_help=True, rich_markup_mode=None)


def configuration_of(data: Path, config: Path | None, database: str | None) -> Configuration:
    """Return the configuration for commands that run nothing."""
    return configured(data, config, {"database": database})


@contextlib.contextmanager
def registry_of(
    data: Path, config: Path | None, database: str | None, registry: str | None
) -> Iterator[tuple[Server, RegistryRow]]:
    """Open the server of a data folder, and one of its registries."""
    with opened(data, configuration_of(data, config, database)) as server:
        yield server, server.registry(registry)
