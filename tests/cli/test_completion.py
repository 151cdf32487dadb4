"""Completion through the shell's own door, and what it says of the registry."""

import pytest

from regtui.cli import complete
from regtui.cli.settings import SETTINGS
from regtui.replica.locks import ReplicaLock
from tests.cli.process import Regtui


def typed(regtui: Regtui, line: str) -> list[str]:
    """Return what bash offers after a line was typed and the tab key pressed."""
    words = line.split(" ")
    answer = regtui.process(
        environment={
            "_REGTUI_COMPLETE": "complete_bash",
            "COMP_WORDS": line,
            "COMP_CWORD": str(len(words) - 1),
        }
    )
    assert answer.err == ""
    return answer.out.split()


def test_commands_are_completed(regtui: Regtui) -> None:
    assert typed(regtui, "regtui mod") == ["models", "model"]
    assert not regtui.home.exists()


def test_models_versions_and_aliases_are_completed_through_the_shell(ranker: Regtui) -> None:
    assert typed(ranker, "regtui show te") == ["team/ranker"]
    assert typed(ranker, "regtui checkout team/ranker@c") == ["team/ranker@champion"]


def test_the_home_on_the_line_counts(ranker: Regtui) -> None:
    ranker.environment["REGTUI_HOME"] = str(ranker.home.parent / "other")
    assert typed(ranker, "regtui show te") == []
    assert typed(ranker, f"regtui --home {ranker.home} show te") == ["team/ranker"]


@pytest.fixture
def _settings(ranker: Regtui) -> None:
    SETTINGS.reset()


@pytest.mark.usefixtures("_settings")
def test_references_are_completed() -> None:
    assert complete.models("Te") == ["team/ranker"]
    assert complete.references("") == ["team/ranker"]
    assert complete.references("team/ranker@") == [
        "team/ranker@champion", "team/ranker@1", "team/ranker@latest", "team/ranker@best"
    ]  # fmt: skip
    assert complete.references("team/ranker@l") == ["team/ranker@latest"]
    assert complete.aliases("c") == ["champion"]


@pytest.mark.usefixtures("_settings")
@pytest.mark.parametrize("word", ["nobody@", "'", "%", "\udcff", "@", "a@b@c", "\0"])
def test_strange_words_complete_to_nothing(word: str) -> None:
    assert [
        name for name in complete.references(word) if not name.endswith(("latest", "best"))
    ] == []
    assert complete.aliases(word) == []


def test_a_busy_registry_completes_to_nothing_soon(
    ranker: Regtui, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_WAIT", "0.01")
    SETTINGS.reset()
    with ReplicaLock(ranker.home).exclusive():
        assert complete.models("") == []


def test_a_damaged_registry_completes_to_nothing(ranker: Regtui) -> None:
    (ranker.home / "registry.duckdb").write_bytes(b"garbage")
    SETTINGS.reset()
    assert complete.models("") == []


@pytest.mark.usefixtures("_settings")
def test_what_access_is_about_is_completed() -> None:
    assert complete.scopes("") == ["*", "team/*", "team/ranker"]
    assert complete.scopes("team/r") == ["team/ranker"]
    assert complete.roles("Vi") == ["viewer"]
    assert len(complete.roles("")) == 6
    assert complete.user_states("d") == ["disabled"]
    assert len(complete.people("")) == 1
