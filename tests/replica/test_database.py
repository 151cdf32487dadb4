import signal
from pathlib import Path

import _duckdb
import duckdb as public
import pytest

from regtui.core.errors import BadInput, Busy, Damaged, RegtuiError
from regtui.replica import database
from regtui.replica.database import NoRoom, configuration, connected, translated

USED = (
    "connect", "Error", "ParserException", "BinderException", "CatalogException", "IOException",
    "InternalException", "FatalException", "OutOfMemoryException", "DuckDBPyConnection",
)  # fmt: skip


def test_the_compiled_module_is_the_public_one_without_its_layers() -> None:
    assert database.duckdb is _duckdb
    for name in USED:
        assert getattr(_duckdb, name) is getattr(public, name), name
    assert _duckdb.__version__ == public.__version__
    assert public.__version__.split(".")[0] == "2"


def test_the_configuration_holds(tmp_path: Path) -> None:
    with connected(tmp_path / "x.duckdb", read_only=False) as connection:
        wanted = configuration()
        for name in ("threads", "autoinstall_known_extensions", "python_enable_replacements"):
            row = connection.execute(f"select current_setting('{name}')").fetchone()
            assert row == (wanted[name],)


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"garbage" * 1_000)
    with pytest.raises(Damaged, match="is damaged"), connected(tmp_path / "x", read_only=True):
        pass


def test_a_file_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(RegtuiError), connected(tmp_path / "x", read_only=True):
        pass
    assert not (tmp_path / "x").exists()


def test_what_does_not_fit_the_memory_goes_beside_the_file_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_MEMORY", "24MB")
    for name in ("x", "y", "x"):
        with connected(tmp_path / name, read_only=False) as connection:
            row = connection.execute(
                "select max(r), current_setting('temp_directory') from "
                "(select row_number() over (order by hash(a)) r from range(3000000) t(a))"
            ).fetchone()
            assert row == (3_000_000, f"{tmp_path / name}.tmp")
            assert (tmp_path / f"{name}.tmp").exists()
        assert not (tmp_path / f"{name}.tmp").exists()


def test_where_what_did_not_fit_is_gone_the_next_file_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_MEMORY", "24MB")
    with connected(tmp_path / "x", read_only=False) as connection:
        connection.execute(
            "create table t as select a from range(3000000) t(a) order by hash(a), a"
        )
        (tmp_path / "x.tmp").rename(tmp_path / "elsewhere")  # as another reader of it may do
    with connected(tmp_path / "y", read_only=False) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_memory_that_is_no_amount_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGTUI_MEMORY", "a lot")
    with (
        pytest.raises(BadInput, match="'a lot' is no amount"),
        connected(tmp_path / "x", read_only=False),
    ):
        pass


def test_nothing_holds_a_file_that_nobody_uses(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with connected(path, read_only=False) as connection:
        connection.execute("create table t as select 1 as a")
    for _ in range(2):
        with connected(path, read_only=True) as one, connected(path, read_only=True) as other:
            assert one.execute("from t").fetchall() == other.execute("from t").fetchall()
            assert _open_files(path) == 1
        assert _open_files(path) == 0

    def fail() -> None:
        with connected(path, read_only=False) as connection:
            connection.execute("insert into t values (2)")
            connection.execute("begin")
            connection.execute("insert into t values (3)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert _open_files(path) == 0
    with connected(path, read_only=True) as connection:
        assert connection.execute("from t").fetchall() == [(1,), (2,)]


def test_ctrl_c_while_a_file_is_closed_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with connected(path, read_only=False) as connection:
        connection.execute("create table t as select 1 as a")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        for place in range(200):
            try:
                with connected(path, read_only=place % 2 > 0) as connection:
                    connection.execute("select count(*) from t")
                    signal.setitimer(signal.ITIMER_REAL, 0.000_005 * (place + 1))
                signal.setitimer(signal.ITIMER_REAL, 0)
            except KeyboardInterrupt:
                interrupted += 1
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            assert _open_files(path) == 0, place
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted
    with connected(path, read_only=False) as connection:
        assert connection.execute("from t").fetchall() == [(1,)]


@pytest.mark.parametrize("read_only", [False, True])
def test_who_fails_leaves_the_file_to_others_who_have_it_open(
    tmp_path: Path, *, read_only: bool
) -> None:
    path = tmp_path / "x"
    with connected(path, read_only=False) as connection:
        connection.execute("create table t as select 1 as a")

    def fail() -> None:
        with connected(path, read_only=read_only):
            raise ZeroDivisionError

    with connected(path, read_only=read_only) as first:
        with pytest.raises(ZeroDivisionError):
            fail()
        with connected(path, read_only=read_only) as second:
            assert first.execute("from t").fetchall() == second.execute("from t").fetchall()
    assert _open_files(path) == 0
    with connected(path, read_only=read_only) as third:
        assert third.execute("from t").fetchall() == [(1,)]


def test_what_another_file_took_its_place_is_read(tmp_path: Path) -> None:
    for number in range(3):
        with connected(tmp_path / "new", read_only=False) as connection:
            connection.execute(f"create table t as select {number} as a")
        (tmp_path / "new").replace(tmp_path / "x")
        with connected(tmp_path / "x", read_only=True) as connection:
            assert connection.execute("from t").fetchall() == [(number,)]


def _open_files(path: Path) -> int:
    opened = Path("/proc/self/fd").iterdir()
    return sum(one.is_symlink() and one.readlink() == path for one in opened)


LOCKED = "IO Error: Could not set lock on file: "
TOLD = {
    LOCKED + "Conflicting lock is held in /bin/duckdb (PID 7) by ann": (
        Busy,
        "/bin/duckdb (pid 7)",
    ),
    LOCKED + "Resource temporarily unavailable": (Busy, "another program has"),
    "IO Error: Could not write: No space left on device": (NoRoom, "is full"),
    "IO Error: Could not write: File too large": (NoRoom, "is full"),
    'IO Error: Cannot open "/home/walter/corrupt/x": Permission denied': (
        RegtuiError,
        "permission",
    ),
    "IO Error: Corrupt file: computed checksum 1 does not match": (Damaged, "is damaged"),
    "IO Error: Trying to read a database file with version number 9, but": (RegtuiError, "newer"),
    "Serialization Error: Failed to deserialize: field id mismatch": (Damaged, "is damaged"),
    'IO Error: Cannot read "/home/walter/corrupt/x"': (RegtuiError, "failed: IO Error"),
}


@pytest.mark.parametrize("text", TOLD)
def test_errors_of_the_file_are_told_in_our_words(text: str) -> None:
    error, words = TOLD[text]
    with pytest.raises(error) as told, translated(Path("/home/walter/corrupt/x")):
        raise public.IOException(text)
    assert type(told.value) is error
    assert words in told.value.message


def test_mistakes_in_sql_pass() -> None:
    with pytest.raises(public.ParserException), translated(Path("x")):
        raise public.ParserException("Parser Error")


def test_an_interrupted_question_is_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), translated(Path("x")):
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match="other"), translated(Path("x")):
        raise RuntimeError("other")
