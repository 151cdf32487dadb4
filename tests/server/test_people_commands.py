"""People, teams, grants, tokens and replicas by the commands that people type, at a real server."""

import contextlib
import io
import json
import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from regtui.cli.main import run
from tests.cli.process import Answer
from tests.cli.schemas import check
from tests.server.process import DEADLINE, ServerProcess, copied, init


class Machine(Struct):
    """A home, and the command line on it."""

    home: Path
    config: Path

    @property
    def environment(self) -> dict[str, str]:
        known = {k: v for k, v in os.environ.items() if not k.startswith("REGTUI_")}
        return known | {"REGTUI_CONFIG": str(self.config), "PYTHONIOENCODING": "utf-8"}

    def __call__(self, *words: object) -> Answer:
        """Run a command line in this process: starting one takes most of a second."""
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REGTUI_CONFIG", str(self.config))
            patch.delenv("REGTUI_TOKEN", raising=False)
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run(["--home", str(self.home), *map(str, words)])
        return Answer(code, out.getvalue(), err.getvalue())

    def json(self, *words: object, schema: str | None = None) -> Any:
        """Run a command line that succeeds; its document is as the schema says."""
        answer = self(*words, "--json")
        assert answer.code == 0, answer
        if schema is not None:
            check(answer.json, schema)
        return answer.json

    def words(self, *words: object) -> list[str]:
        return [sys.executable, "-m", "regtui", "--home", str(self.home), *map(str, words)]

    def process(self, *words: object) -> Answer:
        """Run a command line as a process of its own."""
        done = subprocess.run(
            self.words(*words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE * 2,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def start(self, *words: object) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self.words(*words),
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


class Lab:
    """A server process and the machines of its people; ann is the admin."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        data = folder / "data"
        token = copied(data)
        self.server = ServerProcess(data)
        try:
            self.ann = self.machine("ann")
            assert self.ann("login", "--token", token).code == 0
        except BaseException:  # the process would outlive the tests
            self.server.close()
            raise

    def machine(self, name: str) -> Machine:
        made = Machine(self.folder / name, self.folder / f"{name}-config")
        assert made("remote", "add", self.server.url).code == 0
        return made

    def person(self, name: str, **roles: str) -> Machine:
        """Invite somebody, who signs in."""
        self.ann.json("user", "add", name)
        for scope, role in roles.items():
            self.ann.json("grant", "add", name, role, scope)
        token = self.ann.json("token", "create", "--user", name, "--once")["token"]
        made = self.machine(name)
        assert made("login", "--token", token).code == 0
        return made


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    made = Lab(tmp_path)
    yield made
    made.server.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab for tests that leave it as they found it: ben reads `nlp/*`."""
    made = Lab(tmp_path_factory.mktemp("lab"))
    made.person("ben", **{"nlp/*": "viewer"})
    made.ann.json("team", "put", "vision", "--add", "ann")
    made.ann.json("grant", "add", "team:vision", "viewer", "cv/*")
    yield made
    made.server.close()


def ben(lab: Lab) -> Machine:
    return Machine(lab.folder / "ben", lab.folder / "ben-config")


def test_an_admin_invites_somebody_who_works_until_his_right_is_taken_away(
    lab: Lab, tmp_path: Path
) -> None:
    ann = lab.ann
    assert ann.process("user", "add", "ben", "--display-name", "Ben B").code == 0
    assert ann.process("grant", "add", "ben", "contributor", "nlp/*").code == 0
    made = ann.process("token", "create", "--user", "ben", "--once", "--json").json
    person = lab.machine("ben")
    joined = person.process("login", "--token", made["token"])
    assert joined.code == 0, joined
    again = lab.machine("thief").process("login", "--token", made["token"])
    assert again.code == 4
    assert again.error == "this token is not good (any more); ask an admin for another token"
    weights = tmp_path / "weights.bin"
    weights.write_text("weights")
    person("capture", weights, "--model", "nlp/bert")
    assert person.process("sync", "--json").json["accepted"] == 2
    ann("sync")
    assert ann.json("ls")["versions"][0]["author"] == "ben"

    assert ann("grant", "add", "ben", "viewer", "nlp/*").code == 0
    assert person("sync").code == 0
    refused = person.process("edit", "nlp/bert@1", "--tag", "late=yes")
    assert (refused.code, refused.out) == (4, "")
    assert person("show", "nlp/bert@1").code == 0

    ann("grant", "add", "ben", "contributor", "nlp/*")
    person("sync")
    removed = ann.process("grant", "rm", "ben", "nlp/*")
    assert (removed.code, removed.out) == (0, "ben has no role in nlp/* any more\n")
    person("edit", "nlp/bert@1", "--tag", "late=yes")
    synced = person.process("sync", "--json").json
    assert (synced["rejected"], synced["purged"] > 0) == (1, True)
    check(person.json("outbox", "ls"), "outbox")
    assert person("show", "nlp/bert@1").code == 3
    assert person("capture", weights, "--model", "nlp/bert").code == 3  # as if it were not there
    assert person.json("whoami", schema="whoami")["roles"] == []

    ann("user", "set", "ben", "--state", "disabled")
    out = person.process("sync")
    assert out.code == 4
    assert "your work is kept here" in out.error


def test_an_admin_of_a_team_hands_on_and_takes_back(shared: Lab) -> None:
    person = shared.person("kim")
    assert person.json("user", "show", "kim")["user"]["roles"] == []
    shared.ann.json("team", "put", "readers", "--description", "who reads", schema="team-show")
    shared.ann.json("grant", "add", "team:readers", "viewer", "*", schema="grant-add")
    joined = shared.ann.json("team", "add", "readers", "kim", schema="team-show")
    assert joined["team"]["members"] == ["kim"]
    assert person.json("user", "show", "KIM")["user"]["roles"] == [["viewer", "*"]]
    assert shared.ann("team", "delete", "readers").out == "readers (deleted): kim\n"
    assert person.json("user", "show", "kim")["user"]["roles"] == []
    assert person("team", "show", "readers").code == 3
    shared.ann.json("team", "restore", "readers")
    assert person.json("team", "ls", schema="team-ls")["teams"][0]["members"] == ["kim"]
    assert shared.ann("team", "rm", "readers", "kim").out == "readers: nobody\n"
    assert person.json("grant", "ls")["grants"] == []


def test_a_service_account_acts_with_a_narrow_token_as_long_as_its_owner_does(shared: Lab) -> None:
    shared.person("leo", **{"nlp/*": "contributor"})
    made = shared.ann.json("user", "add", "bot", "--service-of", "leo", schema="user-add")
    assert (made["user"]["kind"], made["user"]["owner"]) == ("service", "leo")
    shared.ann.json("grant", "add", "bot", "maintainer", "nlp/*")
    made = shared.ann.json(
        "token", "create", "--user", "bot", "--name", "nightly", "--role", "viewer",
        "--scope", "nlp/bert", "--expires", "30d", schema="token-create",
    )  # fmt: skip
    assert made["known"]["roles"] == [["viewer", "nlp/bert"]]
    bot = shared.machine("bot")
    assert bot("login", "--token", made["token"]).code == 0
    assert bot.json("whoami")["roles"] == [["viewer", "nlp/bert"]]
    assert bot("token", "create", "--role", "contributor:nlp/bert").code == 4
    shared.ann("user", "set", "leo", "--state", "disabled")
    assert bot("sync").code == 4
    shared.ann("user", "set", "leo", "--state", "active")
    assert bot("sync").code == 0
    revoked = shared.ann.json("token", "revoke", made["known"]["id"][-8:], schema="token-revoke")
    assert revoked["revoked"]["state"] == "revoked"
    assert bot("sync").code == 4


def test_a_replica_that_is_revoked_syncs_no_more(shared: Lab) -> None:
    person = shared.person("mia", **{"nlp/*": "viewer"})
    assert person("sync").code == 0
    assert shared.ann("sync").code == 0
    (own,) = person.json("replica", "ls", schema="replica-ls")["replicas"]
    assert (own["user"], own["here"], own["state"]) == ("mia", True, "active")
    everybody = shared.ann.json("replica", "ls")["replicas"]
    assert {("mia", False), ("ann", True)} <= {(one["user"], one["here"]) for one in everybody}
    done = shared.ann.json("replica", "revoke", own["id"][:8], schema="replica-revoke")["revoked"]
    assert (done["id"], done["state"]) == (own["id"], "revoked")
    refused = person.process("sync")
    assert refused.code == 4
    assert "revoked" in refused.error
    assert person("ls").code == 0


def waiting(process: "subprocess.Popen[str]") -> str:
    """Return the code that a machine shows."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "regtui login --approve " in line, line
    return line.rsplit(" ", 1)[1].strip()


def test_a_machine_is_signed_in_by_the_code_that_it_shows(shared: Lab) -> None:
    person = shared.person("noa", **{"nlp/*": "viewer"})
    machine = shared.machine("gpu7")
    with machine.start("login", "--device", "--json") as process:
        code = waiting(process)
        approved = person.process("login", "--approve", code.lower().replace("-", ""), "--json")
        check(approved.json, "login-approve")
        out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (0, "")
    check(json.loads(out), "remote-show")
    assert json.loads(out)["remote"]["user"] == "noa"
    assert machine.json("whoami")["roles"] == [["viewer", "nlp/*"]]
    assert machine("sync").code == 0
    assert person("login", "--approve", code).code == 3
    names = {one["name"] for one in person.json("token", "ls")["tokens"]}
    assert "login" in names
    assert machine.json("logout", schema="logout")["url"] == shared.server.url
    assert machine("sync").code == 3


def test_somebody_elses_replica_stays_his(shared: Lab) -> None:
    token = shared.ann.json("token", "create", "--user", "ben")["token"]
    refused = shared.ann("login", "--token", token)
    assert (refused.code, refused.error.split(";")[0]) == (2, "this replica is ann's")
    assert shared.ann.json("whoami")["user"] == "ann"
    assert shared.ann("user", "add", "ben").code == 0  # which ben may not


def test_a_machine_that_is_refused_says_so(shared: Lab) -> None:
    machine = shared.machine("gpu8")
    with machine.start("login", "--device") as process:
        denied = shared.ann("login", "--deny", waiting(process))
        out, err = process.communicate(timeout=DEADLINE)
    assert (denied.code, denied.out.endswith(" is refused\n")) == (0, True)
    assert (process.returncode, out) == (4, "")
    assert err == "regtui: this machine was refused\n"
    assert machine("user", "ls").code == 3


def test_who_has_no_token_at_a_terminal_gets_a_code(shared: Lab) -> None:
    machine = shared.machine("gpu9")
    leader, follower = pty.openpty()
    with subprocess.Popen(
        machine.words("login"),
        env=machine.environment,
        stdin=follower,
        stdout=follower,
        stderr=follower,
        start_new_session=True,
    ) as process:
        os.close(follower)
        found = read_until(leader, "by a code")
        os.write(leader, b"\n")
        found = read_until(leader, "--approve ", "\r\n")
        code = found.rsplit("--approve ", 1)[1].strip()
        assert shared.ann("login", "--approve", code).code == 0
        assert "signed in to" in read_until(leader, "reads the registry")
        assert process.wait(DEADLINE) == 0
    os.close(leader)


def read_until(leader: int, *wanted: str) -> str:
    """Read what a terminal shows until it has all texts, in this order."""
    found = ""
    while True:
        place = 0
        for text in wanted:
            place = found.find(text, place) + 1
            if not place:
                break
        else:
            return found
        assert select.select([leader], [], [], DEADLINE)[0], found
        found += os.read(leader, 1 << 16).decode()


def test_what_is_listed_is_as_the_schemas_say(shared: Lab) -> None:
    ann = shared.ann
    users = ann.json("user", "ls", schema="user-ls")["users"]
    assert [one["name"] for one in users[:2]] == ["ann", "ben"]
    ann.json("user", "show", "ben", schema="user-show")
    named = ann.json("user", "set", "ben", "--display-name", "Ben", schema="user-show")
    assert named["user"]["display_name"] == "Ben"
    unnamed = ann.json("user", "set", "ben", "--display-name", "", schema="user-show")
    assert unnamed["user"]["display_name"] is None
    assert ann.json("team", "put", "vision", "--description", "eyes")["team"]["description"]
    assert ann.json("team", "put", "vision", "--description", "")["team"]["description"] is None
    ann.json("team", "ls", schema="team-ls")
    ann.json("team", "show", "vision", schema="team-show")
    ann.json("grant", "ls", schema="grant-ls")
    ann.json("grant", "add", "ben", "viewer", "cv/x", schema="grant-add")
    ann.json("grant", "rm", "ben", "cv/x", schema="grant-rm")
    ann.json("token", "ls", schema="token-ls")
    ann.json("token", "ls", "--user", "ben", schema="token-ls")
    ann.json("sync", schema="sync")
    ann.json("remote", "show", schema="remote-show")
    ann.json("whoami", schema="whoami")
    ann.json("replica", "ls", schema="replica-ls")
    ann.json("outbox", "ls", schema="outbox")


def test_what_people_read_is_a_table(shared: Lab) -> None:
    lines = shared.ann("user", "ls").out.splitlines()
    assert lines[0].split() == ["NAME", "KIND", "STATE", "ROLES"]
    assert lines[2].split()[:3] == ["ben", "person", "active"]
    grants = [line.split() for line in shared.ann("grant", "ls").out.splitlines()]
    assert ["team:vision", "viewer", "cv/*"] in grants
    assert "viewer in nlp/*" in shared.ann("user", "show", "ben").out
    assert "good" in shared.ann("token", "ls").out
    assert "vision" in shared.ann("team", "ls").out


def test_a_server_that_moved_is_followed_and_no_other_one(lab: Lab, tmp_path: Path) -> None:
    ann, before = lab.ann, lab.server.url
    weights = tmp_path / "weights.bin"
    weights.write_text("weights")
    ann("capture", weights, "--model", "nlp/bert")
    lab.server.stop()
    lab.server.start()
    assert lab.server.url != before
    assert ann("sync").code == 7
    added = ann("remote", "add", lab.server.url)
    assert (added.code, "remote move" in added.err) == (2, True)

    init(tmp_path / "other")
    other = ServerProcess(tmp_path / "other")
    try:
        refused = ann("remote", "move", other.url)
    finally:
        other.close()
    assert refused.code == 4
    assert ann("remote", "move", other.url).code == 7
    assert ann.json("remote", "show")["remote"]["url"] == before

    moved = ann("remote", "move", lab.server.url, "--json")
    check(json.loads(moved.out), "remote-show")
    assert json.loads(moved.out)["remote"]["url"] == lab.server.url
    assert ann.json("sync")["accepted"] == 2


def test_a_token_alone_is_on_standard_output(shared: Lab) -> None:
    made = shared.ann("token", "create", "--user", "ben", "--expires", "1h", "--quiet")
    assert (made.err, made.out.startswith("regtui_"), made.out.count("\n")) == ("", True, 1)
    told = shared.ann("token", "create", "--once")
    assert told.out.startswith("regtui_")
    assert "good for one login" in told.err


@pytest.mark.parametrize(
    ("options", "roles"),
    [
        ([], None),
        (["--role", "viewer"], [["viewer", "*"]]),
        (["--scope", "nlp/*"], [["admin", "nlp/*"]]),
        (
            ["--role", "viewer", "--role", "reporter:x", "--scope", "NLP/*"],
            [["reporter", "x"], ["viewer", "nlp/*"]],
        ),
        (["--role", "Viewer:nlp/*"], [["viewer", "nlp/*"]]),
    ],
)
def test_a_token_is_narrowed_by_roles_and_scopes(
    shared: Lab, options: list[str], roles: list[list[str]] | None
) -> None:
    made = shared.ann.json("token", "create", *options, schema="token-create")
    assert made["known"]["roles"] == roles


BAD_INPUT = [
    (["user", "add", "a b"], 2, "contains ' '"),
    (["user", "add", "a/b"], 2, "contains '/'"),
    (["user", "add", ""], 2, ""),
    (["user", "add", "x" * 500], 2, ""),
    (["user", "add", "bot", "--service-of", "nob"], 3, "no user 'nob'"),
    (["user", "add", "ben", "--service-of", "BEN"], 2, "acts for a person"),
    (["user", "show", "nob"], 3, "no user 'nob'"),
    (["user", "show", "a/b"], 3, "no user 'a/b'"),
    (["user", "show", ".."], 3, "no user '..'"),
    (["user", "show", "%2e%2e"], 3, "no user '%2e%2e'"),
    (["user", "set", "ben"], 2, "--state"),
    (["user", "set", "ben", "--state", "gone"], 2, "active and disabled"),
    (["user", "set", "nob", "--state", "active"], 3, "no user 'nob'"),
    (["user", "set", "ann", "--state", "disabled"], 2, "nobody"),
    (["team", "put", "a/b"], 2, "contains '/'"),
    (["team", "put", "x", "--add", "nob"], 3, "no user 'nob'"),
    (["team", "put", "x", "--add", "ben", "--remove", "BEN"], 2, "both join and leave"),
    (["team", "add", "visoin", "ben"], 3, "no team 'visoin'"),
    (["team", "rm", "vision", "nob"], 3, "no user 'nob'"),
    (["team", "show", "x"], 3, "no team 'x'"),
    (["team", "delete", "x"], 3, "no team 'x'"),
    (["team", "restore", "x"], 3, "no team 'x'"),
    (["grant", "add", "ben", "king", "*"], 2, "there are reporter, viewer"),
    (["grant", "add", "nob", "viewer", "*"], 3, "no user 'nob'"),
    (["grant", "add", "team:nob", "viewer", "*"], 3, "no team 'nob'"),
    (["grant", "add", "team:", "viewer", "*"], 2, "nobody was named"),
    (["grant", "add", "ben", "viewer", "nlp/*/x"], 2, "contains '*'"),
    (["grant", "add", "ben", "viewer", ""], 2, ""),
    (["grant", "rm", "ben", "cv/*"], 3, "no such grant"),
    (["grant", "rm", "ann", "*"], 2, "nobody"),
    (["token", "create", "--user", "nob"], 3, "no user 'nob'"),
    (["token", "create", "--user", ""], 2, ""),
    (["token", "create", "--expires", "soon"], 2, "such as 30d"),
    (["token", "create", "--expires", "0d"], 2, "such as 30d"),
    (["token", "create", "--expires", "11y"], 2, "10y at most"),
    (["token", "create", "--role", "king"], 2, "no role 'king'"),
    (["token", "create", "--role", "viewer:"], 2, ""),
    (["token", "create", "--role", "viewer:x", "--scope", "y"], 2, "--scope"),
    (["token", "create", "--name", ""], 2, ""),
    (["token", "revoke", "zz"], 3, "no token 'zz'"),
    (["token", "revoke", ""], 3, "no token ''"),
    (["replica", "revoke", "zz"], 3, "no replica 'zz'"),
    (["login", "--approve", "BCDF-BCDF"], 3, "no machine waits"),
    (["login", "--deny", "BCDF-BCDF"], 3, "no machine waits"),
    (["login", "--approve", "../../x"], 3, "no machine waits"),
    (["login", "--approve", "A", "--device"], 2, "choose one"),
    (["login", "--token", "x", "--device"], 2, "choose one"),
    (["login", "--token", "x"], 4, "not good"),
]


def test_bad_input_gets_one_line_and_changes_nothing(shared: Lab) -> None:
    before = state(shared)
    wrong = []
    for words, code, said in BAD_INPUT:
        answer = shared.ann(*words)
        if (answer.code, answer.out) != (code, "") or said not in answer.error:
            wrong.append((words, answer))
    assert wrong == []
    assert state(shared) == before
    check(shared.ann("user", "show", "nob", "--json").json, "error")


def state(lab: Lab) -> list[Any]:
    """Return all that the server knows of people."""
    ann = lab.ann
    found = [ann.json(what, "ls") for what in ("user", "team", "grant", "token")]
    for token in found[-1]["tokens"]:
        del token["used"]
    return found


def test_who_may_not_know_is_refused_as_if_there_were_nothing(shared: Lab) -> None:
    token = shared.ann.json("token", "ls", "--user", "ann")["tokens"][0]["id"]
    pairs = [
        (["user", "show", "ann"], ["user", "show", "nob"]),
        (
            ["user", "set", "ann", "--state", "disabled"],
            ["user", "set", "nob", "--state", "active"],
        ),
        (["team", "show", "vision"], ["team", "show", "nob"]),
        (["team", "add", "vision", "ben"], ["team", "add", "nob", "ben"]),
        (["team", "put", "vision"], ["team", "put", "nob"]),
        (["grant", "add", "ann", "viewer", "*"], ["grant", "add", "nob", "viewer", "*"]),
        (["grant", "rm", "ann", "*"], ["grant", "rm", "nob", "*"]),
        (["token", "create", "--user", "ann"], ["token", "create", "--user", "nob"]),
        (["token", "revoke", token], ["token", "revoke", "0" * 8]),
    ]
    for hidden, absent in pairs:
        found = [ben(shared)(*words) for words in (hidden, absent)]
        assert found[0].code in {3, 4}, found
        assert found[0].code == found[1].code
        texts = [
            one.error.replace(words[2], "…")
            for one, words in zip(found, (hidden, absent), strict=True)
        ]
        assert texts[0] == texts[1]
    assert ben(shared).json("token", "ls", "--user", "ann") == {"tokens": []}
    assert [one["name"] for one in ben(shared).json("user", "ls")["users"]] == ["ben"]


COMMANDS = [
    ["user", "ls"], ["user", "add", "x"], ["team", "ls"], ["grant", "ls"], ["token", "ls"],
    ["token", "create"], ["replica", "ls"], ["login", "--approve", "BCDF"],
]  # fmt: skip


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_without_a_server_commands_say_how_to_join_one(tmp_path: Path, words: list[str]) -> None:
    answer = Machine(tmp_path / "home", tmp_path / "config")(*words)
    assert answer.code == 3
    assert "regtui remote add" in answer.error


def test_while_the_server_is_away_commands_say_so(lab: Lab) -> None:
    lab.server.close()
    for words in (*COMMANDS, ["login", "--device"], ["login", "--token", "x"]):
        machine = lab.ann
        answer = machine(*words)
        assert answer.code == 7, words
        assert "does not answer" in answer.error


def test_who_named_a_server_and_did_not_sign_in_is_told_so(shared: Lab) -> None:
    machine = Machine(shared.ann.home.parent / "unsigned", shared.ann.config)
    assert machine("remote", "add", shared.server.url).code == 0
    for words in (["sync"], ["pull", "x@1"], ["user", "ls"]):
        answer = machine(*words)
        assert answer.code == 3
    answer = machine("sync")
    assert f"nobody is signed in to {shared.server.url}; `regtui login`" in answer.error


def test_a_sign_out_that_the_server_does_not_hear_of_says_so(lab: Lab) -> None:
    lab.server.close()
    answer = lab.ann("logout")
    assert answer.code == 7
    assert "stays good at the server" in answer.error
    assert "regtui token revoke ID" in answer.error
    assert lab.ann("logout").code == 3
    assert lab.ann.json("remote", "show")["remote"]["state"] == "signed out"


def test_an_address_below_that_of_a_server_is_told(shared: Lab) -> None:
    machine = Machine(shared.ann.home.parent / "astray", shared.ann.config)
    machine("remote", "add", f"{shared.server.url}/foo")
    for words in (["login", "--token", "x"], ["login", "--device"]):
        answer = machine(*words)
        assert answer.code == 3
        assert f"there is no regtui server at {shared.server.url}/foo; " in answer.error


@pytest.mark.parametrize("name", ["a b/c", "a/b", "", "-x"])
def test_who_can_not_be_called_so_is_told_how_without_asking_the_server(
    shared: Lab, name: str
) -> None:
    answer = shared.ann("user", "add", "--", name)
    assert answer.code == 2
    assert "the server" not in answer.error
    assert "/" not in answer.error.partition("; ")[2]


def test_a_capture_that_waits_for_its_number_is_told_with_its_model(
    shared: Lab, tmp_path: Path
) -> None:
    (tmp_path / "w").write_text("w")
    answer = shared.ann("capture", tmp_path / "w", "--model", "nlp/waiting")
    assert answer.out.startswith("captured nlp/waiting  :")
    assert answer.out.count(" :") == 1


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:99999", "http://127.0.0.1:1/x?y", "https://h#x", "https://[::1", "a b"],
)
def test_what_is_no_address_is_no_remote(tmp_path: Path, url: str) -> None:
    machine = Machine(tmp_path / "home", tmp_path / "config")
    answer = machine("remote", "add", url)
    assert answer.code == 2
    assert "is no address of a server" in answer.error
    assert machine("remote", "show").code == 3


def test_a_token_of_the_environment_goes_before_a_code(
    shared: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = shared.machine("gpu6")
    machine.config.mkdir(exist_ok=True)
    done = subprocess.run(
        machine.words("login", "--device"),
        env=machine.environment | {"REGTUI_TOKEN": "x"},
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE,
    )
    assert done.returncode == 2
    assert "REGTUI_TOKEN" in done.stderr
