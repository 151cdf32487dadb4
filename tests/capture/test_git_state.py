"""What git tells of the folder in which a run was started."""

import subprocess
from pathlib import Path

import pytest

from regtui.capture import git_state as module
from regtui.capture.git_state import git_state
from regtui.capture.redaction import HIDDEN


def git(folder: Path, *arguments: str) -> str:
    names = [
        "-c",
        "user.name=ann",
        "-c",
        "user.email=ann@example.org",
        "-c",
        "commit.gpgsign=false",
    ]
    done = subprocess.run(
        ["git", "-C", str(folder), *names, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init", "--initial-branch=main")
    (tmp_path / "train.py").write_text("lr = 0.1\n", encoding="utf-8")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_a_clean_repository(repository: Path) -> None:
    git(repository, "remote", "add", "origin", "https://ann:geheim@example.org/team/repo.git")
    (repository / "runs").mkdir()

    found = git_state(repository / "runs")

    assert found is not None
    assert found.commit == git(repository, "rev-parse", "HEAD")
    assert (found.branch, found.dirty, found.diff) == ("main", False, None)
    assert found.remote == f"https://ann:{HIDDEN}@example.org/team/repo.git"


def test_changed_files_are_told_with_their_changes(repository: Path) -> None:
    (repository / "train.py").write_text("lr = 0.2\napi_key = 'geheim'\n", encoding="utf-8")

    found = git_state(repository)

    assert found is not None
    assert found.dirty
    assert found.diff is not None
    assert "+lr = 0.2" in found.diff
    assert "geheim" not in found.diff
    plain = git_state(repository, with_diff=False)
    assert plain is not None
    assert (plain.dirty, plain.diff) == (True, None)


def test_outputs_that_git_does_not_follow_make_nothing_dirty(repository: Path) -> None:
    (repository / "model.bin").write_bytes(b"x")
    found = git_state(repository)
    assert found is not None
    assert not found.dirty


def test_a_diff_too_long_to_keep_is_left_out(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DIFF_LIMIT", 10)
    (repository / "train.py").write_text("lr = 0.2\n", encoding="utf-8")
    found = git_state(repository)
    assert found is not None
    assert (found.dirty, found.diff) == (True, None)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "--initial-branch=main")
    found = git_state(tmp_path)
    assert found is not None
    assert (found.commit, found.branch) == (None, "main")


def test_no_repository_and_no_git_tell_nothing(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_state(tmp_path / "nowhere") is None
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert git_state(repository) is None
