from pathlib import Path

import _duckdb
import duckdb as public
import pytest

from regtui.core.errors import Busy, Damaged, RegtuiError
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
