import importlib
import inspect

import pytest
from typer.main import get_command

from regtui import __version__
from regtui.cli.lazy import COMMANDS
from tests.cli.process import Regtui

GROUPS = {
    "alias", "comment", "dataset", "grant", "model", "outbox", "remote", "replica", "team", "token",
    "user", "version",
}  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_of_commands_says_what_their_docstrings_say(name: str) -> None:
    module, text = COMMANDS[name]
    command = get_command(importlib.import_module(f"regtui.cli.commands.{module}").app)
    assert text == (command.help or "").splitlines()[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_the_common_options(regtui: Regtui, name: str) -> None:
    answer = regtui(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"Usage: regtui {name} ")
    for option in ("--json", "--quiet", "--home", "--debug", "--no-color", "--yes"):
        assert option in answer.out


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_every_command_of_a_group_has_help(regtui: Regtui, name: str) -> None:
    group = get_command(importlib.import_module(f"regtui.cli.commands.{name}").app)
    commands = getattr(group, "commands")  # noqa: B009 -- the type of a group is not public
    for child, command in commands.items():
        out = regtui(name, child, "-h").out
        assert out.startswith(f"Usage: regtui {name} {child} ")
        assert (inspect.getdoc(command.callback) or "?").splitlines()[0] in out
        assert "--json" in out


@pytest.mark.parametrize("name", sorted(GROUPS))
def test_a_group_alone_shows_its_help(regtui: Regtui, name: str) -> None:
    assert regtui(name).out == regtui(name, "--help").out


def test_help_lists_every_command_and_makes_no_registry(regtui: Regtui) -> None:
    out = regtui().out
    assert out == regtui("--help").out
    for name, (_, text) in COMMANDS.items():
        assert f"  {name} " in out
        assert text in out
    assert not regtui.home.exists()


def test_the_version_is_printed(regtui: Regtui) -> None:
    assert regtui("--version").out == f"regtui {__version__}\n"


def test_a_misspelt_command_is_answered_with_a_near_one(regtui: Regtui) -> None:
    answer = regtui("captur")
    assert answer.code == 2
    assert answer.error.startswith("there is no command 'captur'; did you mean capture?")
    assert regtui("zzz").error.startswith("there is no command 'zzz'; `regtui --help` lists them")


def test_errors_are_one_document_with_json(ranker: Regtui) -> None:
    from tests.cli.schemas import check

    for arguments in (
        ["show", "nobody", "--json"], ["--json", "show", "nobody"], ["show", "--json"],
        ["--json", "zzz"], ["ls", "--json", "--nope"], ["--json", "alias", "zzz"],
    ):  # fmt: skip
        answer = ranker(*arguments)
        assert answer.code in {2, 3}
        assert answer.err == ""
        check(answer.json, "error")


def test_debug_shows_the_traceback(ranker: Regtui) -> None:
    answer = ranker("show", "nobody", "--debug")
    assert answer.code == 3
    assert "Traceback" in answer.err
    assert answer.err.endswith("regtui: there is no model 'nobody'; did you mean team/ranker?\n")
