"""What is known of a run stands in the places of its versions, with long texts kept once."""

from pathlib import Path

import pytest

from regtui.capture.context import RunContext
from regtui.registry import Registry
from regtui.registry.run_contexts import keep_run_context
from regtui.registry.surroundings import kept_packages
from regtui.replica.database import connected
from tests.registry.bundles import person
from tests.registry.test_comparing import put_place

CONTEXT = RunContext(
    values={"git": {"commit": "3f9c", "dirty": True}, "command": ["python", "train.py"]},
    packages={"numpy": "2.1", "torch": "2.13"},
    diff="-lr = 0.1\n+lr = 0.2",
)


@pytest.fixture
def placed(registry: Registry, run: Path) -> Registry:
    """Return a registry with two versions of one run."""
    registry.capture(run, model="ranker")
    registry.capture(run / "model.bin", model="ranker")
    for number in (1, 2):
        with registry.context.writing() as authority:
            values = keep_run_context(authority.connection, CONTEXT)
        put_place(registry, f"ranker@{number}", values, at=number)
    return registry


def texts(registry: Registry) -> list[str]:
    with connected(registry.home / "registry.duckdb", read_only=True) as connection:
        return [row[0] for row in connection.execute("select value from base.text").fetchall()]


def test_packages_and_diff_are_kept_once_for_all_versions_of_a_run(placed: Registry) -> None:
    context = placed.places("ranker@1")[0].context

    assert set(texts(placed)) == {'{"numpy":"2.1","torch":"2.13"}', CONTEXT.diff}
    assert len(texts(placed)) == 2
    assert context["command"] == ["python", "train.py"]
    assert context["git"]["commit"] == "3f9c"
    assert kept_packages(placed.context, context["packages"]) == CONTEXT.packages


def test_they_travel_with_a_version_and_with_a_registry(placed: Registry, tmp_path: Path) -> None:
    for what in ("ranker@1", None):
        there = person("ben", tmp_path / f"ben-{what}")
        placed.export(what, tmp_path / "sent.regtui", replace=True)
        there.import_bundle(tmp_path / "sent.regtui")
        assert sorted(texts(there)) == sorted(texts(placed))
        assert there.verify_history().problems == []


def test_the_doctor_tells_of_lost_ones(placed: Registry) -> None:
    assert placed.doctor().healthy
    with connected(placed.home / "registry.duckdb", read_only=False) as connection:
        connection.execute("delete from base.text where value like '%numpy%'")
    assert {one.check for one in placed.doctor().checks if one.status == "problem"} == {"texts"}


def test_a_context_without_long_texts_keeps_none(registry: Registry) -> None:
    with registry.context.writing() as authority:
        assert keep_run_context(authority.connection, RunContext(values={"cores": 2})) == {
            "cores": 2
        }
    assert texts(registry) == []
