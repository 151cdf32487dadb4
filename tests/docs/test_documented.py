"""What a user can type or ask for has to be in the documentation."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regtui.capture.events import KINDS
from regtui.capture.recogniser import Recogniser
from regtui.cli.lazy import COMMANDS, root
from regtui.core import errors
from regtui.core.query.fields import FIELDS
from regtui.replica.database import Connection, duckdb
from regtui.replica.migrate import apply_all

DOCS = Path(__file__).parents[2] / "docs"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def schema() -> Iterator[Connection]:
    with duckdb.connect(":memory:") as connection:
        apply_all(connection, now=0)
        yield connection


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_its_own_options_are_documented(command: str) -> None:
    text = page("commands.md")
    found = root().get_command(None, command)
    common = {option for parameter in root().params for option in parameter.opts}

    names = [f"`{command}"] + [
        option
        for parameter in found.params
        for option in parameter.opts
        if option.startswith("--") and option not in {*common, "--help"}
    ]

    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("field", FIELDS.values(), ids=lambda field: field.name)
def test_every_field_of_the_query_language_is_documented_with_its_example(field: object) -> None:
    text = page("queries.md")

    assert f"`{field.example}`" in text  # type: ignore[attr-defined]
    assert f"| `{field.name}" in text  # type: ignore[attr-defined]


def test_every_view_is_documented_with_its_columns_in_order(schema: Connection) -> None:
    rows = schema.execute(
        "select view_name, string_agg(c.column_name, ', ' order by c.column_index) "
        "from duckdb_views() v join duckdb_columns() c on c.table_name = v.view_name "
        "where not v.internal and v.schema_name = 'main' and c.schema_name = 'main' group by all"
    ).fetchall()
    text = page("sql.md")

    assert rows
    assert [
        f"| `{view}` | {columns}" for view, columns in rows if f"| `{view}` | {columns}" not in text
    ] == []


def test_every_exit_code_is_documented() -> None:
    text = page("scripting.md")
    kinds: list[type[errors.RegtuiError]] = [errors.RegtuiError]
    kinds += errors.RegtuiError.__subclasses__()

    assert [kind.__name__ for kind in kinds if f"| {kind.exit_code} |" not in text] == []


def test_every_event_of_a_watcher_is_documented_with_what_it_means() -> None:
    text = page("capture.md")
    schema = json.loads((DOCS / "schemas" / "watch.json").read_text(encoding="utf-8"))

    assert [kind for kind, told in KINDS.items() if f"| `{kind}` | {told} |" not in text] == []
    assert schema["properties"]["event"]["enum"] == list(KINDS)


def test_everything_that_a_recogniser_has_is_documented() -> None:
    text = page("capture.md").partition("### A trainer of your own")[2]

    assert [name for name in Recogniser.__struct_fields__ if f"`{name}`" not in text] == []


def program(name: str) -> Any:
    """Load a program of the documentation as a module."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_key_of_the_app_is_documented() -> None:
    keys = program("keys")

    assert page("app.md") == keys.with_keys(page("app.md")), "run `just keys`"


def test_pictures_are_those_that_the_tests_of_the_app_compare() -> None:
    pairs = program("pictures").pairs()

    stale = [one.name for one, other in pairs.items() if one.read_bytes() != other.read_bytes()]
    assert stale == [], "run `just pictures`"
    assert set((DOCS / "pictures").iterdir()) == set(pairs)


def test_every_picture_is_shown() -> None:
    pages = [file.read_text(encoding="utf-8") for file in DOCS.glob("*.md")]

    pictures = [file.name for file in (DOCS / "pictures").iterdir()]
    assert [name for name in pictures if not any(f"(pictures/{name})" in p for p in pages)] == []
