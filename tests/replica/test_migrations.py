from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.replica import migrate
from regtui.replica.database import connected, duckdb
from regtui.replica.unit import Replica
from tests.replica.ledger import check_replica


@pytest.fixture
def grown(registry: Registry, tmp_path: Path) -> Registry:
    """Return a registry with something in it, at the present schema."""
    (tmp_path / "m").write_text("x", encoding="utf-8")
    registry.capture(tmp_path / "m", model="ranker", tags={"a": "b"})
    return registry


Upgrade = Callable[..., int]


@pytest.fixture
def upgrade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Upgrade]:
    """Return a function that adds migrations to the program, and says the newest number."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for script in migrate.MIGRATIONS.glob("*.sql"):
        (folder / script.name).write_bytes(script.read_bytes())

    def add(*statements: str) -> int:
        number = max(int(path.name[:4]) for path in folder.glob("*.sql"))
        for statement in statements:
            number += 1
            (folder / f"{number:04d}_more.sql").write_text(statement, encoding="utf-8")
        monkeypatch.setattr(migrate, "MIGRATIONS", folder)
        migrate.latest.cache_clear()
        return number

    yield add
    migrate.latest.cache_clear()


def versions_of(database: Path) -> list[int]:
    with connected(database, read_only=True) as connection:
        rows = connection.execute("select version from base.schema_version order by 1").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("first", ["read", "write"])
def test_an_older_registry_is_brought_up_to_date_by_its_first_use(
    grown: Registry, upgrade: Upgrade, first: str
) -> None:
    newest = upgrade("create table base.more (i int); insert into base.more values (7)")
    if first == "read":
        assert grown.version("ranker@1").tags == {"a": "b"}
    else:
        grown.edit("ranker@1", {"tags/a": "c"})
    database = grown.context.replica.home.database
    assert versions_of(database) == list(range(1, newest + 1))
    with connected(database, read_only=True) as connection:
        assert connection.execute("from base.more").fetchall() == [(7,)]


def test_a_copy_is_taken_before_each_migration(grown: Registry, upgrade: Upgrade) -> None:
    before = versions_of(grown.context.replica.home.database)
    newest = upgrade("create table base.a (i int)", "create table base.b (i int)")
    grown.count()
    copies = sorted((grown.home / "backups").glob("before-*"))
    assert [copy.name[:11] for copy in copies] == [
        f"before-{newest - 1:04d}",
        f"before-{newest:04d}",
    ]
    assert [versions_of(copy) for copy in copies] == [before, [*before, newest - 1]]
    with connected(copies[0], read_only=True) as connection:
        assert connection.execute("select name from base.model").fetchall() == [("ranker",)]


def test_the_copy_holds_what_only_the_log_held(
    grown: Registry, upgrade: Upgrade, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = grown.context.replica.home.database
    with duckdb.connect(str(database)) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("insert into base.text values ('only', 'in the log')")
    assert database.with_name("registry.duckdb.wal").exists()
    upgrade("create table base.a (i int)")
    grown.count()
    (copy,) = (grown.home / "backups").glob("before-*")
    with connected(copy, read_only=True) as connection:
        assert connection.execute("from base.text").fetchall() == [("only", "in the log")]


@pytest.mark.parametrize(
    "broken", ["create table base.model (i int)", "nonsense", "select error('x')"]
)
def test_a_migration_that_fails_changes_nothing(
    grown: Registry, upgrade: Upgrade, broken: str
) -> None:
    database = grown.context.replica.home.database
    before = versions_of(database)
    upgrade(f"create table base.half (i int); {broken}")
    with pytest.raises((RegtuiError, duckdb.Error)):
        grown.count()
    assert versions_of(database) == before
    with connected(database, read_only=True) as connection:
        assert connection.execute(
            "select count(*) from duckdb_tables() where table_name = 'half'"
        ).fetchone() == (0,)
    upgrade()


def test_a_new_registry_needs_no_copy(upgrade: Upgrade, tmp_path: Path) -> None:
    newest = upgrade("create table base.more (i int)")
    replica = Replica(tmp_path / "new")
    with replica.reading():
        pass
    assert versions_of(replica.home.database)[-1] == newest
    assert not replica.home.backups.exists()


def test_a_newer_registry_is_left_alone(grown: Registry) -> None:
    database = grown.context.replica.home.database
    with connected(database, read_only=False) as connection:
        connection.execute("insert into base.schema_version values (9999, 0)")
    before = database.read_bytes()
    for use in (grown.count, lambda: grown.edit("ranker@1", {"tags/a": "c"})):
        with pytest.raises(RegtuiError, match="has schema 9999"):
            use()
    assert database.read_bytes() == before


def test_an_older_registry_is_whole_after_its_migration(grown: Registry, upgrade: Upgrade) -> None:
    upgrade("create table base.more (i int)")
    grown.edit("ranker@1", {"tags/a": "c"})
    check_replica(grown.home)
