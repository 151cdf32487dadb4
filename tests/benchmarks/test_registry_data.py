import uuid
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import regtui
from benchmarks.registry_data import STORED, generate
from regtui.core import chain, encoding
from regtui.core.documents import decode_document
from regtui.core.identity import alias_id, model_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import decode_operation
from regtui.core.verdicts import Accepted, decode_verdict
from regtui.replica.database import Connection
from regtui.replica.projection import project
from regtui.replica.tables import COLUMNS, Row
from regtui.replica.unit import Replica

VERSIONS = 600


@pytest.fixture(scope="module", params=["judged", "multiplied"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        block = VERSIONS if request.param == "judged" else VERSIONS // 3
        generate(folder / "home", VERSIONS, block=block)
    return folder / "home"


@pytest.fixture
def connection(home: Path) -> Iterator[Connection]:
    with Replica(home).reading() as opened:
        yield opened


def test_there_are_as_many_versions_as_asked_for_and_the_stored_ones(home: Path) -> None:
    assert regtui.open(home).count("state:any") == VERSIONS + STORED


def test_the_stored_versions_verify(home: Path) -> None:
    registry = regtui.open(home)
    newest = registry.versions(limit=STORED).versions
    assert [registry.verify(one.short_id).damaged for one in newest] == [[]] * STORED


def test_the_history_is_what_was_done(home: Path) -> None:
    # But for the digests of documents that were changed once more, of which copies have none.
    kinds = {problem.kind for problem in regtui.open(home).verify_history().problems}
    assert kinds <= {"document"}


def test_ids_follow_from_names_and_digests(connection: Connection) -> None:
    for _, document in documents(connection):
        facts = document.facts
        if document.kind == "model":
            assert document.id == model_id(facts["name"], facts["generation"])
        elif document.kind == "version":
            assert document.id == version_id(facts["model"], facts["digest"])
        else:
            assert document.id == alias_id(facts["model"], facts["name"])


def test_rows_are_the_projection_of_the_documents(connection: Connection) -> None:
    keys = dict(connection.execute("select id::varchar, key from base.actor").fetchall())
    found = documents(connection)
    keys |= {document.id: key for key, document in found}
    expected: dict[str, list[tuple[Any, ...]]] = defaultdict(list)
    tables = {
        "model": ("model", "tag"),
        "version": ("version", "metric", "param", "tag", "parent", "input"),
        "alias": ("alias",),
    }
    for key, document in found:
        projected = project(key, document, keys.__getitem__, tables[document.kind])
        for table, some in projected.items():
            expected[table] += [stored(table, row) for row in some]
    for table, rows in expected.items():
        there = connection.execute(f"select * from base.{table}").fetchall()
        if "search" in COLUMNS[table]:
            there = [(*row[:-1], words(row[-1])) for row in there]
        assert sorted(map(repr, there)) == sorted(map(repr, rows))


def test_the_manifest_of_each_version_gives_its_digest(connection: Connection) -> None:
    files = defaultdict(list)
    for key, *entry in connection.execute(
        "select version, path, size, executable, lower(hex(digest)) from base.file"
    ).fetchall():
        files[key].append(FileEntry(*entry))
    versions = [(key, one) for key, one in documents(connection) if one.kind == "version"]
    assert all(content_digest(files[key]) == one.facts["digest"] for key, one in versions)


def test_operations_and_verdicts_form_chains_that_vouch_for_the_documents(
    connection: Connection,
) -> None:
    rows = connection.execute(
        "select o.seq, o.id::varchar, o.bytes, o.verdict, o.link, o.stream_link, s.id "
        "from base.operation o join base.stream s on s.key = o.stream order by seq"
    ).fetchall()
    tip, link, before = chain.GENESIS, chain.FIRST_LINK, 0
    streams: dict[str, bytes] = defaultdict(lambda: chain.FIRST_LINK)
    digests: dict[str, str] = {}
    for place, (seq, identity, data, sealed, linked, stream_linked, stream) in enumerate(rows, 1):
        operation, verdict = decode_operation(data.encode()), decode_verdict(sealed.encode())
        assert isinstance(verdict, Accepted)
        assert (seq, operation.n, operation.prev) == (place, place, tip)
        assert (operation.id, operation.stream, verdict.op) == (identity, stream, identity)
        assert operation.at == verdict.at_used > before
        tip, before = chain.tip(data.encode()), operation.at
        link = chain.link(link, data.encode(), sealed.encode())
        streams[stream] = chain.link(streams[stream], data.encode(), sealed.encode())
        assert (linked, stream_linked) == (link, streams[stream])
        digests |= verdict.documents
    row = connection.execute("select n, tip, clock_us, seq, link from base.replica").fetchone()
    assert row == (len(rows), tip, before, len(rows), link)
    for _, document in documents(connection):
        assert digests[document.id] == encoding.digest(encoding.encode(document))


def test_history_tells_the_values_of_the_documents(connection: Connection) -> None:
    found = dict(documents(connection))
    rows = connection.execute(
        "select entity, path, arg_max(after, seq) from base.log where path <> '' group by all"
    ).fetchall()
    for key, path, after in rows:
        assert encoding.encode(found[key].value(path)).decode() == after


def test_new_work_goes_on_where_the_generated_story_ends(home: Path) -> None:
    registry = regtui.open(home)
    version = registry.versions(limit=1).versions[0]
    assert registry.edit(version.reference, {"tags/seen": "yes"})
    assert registry.set_alias(version.reference, "newest")
    assert registry.version(version.reference).aliases[-1:] == ["newest"]


def documents(connection: Connection) -> list[tuple[int, Any]]:
    rows = connection.execute("select key, body from base.document").fetchall()
    return [(key, decode_document(body)) for key, body in rows]


def stored(table: str, row: Row) -> tuple[Any, ...]:
    """Return a projected row as the database gives it back."""
    columns = COLUMNS[table].items()
    return tuple(value(*column, given) for column, given in zip(columns, row, strict=True))


def value(column: str, kind: str, given: Any) -> Any:
    if given is None:
        return None
    if column == "search":
        return words(given)
    if kind == "uuid":
        return uuid.UUID(given)
    return float(given) if kind == "double" else given


def words(text: str) -> list[str]:
    """Return the words to search in no order, for they stand in that of the author's changes."""
    return sorted(text.split())
