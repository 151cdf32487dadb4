"""Replicas of every released schema open, lose nothing and can be written to.

`fixtures/schema-N.tar.gz` is a home as the program of that schema left it, `schema-N.json` what it
said of its models and versions then.
"""

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from regtui.registry import Registry, open_registry
from regtui.replica.database import connected
from regtui.replica.migrate import latest
from tests.replica.ledger import check_replica

FIXTURES = Path(__file__).parent / "fixtures"
SCHEMAS = sorted(int(path.stem[len("schema-") :]) for path in FIXTURES.glob("schema-*.json"))


def unpacked(schema: int, home: Path) -> Path:
    with tarfile.open(FIXTURES / f"schema-{schema}.tar.gz") as archive:
        archive.extractall(home, filter="data")
    return home


@pytest.fixture(params=SCHEMAS, ids="schema-{}".format)
def schema(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def registry(schema: int, tmp_path: Path) -> Registry:
    return open_registry(unpacked(schema, tmp_path / "old"))


def recorded(schema: int) -> dict[str, Any]:
    text = (FIXTURES / f"schema-{schema}.json").read_text(encoding="utf-8")
    answer: dict[str, Any] = json.loads(text)
    return answer


def as_json(answer: Any) -> dict[str, Any]:
    return {name: getattr(answer, name) for name in answer.__struct_fields__}


def test_every_schema_before_the_present_one_has_its_fixture() -> None:
    assert list(range(1, latest())) == SCHEMAS


def test_an_old_replica_says_what_it_said(registry: Registry, schema: int) -> None:
    expected = recorded(schema)
    versions = {v.id: as_json(v) for v in registry.versions("state:any").versions}
    models = {m.id: as_json(m) for m in registry.models(state="any")}
    assert versions.keys() == {version["id"] for version in expected["versions"]}
    assert {model["id"] for model in expected["models"]} <= models.keys()
    for kind, found in (("versions", versions), ("models", models)):
        for one in expected[kind]:
            # Newer programs say more, never something else.
            assert {name: found[one["id"]][name] for name in one} == one


def test_an_old_replica_holds_after_the_upgrade_and_after_new_work(registry: Registry) -> None:
    registry.versions()
    check_replica(registry.home)
    registry.edit("team/alpha@1", {"description": "written by a newer program"})
    registry.set_alias("team/alpha@1", "champion")
    check_replica(registry.home)
    assert registry.version("team/alpha@champion").description == "written by a newer program"


def test_an_old_replica_gives_its_files_back(registry: Registry, tmp_path: Path) -> None:
    assert registry.verify().damaged == []
    registry.checkout("team/alpha@2", tmp_path / "out")
    assert (tmp_path / "out" / "config.json").read_text(encoding="utf-8") == '{"layers":3}\n'


def test_a_copy_without_its_key_signs_as_a_new_replica(registry: Registry) -> None:
    registry.versions()
    before = replica_of(registry.home)
    registry.edit("team/alpha@1", {"description": "new"})
    with connected(registry.home / "registry.duckdb", read_only=True) as connection:
        signed = connection.execute(
            "select s.replica::varchar from base.signature s "
            "join base.enrolment e on e.replica = s.replica order by s.seq desc limit 1"
        ).fetchall()
    assert signed == [(replica_of(registry.home),)]
    assert replica_of(registry.home) != before


def replica_of(home: Path) -> str:
    with connected(home / "registry.duckdb", read_only=True) as connection:
        row = connection.execute("select id::varchar from base.replica").fetchone()
    assert row is not None
    return str(row[0])
