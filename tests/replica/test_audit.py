"""The audit holds for every registry that was written by this program, and notices any change."""

import shutil
from pathlib import Path
from typing import Any

import pytest

import regtui
from regtui.core.access import Actor, Grant, Role
from regtui.core.errors import BadInput, Damaged
from regtui.core.identity import user_id
from regtui.core.operations import EditBody
from regtui.registry import Registry
from regtui.registry.changes import changes
from regtui.registry.series import parse_series
from regtui.replica.database import Connection, connected
from regtui.replica.tables import COLUMNS
from regtui.replica.unit import Replica
from tests.depth import few_of
from tests.replica.ledger import check_replica

REPLICA = ("id", "registry", "created", "n", "tip", "clock_us", "seq", "link", "next_key")
VOUCHED = {
    table: tuple(COLUMNS[table])
    for table in (
        *("operation", "document", "text", "file", "signature", "enrolment", "stream", "actor"),
    )
} | {"replica": REPLICA}


@pytest.fixture(scope="session")
def told_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a registry in which everything was done once, with its keys beside it."""
    folder = tmp_path_factory.mktemp("told")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        registry = regtui.open(folder / "home")
        for content in ("one", "two"):
            file = folder / content
            file.write_text(content, encoding="utf-8")
            registry.capture(file, model="m", metrics={"f1": 0.5}, alias="champion")
        registry.add_series("m@1", parse_series("step,loss\n0,1\n1,0.5\n"))
        registry.edit("m", {"card": "# Model\n", "tags/a": "b"})
        registry.edit("m", {"card": "# Model\n\nIt ranks.\n"})
        registry.add_comment("m@1", "looks good")
        registry.put_dataset("d", {"uri": "s3://a"})
        registry.revert("m@champion")
        registry.undo()
    return folder


@pytest.fixture
def told(told_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    monkeypatch.setenv("REGTUI_CONFIG", str(told_home / "config"))
    return regtui.open(shutil.copytree(told_home / "home", tmp_path / "told"))


def test_what_was_written_by_this_program_holds(told: Registry) -> None:
    found = told.verify_history()

    assert found.ok, found.problems
    assert (found.operations, found.count, found.problems) == (told.anchor().seq, 0, [])
    assert (found.documents, found.texts, found.files) == (6, 3, 2)
    assert found.signatures == 9
    assert found.unsigned == []
    assert found.extends is None
    assert found.anchor == told.anchor()


def test_a_registry_in_which_nothing_was_done_holds(registry: Registry) -> None:
    found = registry.verify_history(registry.anchor().anchor)

    assert found.ok
    assert found.extends
    assert found.operations == 0


@pytest.mark.parametrize(
    ("table", "column"),
    # One of each table, then the others: an order that does not depend on the tables' lengths.
    few_of(
        sorted(
            ((table, name) for table, names in VOUCHED.items() for name in names),
            key=lambda one: VOUCHED[one[0]].index(one[1]),
        ),
        2 * len(VOUCHED),
    ),
)
def test_a_change_of_any_value_is_noticed(told: Registry, table: str, column: str) -> None:
    database = told.context.replica.home.database
    whole = database.read_bytes()
    with connected(database, read_only=True) as connection:
        rows = connection.execute(f"select rowid from base.{table}").fetchall()
    for (row,) in {rows[0], rows[-1]}:
        with connected(database, read_only=False) as connection:
            flip(connection, table, column, row)

        found = told.verify_history()

        assert not found.ok, (table, column, row)
        assert found.count == len(found.problems) > 0
        assert all(problem.kind and problem.problem for problem in found.problems)
        database.write_bytes(whole)


def flip(connection: Connection, table: str, column: str, row: int) -> None:
    """Change one value by a bit, a byte or one."""
    (value,) = connection.execute(
        f"select {column} from base.{table} where rowid = ?", [row]
    ).fetchone() or (None,)
    connection.execute(
        f"update base.{table} set {column} = ? where rowid = ?", [flipped(column, value), row]
    )


def flipped(column: str, value: Any) -> Any:
    if column == "next_key":
        return value - 1  # a larger one gives no key out twice
    if column == "key":
        return value + 1000  # the next one is taken
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        place = len(value) // 2
        return value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
    text = str(value)
    place = len(text) // 3  # no hyphen of a UUID
    other = "1" if text[place : place + 1] != "1" else "2"
    return text[:place] + other + text[place + 1 :]


@pytest.mark.parametrize("fact", ['"files":', '"size":', '"digest":', '"files":1', '"size":3'])
def test_a_version_that_lacks_what_every_one_has_is_noticed(told: Registry, fact: str) -> None:
    name, _, value = fact.partition(":")
    changed = f'{name}:"{value}"' if value else f'"other{name[1:]}:'
    with connected(told.context.replica.home.database, read_only=False) as connection:
        connection.execute(
            "update base.document set body = replace(body, ?, ?) where kind = 'version'",
            [fact, changed],
        )

    found = told.verify_history()

    assert {problem.kind for problem in found.problems} == {"document"}


@pytest.mark.parametrize(
    "table", few_of(["operation", "document", "text", "file", "stream", "enrolment"], 4)
)
def test_a_row_that_was_taken_away_is_noticed(told: Registry, table: str) -> None:
    database = told.context.replica.home.database
    whole = database.read_bytes()
    with connected(database, read_only=True) as connection:
        rows = connection.execute(f"select rowid from base.{table}").fetchall()
    # Of the texts only those that stand are named by anything else.
    for (row,) in {rows[0], rows[-1]} if table != "text" else {rows[-1]}:
        with connected(database, read_only=False) as connection:
            connection.execute(f"delete from base.{table} where rowid = ?", [row])
        assert not told.verify_history().ok, (table, row)
        database.write_bytes(whole)


@pytest.mark.parametrize("table", ["operation", "document", "file", "stream"])
def test_a_row_that_is_there_twice_is_noticed(told: Registry, table: str) -> None:
    with connected(told.context.replica.home.database, read_only=False) as connection:
        columns = ", ".join(COLUMNS[table])
        if table == "document":
            columns = columns.replace("key, id,", "key + 1000, uuid(), ")
        connection.execute(f"insert into base.{table} select {columns} from base.{table} limit 1")

    assert not told.verify_history().ok


def test_a_series_that_was_lost_is_noticed(told: Registry) -> None:
    with connected(told.context.replica.home.database, read_only=False) as connection:
        connection.execute("delete from base.text where starts_with(value, '{\"steps\"')")

    assert [problem.problem for problem in told.verify_history().problems] == [
        "a text of it is missing"
    ]


def test_a_replica_that_does_not_say_which_it_is_is_damaged(told: Registry) -> None:
    with connected(told.context.replica.home.database, read_only=False) as connection:
        connection.execute("delete from base.replica")

    for verb in (told.verify_history, told.log, lambda: told.edit("m", {"tags/a": "c"})):
        with pytest.raises(Damaged, match="which registry"):
            verb()


@pytest.mark.parametrize("lost", ["all signatures", "the last one"])
def test_a_signature_that_was_taken_away_is_not_made_anew_by_the_next_change(
    told: Registry, tmp_path: Path, lost: str
) -> None:
    told.edit("m", {"tags/own": "1"})  # the home is a copy: from now on its key is its own
    assert told.verify_history().ok
    last = "" if lost == "all signatures" else "where seq = (select max(seq) from base.signature)"
    with connected(told.context.replica.home.database, read_only=False) as connection:
        connection.execute(f"delete from base.signature {last}")

    told.edit("m", {"tags/own": "2"})
    told.edit("m", {"tags/own": "3"})

    found = told.verify_history()
    assert "signature" in {problem.kind for problem in found.problems}
    checks = {one.check: one.status for one in told.doctor().checks}
    assert checks["signature"] == "problem"
    copy = regtui.open(shutil.copytree(told.home, tmp_path / "copy"))
    copy.edit("m", {"tags/own": "4"})
    copy.edit("m", {"tags/own": "5"})
    assert "signature" in {problem.kind for problem in copy.verify_history().problems}
    told.export(None, tmp_path / "bundle")
    with pytest.raises(Damaged, match="not signed"):
        regtui.open(tmp_path / "new").import_bundle(tmp_path / "bundle")


def test_a_problem_names_the_operation(told: Registry) -> None:
    with connected(told.context.replica.home.database, read_only=False) as connection:
        flip(connection, "operation", "verdict", 4)

    names = {(problem.kind, problem.name) for problem in told.verify_history().problems}

    assert ("operation", "#5") in names


def test_a_history_whose_end_was_cut_off_is_noticed_by_an_anchor_only(told: Registry) -> None:
    database = told.context.replica.home.database
    before, shorter = told.anchor(), database.read_bytes()
    told.edit("m", {"description": "more"})
    after = told.anchor()
    assert told.verify_history(before.anchor).ok
    assert told.verify_history(after.anchor).ok

    database.write_bytes(shorter)

    assert told.verify_history().ok
    found = told.verify_history(after.anchor)
    assert not found.ok
    assert found.extends is False
    assert "ends" in found.problems[0].problem


def test_another_history_of_the_same_registry_is_noticed_by_an_anchor(told: Registry) -> None:
    database = told.context.replica.home.database
    common = database.read_bytes()
    told.edit("m", {"description": "one"})
    anchor = told.anchor()
    database.write_bytes(common)
    told.edit("m", {"description": "two"})
    told.edit("m", {"description": "three"})

    found = told.verify_history(anchor.anchor)

    assert told.verify_history().ok
    assert (found.ok, found.extends) == (False, False)


@pytest.mark.parametrize(
    "text", ["", "x", "regtui1.a.1.b", "regtui1.{0}.1.{1}", "regtui2.{0}.0.{2}"]
)
def test_a_malformed_anchor_is_refused(told: Registry, text: str) -> None:
    with pytest.raises(BadInput, match="no anchor"):
        told.verify_history(text.format("A" * 22, "A" * 42, "A" * 43))


def test_the_anchor_of_another_registry_is_refused(told: Registry, registry: Registry) -> None:
    with pytest.raises(BadInput, match="another registry"):
        told.verify_history(registry.anchor().anchor)


def test_a_copy_goes_on_under_a_key_of_its_own_and_holds(told: Registry, tmp_path: Path) -> None:
    copy = regtui.open(shutil.copytree(told.home, tmp_path / "copy"))
    anchor = told.anchor()

    copy.edit("m", {"description": "copied"})

    found = copy.verify_history(anchor.anchor)
    assert found.ok, found.problems
    assert found.unsigned == []
    check_replica(copy.home)


def test_operations_of_a_replica_that_is_not_enrolled_are_told_and_are_no_failure(
    told: Registry, tmp_path: Path
) -> None:
    copy = Replica(Path(shutil.copytree(told.home, tmp_path / "copy")))
    ben = Actor(user_id("ben"), "ben", (Grant(Role.ADMIN, "*"),))
    head = told.anchor().seq
    with copy.writing(ben, "api", "s") as authority:
        model = authority.view.holder("m")
        assert model is not None
        made = changes({"description": "ben's"}, "model", model)
        authority.submit("model.edit", model.id, model.id, EditBody(made))
    with copy.reading() as connection:
        row = connection.execute("select bytes from base.operation order by seq desc").fetchone()
    assert row is not None
    with told.context.writing() as authority:
        authority.receive(row[0].encode(), ben)

    found = told.verify_history()

    assert found.ok, found.problems
    assert [(gap.first, gap.last) for gap in found.unsigned] == [(head + 1, head + 1)]
    check_replica(told.home)


def test_others_may_write_while_it_looks(told: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regtui.replica.audit.OPERATIONS_PAGE", 3)
    monkeypatch.setattr("regtui.replica.audit.DOCUMENTS_PAGE", 2)
    writes = 0

    def write(_: int) -> None:
        nonlocal writes
        if writes < 8:
            writes += 1
            told.edit("m", {"description": f"{writes}", "card": f"# {writes}\n"})

    found = told.verify_history(on_progress=write)

    assert writes == 8
    assert found.ok, found.problems


def test_a_replica_that_an_older_program_made_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fixture = Path(__file__).parent / "fixtures" / "schema-1.tar.gz"
    shutil.unpack_archive(fixture, tmp_path / "old", filter="data")
    home = next((tmp_path / "old").rglob("registry.duckdb")).parent
    registry = regtui.open(home)
    before = registry.verify_history()
    model = registry.models(state="any")[0].model

    registry.edit(model, {"description": "written by the newer program"})

    found = registry.verify_history(before.anchor.anchor)
    assert before.ok, before.problems
    assert found.ok, found.problems
    assert [(gap.first, gap.last) for gap in before.unsigned] == [(1, before.operations)]
    assert [(gap.first, gap.last) for gap in found.unsigned] == [(1, before.operations)]
    assert found.signatures == 1
