"""Rows of documents: which keys of others they have."""

from pathlib import Path

import pytest

import regtui
from regtui.core.documents import decode_document
from regtui.replica.projection import changed_tables, mentioned, project
from regtui.replica.unit import Replica


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))
    registry = regtui.open(tmp_path / "home")
    file = tmp_path / "weights.bin"
    for content in ("one", "two"):
        file.write_text(content)
        made = registry.capture(file, model="bert", metrics={"f1": 0.5}, tags={"env": "dev"})
        registry.set_alias(made.version.reference, "champion")
    registry.remove_alias("bert@champion")
    registry.add_comment("bert@1", "good")
    return tmp_path / "home"


def test_what_is_mentioned_are_the_keys_that_rows_ask_for(home: Path) -> None:
    with Replica(home).reading() as connection:
        bodies = connection.execute("select body from base.document").fetchall()
    kinds = set()
    for (body,) in bodies:
        document = decode_document(body)
        asked: set[str] = set()

        def key_of(identity: str, asked: set[str] = asked) -> int:
            asked.add(identity)
            return 1

        project(1, document, key_of, changed_tables(None, document))
        assert mentioned(document) == asked
        kinds.add(document.kind)
    assert kinds == {"model", "version", "alias", "comment"}
