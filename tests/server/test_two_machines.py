"""Two homes and a real server process on a socket, by the commands that people type."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.schemas import check

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    environment = os.environ | {"REGTUI_CONFIG": str(tmp_path / "config")}
    environment.pop("REGTUI_TOKEN", None)

    def made(*words: object, program: str = "regtui") -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", program, *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False
        )

    return made


@pytest.fixture
def server(run: Run, tmp_path: Path) -> Iterator[tuple[str, str, "subprocess.Popen[str]"]]:
    data = tmp_path / "data"
    made = run("init", "--data", data, "--admin", "ann", "--json", program="sync_server")
    token = json.loads(made.stdout)["token"]
    command = [sys.executable, "-m", "sync_server", "run", "--data", str(data), "--port", "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    url = process.stdout.readline().removeprefix("listening on ").strip()
    yield url, token, process
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    process.stdout.close()


def test_two_people_converge_and_a_reader_changes_nothing(
    run: Run, server: tuple[str, str, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    url, token, _ = server
    data = tmp_path / "data"
    run("user", "add", "ben", "--data", data, program="sync_server")
    run("grant", "add", "ben", "viewer", "nlp/*", "--data", data, program="sync_server")
    made = run("token", "create", "--user", "ben", "--data", data, "--json", program="sync_server")
    tokens = {"ann": token, "ben": json.loads(made.stdout)["token"]}
    for name, secret in tokens.items():
        assert run("--home", tmp_path / name, "remote", "add", url).returncode == 0
        joined = run("--home", tmp_path / name, "login", "--token", secret)
        assert joined.returncode == 0, joined.stderr
    (tmp_path / "weights.bin").write_text("weights")
    ann, ben = ("--home", tmp_path / "ann"), ("--home", tmp_path / "ben")
    run(*ann, "capture", "weights.bin", "--model", "nlp/bert", "--alias", "champion")
    run(*ann, "capture", "weights.bin", "--model", "secret/canary")
    counts = json.loads(run(*ann, "sync", "--json").stdout)
    assert (counts["pushed"], counts["accepted"], counts["pending"]) == (5, 5, 0)
    assert json.loads(run(*ben, "sync", "--json").stdout)["pulled"] == 3
    (version,) = json.loads(run(*ben, "ls", "--json").stdout)["versions"]
    assert (version["model"], version["number"], version["aliases"]) == (
        "nlp/bert",
        1,
        ["champion"],
    )
    refused = run(*ben, "edit", "nlp/bert@1", "--tag", "a=b")
    assert refused.returncode == 4
    assert b"canary" not in (tmp_path / "ben" / "registry.duckdb").read_bytes()


def test_without_the_server_work_is_kept_and_the_exit_code_says_so(
    run: Run, server: tuple[str, str, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    url, token, process = server
    ann = ("--home", tmp_path / "ann")
    run(*ann, "remote", "add", url)
    run(*ann, "login", "--token", token)
    run(*ann, "model", "create", "bert")
    process.kill()
    process.wait()
    found = run(*ann, "sync")
    assert found.returncode == 7
    assert "your work is kept here" in found.stderr
    assert len(json.loads(run(*ann, "outbox", "ls", "--json").stdout)["outbox"]) == 1


@pytest.mark.slow
def test_a_watching_sync_sends_and_reads_by_itself(
    run: Run, server: tuple[str, str, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    url, token, _ = server
    homes = [("--home", tmp_path / name) for name in ("ann", "box")]
    made = run(
        "token", "create", "--user", "ann", "--data", tmp_path / "data", "--json",
        program="sync_server",
    )  # fmt: skip
    for home, secret in zip(homes, (token, json.loads(made.stdout)["token"]), strict=True):
        run(*home, "remote", "add", url)
        assert run(*home, "login", "--token", secret).returncode == 0
    words = [sys.executable, "-m", "regtui", *map(str, homes[1]), "sync", "--watch", "--json"]
    environment = os.environ | {"REGTUI_CONFIG": str(tmp_path / "config")}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as watching:
        assert watching.stdout is not None
        run(*homes[0], "model", "create", "bert")
        run(*homes[0], "sync")
        assert json.loads(watching.stdout.readline())["pulled"] == 1
        run(*homes[1], "model", "create", "gpt")
        assert json.loads(watching.stdout.readline())["accepted"] == 1
        watching.send_signal(signal.SIGINT)
        assert watching.wait(20) == 0
    assert json.loads(run(*homes[0], "sync", "--json").stdout)["pulled"] == 1


@pytest.mark.slow
def test_a_registry_is_published_and_its_files_are_pulled_by_commands(
    run: Run, server: tuple[str, str, "subprocess.Popen[str]"], tmp_path: Path
) -> None:
    url, token, _ = server
    ann, late = ("--home", tmp_path / "ann"), ("--home", tmp_path / "late")
    (tmp_path / "weights.bin").write_text("weights")
    run(*ann, "capture", "weights.bin", "--model", "nlp/bert")
    run(*ann, "remote", "add", url)
    assert "sync --publish" in run(*ann, "login", "--token", token).stdout
    refused = run(*ann, "sync", "--publish")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--yes does it" in refused.stderr
    planned = json.loads(run(*ann, "sync", "--publish", "--dry-run", "--json").stdout)
    check(planned, "publication")
    assert planned["publication"]["operations"] == 2
    done = json.loads(run(*ann, "sync", "--publish", "--yes", "--json").stdout)
    check(done, "sync")
    assert (done["accepted"], done["sent_files"]) == (2, 1)
    made = run(*ann, "token", "create", "--user", "ann", "--json")
    run(*late, "remote", "add", url)
    run(*late, "login", "--token", json.loads(made.stdout)["token"])
    run(*late, "sync")
    pulled = json.loads(run(*late, "pull", "nlp/bert@1", "--json").stdout)
    check(pulled, "pull")
    assert (pulled["files"], pulled["bytes"]) == (1, 7)
    assert run(*late, "checkout", "nlp/bert@1", tmp_path / "out").returncode == 0
    audited = json.loads(run(*late, "audit", "verify", "--remote", "--json").stdout)
    check(audited, "audit")
    assert audited["remote"] == {"streams": 1, "operations": 2, "proven": 2, "unread": 0}
    assert run(*late, "pull", "nlp/bert@2").returncode == 3
    assert run(*late, "sync", "--artifacts", "some").returncode == 2
    assert run(*late, "sync", "--yes").returncode == 2
