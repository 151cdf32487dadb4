"""What an operator can type or choose has to be on the page about the server."""

from pathlib import Path

import msgspec
import pytest
import typer

from sync_server.commands import app
from sync_server.configuration import Configuration

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    root = typer.main.get_command(app)
    names = []
    for name, one in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(one, "commands", None)
        names += [name] if inner is None else [f"{name} {sub}" for sub in inner]
    return names


@pytest.mark.parametrize("name", commands())
def test_every_command_is_on_the_page(name: str) -> None:
    assert f"`{name}" in PAGE or f"regtui-server {name}" in PAGE


@pytest.mark.parametrize("field", msgspec.structs.fields(Configuration), ids=lambda one: one.name)
def test_every_choice_is_on_the_page_with_its_default(field: msgspec.structs.FieldInfo) -> None:
    (row,) = [line for line in PAGE.splitlines() if f"`{field.name}`" in line and line[0] == "|"]
    if field.default is not None:
        shown = str(field.default).lower() if isinstance(field.default, bool) else field.default
        shown = int(shown) if isinstance(shown, float) else shown
        assert str(shown) in row


def test_what_deploys_it_names_files_and_options_that_are_there() -> None:
    image = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    for line in image.splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert all((ROOT / one).exists() for one in line.split()[1:-1])
    unit = (ROOT / "deploy" / "regtui-server.service").read_text(encoding="utf-8")
    names = [f"REGTUI_SERVER_{one.upper()}" for one in Configuration.__struct_fields__]
    known = {*names, "REGTUI_SERVER_DATA", "REGTUI_SERVER_CONFIG"}
    for text in (image, unit):
        words = text.replace("=", " ").replace(",", " ").split()
        assert {one for one in words if one.startswith("REGTUI_SERVER_")} <= known
