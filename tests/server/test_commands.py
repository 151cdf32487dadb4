"""`regtui-server` as its operator types it."""

import json
import os
import signal
import socket
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from sync_server.__main__ import run
from tests.server.process import ServerProcess, command, init

Here = Callable[..., tuple[int, str, str]]


@pytest.fixture
def here(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Here:
    """Run a command in this process: starting one takes most of a second."""
    for name in os.environ:
        if name.startswith("REGTUI_"):
            monkeypatch.delenv(name)

    def made(*words: object) -> tuple[int, str, str]:
        code = run([str(one) for one in words])
        told = capsys.readouterr()
        return code, told.out, told.err

    return made


def test_init_tells_a_token_once_and_keeps_the_folder_to_itself(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made = command("init", "--data", data, "--admin", "ann", "--registry", "lab", "--json")
    assert made.code == 0
    assert {"registry", "admin", "token"} <= made.json.keys()
    assert (made.json["registry"], made.json["admin"]) == ("lab", "ann")
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "registry.sqlite").stat().st_mode) == 0o600
    again = command("init", "--data", data, "--admin", "ann", "--registry", "lab")
    assert (again.code, again.out, again.error.count("\n")) == (2, "", 1)
    assert made.json["token"].encode() not in (data / "registry.sqlite").read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        ["--admin", "a b/c"],
        ["--admin", ""],
        ["--admin", "ann", "--registry", ""],
        ["--admin", "ann", "--registry", "a\nb"],
    ],
)
def test_an_init_that_is_refused_leaves_nothing_in_the_way_of_the_next(
    here: Here, tmp_path: Path, options: list[str]
) -> None:
    data = tmp_path / "data"
    code, out, error = here("init", "--data", data, *options)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert here("init", "--data", data, "--admin", "ann")[0] == 0
    grants = json.loads(here("grant", "ls", "--data", data, "--json")[1])["grants"]
    assert [(one["holder"], one["role"]) for one in grants] == [("ann", "admin")]


def test_a_running_server_ends_what_it_began_and_exits_with_0(
    server_process: ServerProcess,
) -> None:
    answers: list[bytes] = []

    def ask() -> None:
        address = httpx.URL(server_process.url)
        with socket.create_connection((address.host, address.port or 0)) as connection:
            body = json.dumps({"name": "ben"}).encode()
            head = (
                f"POST {server_process.path('users')} HTTP/1.1\r\nHost: x\r\n"
                f"Authorization: Bearer {server_process.token}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            connection.sendall(head.encode() + body[:4])
            begun.set()
            time.sleep(0.5)
            connection.sendall(body[4:])
            answers.append(connection.recv(1 << 16))

    begun = threading.Event()
    asking = threading.Thread(target=ask)
    asking.start()
    assert begun.wait(10)
    time.sleep(0.1)
    assert server_process.stop() == 0
    asking.join()
    assert answers[0].startswith(b"HTTP/1.1 200")


def test_ctrl_c_ends_a_server_as_well(server_process: ServerProcess) -> None:
    assert server_process.stop(signal.SIGINT) == 0


def test_a_server_serves_tls(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    data = tmp_path / "data"
    init(data)
    server = ServerProcess(data, "--tls-cert", cert, "--tls-key", key)
    try:
        assert server.url.startswith("https://127.0.0.1:")
        import ssl

        trusting = ssl.create_default_context(cafile=str(cert))
        trusting.check_hostname = False
        with httpx.Client(verify=trusting) as client:
            assert client.get(f"{server.url}/readyz").json() == {"status": "ready"}
    finally:
        server.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "0.0.0.0"], "--insecure-plain-http"),
        (["--tls-cert", "/nowhere"], "needs its key"),
        (["--tls-cert", "/nowhere", "--tls-key", "/nowhere"], "there is no file /nowhere"),
        (["--config", "/nowhere"], "there is no file /nowhere"),
        (["--port", "no"], "not a valid int"),
        (["--port", "95537"], "port can't be 95537"),
        (["--port", "-5"], "port can't be -5"),
        (["--host", ""], "host is empty"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    here: Here, tmp_path: Path, options: list[str], said: str
) -> None:
    here("init", "--data", tmp_path / "data", "--admin", "ann")
    code, out, error = here("run", "--data", tmp_path / "data", *options)
    assert (code, out, error.count("\n")) == (2, "", 1)
    assert said in error


def test_a_port_that_is_taken_is_told(here: Here, tmp_path: Path) -> None:
    here("init", "--data", tmp_path / "data", "--admin", "ann")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _, error = here("run", "--data", tmp_path / "data", "--port", taken.getsockname()[1])
    assert code == 1
    assert "can't listen" in error.splitlines()[-1]


def test_a_clock_far_behind_stops_a_server_from_starting(here: Here, tmp_path: Path) -> None:
    data = tmp_path / "data"
    here("init", "--data", data, "--admin", "ann")
    ahead = (time.time_ns() // 1000) + 2 * 86_400_000_000
    connection = sqlite3.connect(data / "registry.sqlite")
    connection.execute("update registry set clock_us = ?", [ahead])
    connection.commit()
    connection.close()
    code, _, error = here("run", "--data", data, "--port", "0")
    assert code == 2
    assert "clock" in error
    server = ServerProcess(data, "--trust-clock")
    assert server.stop() == 0


def test_people_and_grants(here: Here, tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    here("init", *data, "--admin", "ann")
    assert here("user", "add", "ben", *data, "--display-name", "Ben B")[0] == 0
    assert here("user", "add", "bot", *data, "--service-of", "ben")[0] == 0
    assert here("grant", "add", "ben", "viewer", "NLP/*", *data)[0] == 0
    users = json.loads(here("user", "ls", *data, "--json")[1])["users"]
    assert [(one["name"], one["kind"], one["owner"], one["roles"]) for one in users] == [
        ("ann", "person", None, [["admin", "*"]]),
        ("ben", "person", None, [["viewer", "nlp/*"]]),
        ("bot", "service", "ben", []),
    ]
    assert here("grant", "rm", "ben", "nlp/*", *data)[0] == 0
    grants = json.loads(here("grant", "ls", *data, "--json")[1])["grants"]
    assert [(one["holder"], one["role"], one["scope"]) for one in grants] == [("ann", "admin", "*")]
    assert json.loads(here("user", "disable", "ben", *data, "--json")[1])["user"]["state"] == (
        "disabled"
    )
    assert "active" in here("user", "enable", "ben", *data)[1]


def test_teams_hand_their_roles_on_as_long_as_they_are_there(here: Here, tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    here("init", *data, "--admin", "ann")
    here("user", "add", "ben", *data)
    assert here("team", "put", "Vision", *data, "--description", "eyes")[0] == 0
    assert here("grant", "add", "team:vision", "viewer", "cv/*", *data)[0] == 0
    made = json.loads(here("team", "add", "vision", "ben", "ann", *data, "--json")[1])["team"]
    assert (made["name"], made["members"], made["state"]) == ("Vision", ["ann", "ben"], "active")
    assert here("team", "add", "vision", "nobody", *data)[0] == 3
    assert "nobody" not in here("team", "ls", *data)[1]

    def roles_of_ben() -> object:
        users = json.loads(here("user", "ls", *data, "--json")[1])["users"]
        return next(one["roles"] for one in users if one["name"] == "ben")

    assert roles_of_ben() == [["viewer", "cv/*"]]
    assert here("team", "delete", "vision", *data)[1] == "Vision (deleted): ann, ben\n"
    assert roles_of_ben() == []
    assert here("team", "restore", "vision", *data)[0] == 0
    assert roles_of_ben() == [["viewer", "cv/*"]]
    assert here("team", "rm", "vision", "ben", *data)[1] == "Vision: ann\n"
    assert roles_of_ben() == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["user", "disable", "ann"], 2),  # nobody would be left
        (["user", "disable", "nobody"], 3),
        (["grant", "add", "nobody", "viewer", "*"], 3),
        (["grant", "add", "ann", "king", "*"], 2),
        (["grant", "rm", "ann", "nlp/*"], 3),
        (["team", "add", "nobodies", "ann"], 3),
        (["team", "put", "a/b"], 2),
        (["team", "delete", "nobodies"], 3),
        (["token", "create", "--user", "nobody"], 3),
        (["token", "create", "--user", "ann", "--expires", "soon"], 2),
        (["token", "create", "--user", "ann", "--role", "viewer"], 2),
        (["token", "revoke", "x"], 3),
        (["ops", "show", "x"], 3),
        (["heal", "--close"], 2),
        (["user", "ls", "--registry", "other"], 3),
    ],
)
def test_refusals_have_stable_codes(
    here: Here, tmp_path: Path, words: list[str], code: int
) -> None:
    data = ("--data", tmp_path / "data")
    here("init", *data, "--admin", "ann")
    got, out, error = here(*words, *data)
    assert (got, out, error.count("\n")) == (code, "", 1)
    got, out, error = here(*words, *data, "--json") if words[0] != "x" else (0, "", "")
    assert (got, error) == (code, "")
    assert json.loads(out)["error"].keys() == {"code", "message", "hint"}


def test_without_a_registry_commands_say_how_to_make_one(here: Here, tmp_path: Path) -> None:
    code, _, error = here("user", "ls", "--data", tmp_path / "none")
    assert code == 3
    assert "init" in error
    assert not (tmp_path / "none").exists()


def test_tokens_end_and_are_revoked(here: Here, tmp_path: Path) -> None:
    data = ("--data", tmp_path / "data")
    here("init", *data, "--admin", "ann")
    made = json.loads(
        here("token", "create", "--user", "ann", "--expires", "30d", "--role", "viewer:nlp/*",
             *data, "--json")[1]
    )  # fmt: skip
    assert made["token"].startswith("regtui_")
    tokens = json.loads(here("token", "ls", "--user", "ann", *data, "--json")[1])["tokens"]
    assert [(one["once"], one["roles"]) for one in tokens] == [
        (True, None),
        (False, [["viewer", "nlp/*"]]),
    ]
    assert tokens[1]["expires"] - tokens[1]["created"] == pytest.approx(30 * 86_400e6, rel=1e-3)
    assert here("token", "revoke", tokens[1]["id"], *data)[0] == 0
    assert here("token", "revoke", tokens[1]["id"], *data)[0] == 3


def test_a_command_that_is_not_there_is_a_usage_error(here: Here) -> None:
    assert here("frob")[0] == 2
    assert here("user", "--help")[0] == 0


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that signs itself."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "lab")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / "cert.pem", folder / "key.pem"
    cert_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file
