import os
import stat
from pathlib import Path

import pytest

from tests.cli.process import Regtui


def test_home_on_the_line_goes_before_the_environment(ranker: Regtui, tmp_path: Path) -> None:
    assert ranker.json("ls", "--home", tmp_path / "other")["versions"] == []
    assert ranker.json("--home", tmp_path / "other", "ls")["versions"] == []
    assert (tmp_path / "other" / "registry.duckdb").exists()
    assert len(ranker.json("ls")["versions"]) == 1


def test_the_nearest_folder_upwards_is_the_home(
    ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    (project / "src" / "deep").mkdir(parents=True)
    ranker.home.rename(project / ".regtui")
    monkeypatch.delenv("REGTUI_HOME")
    monkeypatch.chdir(project / "src" / "deep")
    assert len(ranker.json("ls")["versions"]) == 1


def test_without_a_folder_upwards_the_users_own_is_the_home(
    regtui: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REGTUI_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    assert regtui.json("ls")["versions"] == []
    found = [path.parent for path in tmp_path.rglob("registry.duckdb")]
    assert [folder.name for folder in found] == ["regtui"]


def test_a_home_is_private_and_hidden_from_git(ranker: Regtui, tmp_path: Path) -> None:
    ranker.json("ls", "--home", tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    assert (tmp_path / "new" / ".gitignore").read_text(encoding="utf-8") == "*\n"
    (key,) = (tmp_path / "config" / "keys").iterdir()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_a_tilde_is_the_users_folder(
    ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert len(ranker.json("ls", "--home", "~/home")["versions"]) == 1


@pytest.mark.parametrize("home", ["", "~nobody-of-this-name/x"])
def test_a_home_that_is_no_folder_is_refused(regtui: Regtui, home: str) -> None:
    answer = regtui("ls", "--home", home)
    assert answer.code == 2
    assert "no folder" in answer.error


def test_quiet_prints_errors_only(ranker: Regtui) -> None:
    for arguments in (["ls"], ["show", "team/ranker"], ["edit", "team/ranker", "-d", "x"]):
        answer = ranker(*arguments, "--quiet")
        assert answer == (0, "", "")
    assert ranker("ls", "nonesuch", "-q") == (0, "", "")
    assert ranker("-q", "show", "nobody").error.startswith("there is no model")


def test_one_command_line_leaves_the_next_one_alone(ranker: Regtui) -> None:
    ranker("ls", "--json", "--quiet", "--home", "elsewhere", "--nope")
    assert ranker("ls").out.startswith("VERSION")


@pytest.mark.parametrize(
    ("name", "value"),
    [("REGTUI_WAIT", "soon"), ("REGTUI_MEMORY", "much"), ("REGTUI_MEMORY", "1KB")],
)
def test_settings_that_make_no_sense_are_named(
    ranker: Regtui, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    answer = ranker("ls")
    assert answer.code in {1, 2}
    assert name in answer.error


def test_nothing_is_coloured(ranker: Regtui) -> None:
    ranker.environment["NO_COLOR"] = "1"
    for arguments in (["ls"], ["show", "nobody"], ["--help"], ["ls", "--no-color"]):
        answer = ranker.process(*arguments)
        assert "\x1b" not in answer.out + answer.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_a_user_without_a_name_can_work(regtui: Regtui, tmp_path: Path, run: Path) -> None:
    tmp_path.chmod(0o777)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        regtui.environment.pop(name, None)
    answer = regtui.process("capture", run, "--json", user=54_321)
    assert answer.code == 0, answer
    assert answer.json["version"]["author"] == "uid-54321"
