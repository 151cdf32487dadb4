"""Conflicts on the command line: list, settle, warn."""

import os
import pwd
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import user_id
from regtui.replica.unit import Replica
from tests.cli.process import Regtui
from tests.cli.schemas import check

ME = pwd.getpwuid(os.getuid()).pw_name
CARD = "# Ranker\n\none\ntwo\nthree\n"


class Pair:
    """This person's home, and ben's copy of it."""

    def __init__(self, mine: Regtui, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mine = mine
        self._patch = monkeypatch
        self._home = Path(shutil.copytree(mine.home, folder / "ben"))

    def ben(self, *words: str) -> None:
        """Let ben run a command on his copy."""
        with self._patch.context() as patch:
            patch.setattr(pwd, "getpwuid", lambda _: SimpleNamespace(pw_name="ben"))
            answer = self.mine("--home", str(self._home), *words)
        assert answer.code == 0, answer

    def bring(self) -> None:
        """Judge here what ben did there."""
        ben, me = (Actor(user_id(name), name, (Grant(Role.ADMIN, "*"),)) for name in ("ben", ME))
        with Replica(self._home).reading() as connection:
            rows = connection.execute(
                "select bytes, json_extract_string(bytes, '$.actor') from base.operation "
                "order by seq"
            ).fetchall()
        with Replica(self.mine.home).writing(me, "cli", "s") as authority:
            for data, actor in rows:
                authority.receive(data.encode(), ben if actor == ben.id else me)

    def conflict(self) -> str:
        (conflict,) = self.mine.json("conflicts")["conflicts"]
        return str(conflict["id"])


@pytest.fixture
def pair(ranker: Regtui, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    return Pair(ranker, tmp_path, monkeypatch)


@pytest.fixture
def described(pair: Pair) -> Pair:
    """Return a home in which ben disagrees about a description."""
    pair.mine("edit", "team/ranker@1", "-d", "what stands")
    pair.ben("edit", "team/ranker@1", "-d", "ben's \x1b[31mwords\nand more")
    pair.bring()
    return pair


@pytest.fixture
def contested(pair: Pair, run: Path) -> Pair:
    """Return a home in which the champion is contested."""
    for place in (pair.mine, pair.ben):
        place("capture", str(run / "model.bin"), "--model", "team/ranker")
    pair.mine("alias", "set", "team/ranker@2", "next")
    pair.ben("alias", "set", "team/ranker@1", "next")
    pair.bring()
    return pair


@pytest.fixture
def carded(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Return a home in which ben disagrees about a line of the card."""
    write(monkeypatch, CARD.replace("two", "2"))
    pair.mine("edit", "team/ranker")
    write(monkeypatch, CARD.replace("two", "zwei"))
    pair.ben("edit", "team/ranker")
    pair.bring()
    return pair


def write(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Let the editor write a text; `{}` stands for what it shows."""
    script = "import sys,pathlib; p = pathlib.Path(sys.argv[1]); "
    script += f"p.write_text({text!r}.replace('{{}}', p.read_text()))"
    monkeypatch.setenv("EDITOR", f'{sys.executable} -c "{script}"')


def test_a_list_of_none_is_empty(ranker: Regtui) -> None:
    answer = ranker("conflicts")
    assert (answer.code, answer.out) == (0, "")
    assert "no open conflicts" in answer.err
    assert ranker.json("conflicts") == {"conflicts": []}


def test_a_conflict_is_shown_with_its_sides_in_plain_characters(described: Pair) -> None:
    answer = described.mine("conflicts", "team/ranker")
    lines = answer.out.splitlines()
    assert lines[0] == f"{described.conflict()[:8]}  team/ranker@1  description"
    assert "accepted" in lines[1]
    assert lines[1].endswith("what stands")
    assert lines[2].endswith("words (+1 line)")
    assert "ben" in lines[2]
    assert "\x1b" not in answer.out
    assert all(len(line) <= 80 for line in lines)


def test_conflicts_in_json_have_the_documented_shape(described: Pair) -> None:
    answer = described.mine.json("conflicts")
    check(answer, "conflicts")
    (conflict,) = answer["conflicts"]
    assert (conflict["model"], conflict["field"]) == ("team/ranker", "description")
    assert conflict["accepted"]["value"] == "what stands"
    assert conflict["accepted"]["author"] == ME
    (side,) = conflict["candidates"]
    assert (side["value"], side["author"]) == ("ben's \x1b[31mwords\nand more", "ben")


def test_what_stands_is_kept(described: Pair) -> None:
    answer = described.mine("resolve", described.conflict()[:8], "--theirs")
    assert answer == (0, "team/ranker@1 description: what stands\n", "")
    assert described.mine.json("conflicts") == {"conflicts": []}
    assert "settled by" in described.mine("conflicts", "--all").out
    check(described.mine.json("conflicts", "--all"), "conflicts")


def test_a_candidate_is_taken(described: Pair) -> None:
    (conflict,) = described.mine.json("conflicts")["conflicts"]
    taken = conflict["candidates"][0]["id"][-8:]
    answer = described.mine.json("resolve", conflict["id"], "--take", taken)
    check(answer, "resolve")
    assert answer["conflict"]["state"] == "resolved"
    assert described.mine.json("show", "team/ranker@1")["version"]["description"] == (
        "ben's \x1b[31mwords\nand more"
    )


@pytest.mark.parametrize(("given", "stands"), [("both", "both"), ("", None)])
def test_another_value_is_set_or_none(described: Pair, given: str, stands: str | None) -> None:
    assert described.mine("resolve", described.conflict(), "--value", given).code == 0
    assert described.mine.json("show", "team/ranker@1")["version"]["description"] == stands


def test_mine_says_whose_values_there_are(described: Pair) -> None:
    answer = described.mine("resolve", described.conflict(), "--mine")
    assert answer.code == 2
    assert "what stands is yours" in answer.error


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["00000000", "--theirs"], 3),
        (["zz", "--theirs"], 2),
        (["", "--theirs"], 2),
        (["ID", "--theirs", "--mine"], 2),
        (["ID", "--theirs", "--value", "x"], 2),
        (["ID", "--take", "00000000"], 3),
        (["ID", "--take", ""], 3),
        (["ID", "--file", "nothing.txt"], 2),
        (["ID", "--value", "x" * 70_000], 2),
        (["ID", "--value", "\udcff"], 2),
        ([], 2),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(
    described: Pair, words: list[str], code: int
) -> None:
    named = [described.conflict() if word == "ID" else word for word in words]
    answer = described.mine("resolve", *named)
    assert answer.code == code
    assert answer.error
    assert len(described.mine.json("conflicts")["conflicts"]) == 1


@pytest.mark.parametrize(
    "words", ["", "--theirs", "--mine", "--value x", "--take 00000000", "--file pyproject.toml"]
)
@pytest.mark.parametrize("choice", ["--theirs", "--value y"])
def test_a_settled_conflict_stays_settled(described: Pair, choice: str, words: str) -> None:
    identity = described.conflict()
    assert described.mine("resolve", identity, *choice.split()).code == 0
    answer = described.mine("resolve", identity, *words.split())
    assert answer.code == 2
    assert "resolved already" in answer.error


# Texts


def test_a_text_is_settled_in_the_editor(carded: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    write(monkeypatch, CARD.replace("two", "2, zwei"))
    assert carded.mine("resolve", carded.conflict()).code == 0
    assert carded.mine("show", "team/ranker", "--card").out == CARD.replace("two", "2, zwei")


def test_marks_that_are_left_settle_nothing_and_the_text_is_kept(
    carded: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(monkeypatch, "{}written in vain\n")
    answer = carded.mine("resolve", carded.conflict())
    assert answer.code == 2
    kept = Path(answer.error.rpartition(" is in ")[2])
    text = kept.read_text(encoding="utf-8")
    kept.unlink()
    assert "======= by ben\nzwei\n>>>>>>>\n" in text
    assert text.startswith(f"# Ranker\n\none\n<<<<<<< what stands, by {ME}\n2\n")
    assert text.endswith("written in vain\n")
    assert len(carded.mine.json("conflicts")["conflicts"]) == 1


def test_an_editor_that_changes_nothing_settles_nothing(
    carded: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(monkeypatch, "{}")
    assert carded.mine("resolve", carded.conflict()).code == 2
    assert len(carded.mine.json("conflicts")["conflicts"]) == 1


def test_an_empty_text_settles_nothing(carded: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    write(monkeypatch, "\n")
    answer = carded.mine("resolve", carded.conflict())
    assert answer.code == 2
    assert "nothing is settled; --value '' takes the value away" in answer.error
    assert len(carded.mine.json("conflicts")["conflicts"]) == 1


def test_a_text_comes_from_a_file(carded: Pair, tmp_path: Path) -> None:
    file = tmp_path / "card.md"
    file.write_text(CARD, encoding="utf-8")
    assert carded.mine("resolve", carded.conflict(), "--file", str(file)).code == 0
    assert carded.mine("show", "team/ranker", "--card").out == CARD
    file.write_bytes(b"\xff\xfe")
    assert "UTF-8" in carded.mine("resolve", "00", "--file", str(file)).error


def test_a_value_that_moved_while_the_editor_was_open_keeps_the_conflict(
    carded: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import sys,pathlib,subprocess; "
        f"subprocess.run([sys.executable, '-m', 'regtui', '--home', '{carded.mine.home}', "
        "'edit', 'team/ranker', '--set', 'card=# Ranker\\n\\none\\ntoo\\nthree'], check=True); "
        "pathlib.Path(sys.argv[1]).write_text('# Ranker\\n\\none\\nwritten\\nthree\\n')"
    )
    monkeypatch.setenv("EDITOR", f'{sys.executable} -c "{script}"')
    answer = carded.mine("--quiet", "resolve", carded.conflict())
    assert answer.code == 6
    kept = Path(answer.error.rpartition(" is in ")[2])
    assert "written" in kept.read_text(encoding="utf-8")
    kept.unlink()
    (conflict,) = carded.mine.json("conflicts")["conflicts"]
    assert "too" in conflict["accepted"]["value"]


def test_what_is_no_text_names_the_candidates_instead_of_an_editor(contested: Pair) -> None:
    answer = contested.mine("resolve", contested.conflict())
    assert answer.code == 2
    assert "ben's" in answer.error
    assert "team/ranker@1" in answer.error


# Aliases


def test_a_contested_alias_gives_what_was_accepted_and_a_warning(contested: Pair) -> None:
    answer = contested.mine("path", "team/ranker@next")
    assert answer.code == 0
    assert answer.err.count("\n") == 1
    assert f"regtui resolve {contested.conflict()[:8]}" in answer.err
    shown = contested.mine("show", "team/ranker@next", "--json")
    assert shown.json["version"]["number"] == 2
    assert shown.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["path", "team/ranker@next"],
        ["show", "team/ranker@next"],
        ["edit", "team/ranker@next", "--tag", "k=v"],
        ["alias", "set", "team/ranker@next", "other"],
        ["verify", "team/ranker@next"],
        ["comment", "team/ranker@next", "x"],
    ],
)
def test_with_strict_a_contested_alias_is_an_error(contested: Pair, words: list[str]) -> None:
    for line in (["--strict", *words], [*words, "--strict"]):
        answer = contested.mine(*line)
        assert answer.code == 6
        assert "contested" in answer.error
    assert contested.mine("show", "team/ranker@2", "--strict").code == 0


def test_a_contested_alias_is_marked_in_lists(contested: Pair) -> None:
    assert "team/ranker@next??" in contested.mine("aliases").out
    assert "next??" in contested.mine("ls").out
    assert "champion??" not in contested.mine("ls").out
    assert "next??" in contested.mine("show", "team/ranker@2").out
    listed = contested.mine.json("aliases")
    check(listed, "aliases")
    by_name = {alias["alias"]: alias["conflict"] for alias in listed["aliases"]}
    assert by_name == {"champion": None, "next": contested.conflict()}
    (version,) = contested.mine.json("ls", "alias:next")["versions"]
    assert (version["aliases"], version["contested"]) == (["next"], ["next"])


@pytest.mark.parametrize("given", ["1", "team/ranker@1", "team/ranker@champion"])
def test_an_alias_is_settled_by_a_version(contested: Pair, given: str) -> None:
    answer = contested.mine("resolve", contested.conflict(), "--value", given)
    assert answer == (0, "team/ranker@next version: team/ranker@1\n", "")
    assert contested.mine("path", "team/ranker@next", "model.bin").err == ""


def test_an_alias_is_not_settled_by_what_is_no_version_of_its_model(contested: Pair) -> None:
    for given, code in (("9", 3), ("other@1", 3), ("nothing", 3), ("team/ranker", 3)):
        assert contested.mine("resolve", contested.conflict(), "--value", given).code == code
