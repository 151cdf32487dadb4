"""Files of versions travel with a sync, and come when somebody asks for them."""

from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound, Unreachable
from regtui.registry import open_registry
from regtui.replica.unsent import note_all_unsent
from regtui.sync import transfer
from regtui.sync.retrying import Retry
from tests.depth import few_of
from tests.registry.keeping import DAY, age
from tests.server.people import Person, join
from tests.server.process import ServerProcess


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REGTUI_CONFIG", str(tmp_path / "config"))


@pytest.fixture
def ann(server_process: ServerProcess, tmp_path: Path) -> Person:
    return join(server_process, tmp_path / "ann-home", "eve", "maintainer")


@pytest.fixture
def ben(server_process: ServerProcess, tmp_path: Path) -> Person:
    return join(server_process, tmp_path / "ben-home", "ben", "contributor", "nlp/*")


def captured(person: Person, folder: Path, model: str, *names: str) -> None:
    made = folder / model.replace("/", "-")
    made.mkdir()
    for name in names:
        (made / name).write_text(f"{model} {name}", encoding="utf-8")
    person.registry.capture(made, model=model)


def objects(person: Person) -> set[str]:
    return {path.read_text() for path in (person.home / "objects").rglob("*") if path.is_file()}


def test_a_checkout_fetches_what_a_colleague_captured(
    ann: Person, ben: Person, tmp_path: Path
) -> None:
    captured(ann, tmp_path, "nlp/bert", "weights", "config")
    sent = ann.registry.sync()
    assert (sent.sent_files, sent.fetched_files, sent.absent) == (2, 0, [])
    assert ann.registry.sync().requests == 1
    got = ben.registry.sync()
    assert (got.pulled, got.fetched_files, objects(ben)) == (2, 0, set())
    with pytest.raises(NotFound, match="not on this machine"):
        ben.registry.path("nlp/bert@1", "weights")
    ben.registry.checkout("nlp/bert@1", tmp_path / "out")
    assert (tmp_path / "out" / "weights").read_text() == "nlp/bert weights"
    assert ben.registry.path("nlp/bert@1", "weights").read_text() == "nlp/bert weights"
    assert ben.registry.pull(["nlp/bert@1"]).files == 0


def test_a_wrong_name_is_told_before_anything_is_fetched(
    ann: Person, ben: Person, tmp_path: Path
) -> None:
    captured(ann, tmp_path, "nlp/bert", "w")
    ann.registry.sync()
    ben.registry.sync()
    with pytest.raises(NotFound, match="no version 9"):
        ben.registry.pull(["nlp/bert@1", "nlp/bert@9"])
    assert objects(ben) == set()


@pytest.mark.parametrize(
    ("artifacts", "expected"),
    few_of(
        [("aliased", {"nlp/a w"}), (None, set()), ("none", set()), ("all", {"nlp/a w", "nlp/b w"})],
        2,
    ),
)
def test_whose_files_a_sync_fetches_is_chosen(
    ann: Person, ben: Person, tmp_path: Path, artifacts: str | None, expected: set[str]
) -> None:
    captured(ann, tmp_path, "nlp/a", "w")
    captured(ann, tmp_path, "nlp/b", "w")
    ann.registry.set_alias("nlp/a@latest", "champion")
    ann.registry.sync()
    assert ben.registry.sync(artifacts=artifacts).fetched_files == len(expected)
    assert objects(ben) == expected


@pytest.mark.parametrize(
    ("artifacts", "files"), few_of([("aliased", 1), (None, 2), ("none", 0)], 1)
)
def test_whose_files_a_sync_sends_is_chosen_and_the_rest_goes_later(
    ann: Person, tmp_path: Path, artifacts: str | None, files: int
) -> None:
    captured(ann, tmp_path, "nlp/a", "w")
    captured(ann, tmp_path, "nlp/b", "w")
    ann.registry.set_alias("nlp/a@latest", "champion")
    assert ann.registry.sync(artifacts=artifacts).sent_files == files
    assert ann.registry.sync().sent_files == 2 - files
    assert ann.registry.sync().sent_files == 0


def test_a_push_reads_nothing_new_and_a_pull_sends_nothing(
    ann: Person, ben: Person, tmp_path: Path
) -> None:
    ben.registry.sync()
    captured(ben, tmp_path, "nlp/mine", "w")
    captured(ann, tmp_path, "nlp/hers", "w")
    pulled = ben.registry.sync(direction="pull")
    assert (pulled.pushed, pulled.pending, pulled.sent_files) == (0, 2, 0)
    pushed = ann.registry.sync(direction="push")
    assert (pushed.pushed, pushed.pending, pushed.sent_files) == (2, 0, 1)
    assert ben.registry.sync(direction="pull", artifacts="all").fetched_files == 1
    assert (ben.registry.sync().pushed, ann.registry.sync().pulled) == (2, 2)
    assert ann.registry.version("nlp/mine@1").author == "ben"


def test_other_choices_are_refused(ann: Person) -> None:
    with pytest.raises(BadInput, match="artifacts can't be 'some'"):
        ann.registry.sync(artifacts="some")
    with pytest.raises(BadInput, match="no direction 'sideways'"):
        ann.registry.sync(direction="sideways")


def test_a_reader_sends_nothing_back_and_a_contributor_elsewhere_sends_his_own(
    server_process: ServerProcess, ann: Person, ben: Person, tmp_path: Path
) -> None:
    cat = join(server_process, tmp_path / "cat-home", "cat", "viewer", "nlp/*")
    captured(ann, tmp_path, "aaa/hers", "w")
    captured(ann, tmp_path, "nlp/hers", "w")
    ann.registry.sync()
    assert cat.registry.sync(artifacts="all").fetched_files == 1
    assert cat.registry.sync(artifacts="all").withheld == []
    with cat.registry.context.replica.changing() as connection:
        note_all_unsent(connection)  # as where the server was restored
    assert cat.registry.sync().withheld == []
    grant = {"holder": "ben", "role": "viewer", "scope": "aaa/*"}
    with server_process.client() as client:
        client.post(server_process.path("grants"), json=grant).raise_for_status()
    ben.registry.sync(artifacts="all")
    captured(ben, tmp_path, "nlp/mine", "w")
    sent = ben.registry.sync(artifacts="all")
    assert (sent.sent_files, sent.withheld) == (1, [])


@pytest.mark.parametrize("knows", [True, False])
def test_files_that_may_not_be_sent_any_more_are_told_and_keep_no_others(
    server_process: ServerProcess,
    ann: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    knows: bool,
) -> None:
    ben = join(server_process, tmp_path / "ben-home", "ben", "contributor", "nlp/a")
    captured(ben, tmp_path, "nlp/a", "w")
    ben.registry.sync(artifacts="none")
    with server_process.client() as client:
        for scope, role in (("nlp/a", "viewer"), ("nlp/b", "contributor")):
            grant = {"holder": "ben", "role": role, "scope": scope}
            client.post(server_process.path("grants"), json=grant).raise_for_status()
    ben.registry.sync(artifacts="none")
    captured(ben, tmp_path, "nlp/b", "w")
    if not knows:  # as where a grant goes between the two
        monkeypatch.setattr("regtui.registry.transferring._may_send", lambda *_: True)
    sent = ben.registry.sync(artifacts="all")
    assert (sent.sent_files, sent.withheld) == (1, ["nlp/a@1"])
    with server_process.client() as client:
        grant = {"holder": "ben", "role": "contributor", "scope": "nlp/a"}
        client.post(server_process.path("grants"), json=grant).raise_for_status()
    assert ben.registry.sync().sent_files == 1


def test_files_that_were_never_sent_are_told_with_who_has_them(
    ann: Person, ben: Person, tmp_path: Path
) -> None:
    captured(ann, tmp_path, "nlp/bert", "w")
    ann.registry.sync(artifacts="none")
    assert ben.registry.sync(artifacts="all").absent == ["nlp/bert@1"]
    with pytest.raises(NotFound, match="not on the server yet") as caught:
        ben.registry.checkout("nlp/bert@1", tmp_path / "out")
    assert "eve has them" in caught.value.hint
    assert not (tmp_path / "out").exists()
    ann.registry.sync()
    ben.registry.checkout("nlp/bert@1", tmp_path / "out")


def test_without_the_server_a_checkout_says_so_and_leaves_nothing(
    server_process: ServerProcess,
    ann: Person,
    ben: Person,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transfer, "Retry", lambda: Retry(attempts=3))
    captured(ann, tmp_path, "nlp/bert", "w")
    ann.registry.sync()
    ben.registry.sync()
    server_process.stop()
    with pytest.raises(Unreachable):
        ben.registry.checkout("nlp/bert@1", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    ann.registry.checkout("nlp/bert@1", tmp_path / "out")


def test_a_damaged_file_is_mended_from_the_server(ann: Person, tmp_path: Path) -> None:
    captured(ann, tmp_path, "nlp/bert", "w")
    ann.registry.sync()
    stored = ann.registry.path("nlp/bert@1", "w")
    stored.chmod(0o600)
    stored.write_text("nlp/bret w")
    assert len(ann.registry.verify().damaged) == 1
    ann.registry.checkout("nlp/bert@1", tmp_path / "out")
    assert (tmp_path / "out" / "w").read_text() == "nlp/bert w"
    assert ann.registry.verify().damaged == []


@pytest.fixture
def revoked(server_process: ServerProcess, ann: Person, ben: Person, tmp_path: Path) -> Person:
    """Ben, who fetched a model's files and may not read it any more."""
    captured(ann, tmp_path, "nlp/secret", "shared", "w")
    captured(ann, tmp_path, "nlp/secret2", "w")
    ann.registry.sync()
    ben.registry.sync(artifacts="all")
    with server_process.client() as client:
        query = {"holder": "ben", "scope": "nlp/*"}
        client.delete(server_process.path("grants"), params=query).raise_for_status()
        grant = {"holder": "ben", "role": "viewer", "scope": "nlp/secret2"}
        client.post(server_process.path("grants"), json=grant).raise_for_status()
    return ben


def test_files_of_what_may_not_be_read_any_more_go(revoked: Person) -> None:
    assert objects(revoked) == {"nlp/secret shared", "nlp/secret w", "nlp/secret2 w"}
    (revoked.home / "backups" / "daily-20200101.duckdb").write_text("nlp/secret")
    assert revoked.registry.sync().purged == 2
    assert objects(revoked) == {"nlp/secret2 w"}
    assert not list((revoked.home / "backups").glob("daily-2020*"))


def test_own_files_that_were_never_sent_stay_when_a_right_is_taken_away(
    server_process: ServerProcess, ben: Person, tmp_path: Path
) -> None:
    captured(ben, tmp_path, "nlp/mine", "w")
    ben.registry.sync(artifacts="none")
    with server_process.client() as client:
        grant = {"holder": "ben", "scope": "nlp/*"}
        client.request("DELETE", server_process.path("grants"), params=grant).raise_for_status()
    done = ben.registry.sync()
    assert (done.purged, done.kept) == (2, 1)
    assert ben.registry.models() == []
    assert objects(ben) == {"nlp/mine w"}
    age(ben.home, 30 * DAY)
    ben.registry.gc()
    assert objects(ben) == set()


def test_a_purge_that_was_killed_goes_on_at_the_next_sync(
    revoked: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("regtui.registry.syncing.purge_files", killed)
        with pytest.raises(KeyboardInterrupt):
            revoked.registry.sync()
    assert len(objects(revoked)) == 3
    open_registry(revoked.home).sync()
    assert objects(revoked) == {"nlp/secret2 w"}
