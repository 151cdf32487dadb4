"""Totals: what the registry holds, counted."""

from pathlib import Path

from regtui.registry import Registry
from regtui.registry.totals import Totals


def test_an_empty_registry_holds_nothing(registry: Registry) -> None:
    assert registry.totals() == Totals(versions=0, models=0, conflicts=0)


def test_what_is_put_away_is_not_counted(ranker: Registry, run: Path) -> None:
    ranker.capture(run, model="other")
    before = ranker.totals()
    assert (before.versions, before.models) == (ranker.count(), len(ranker.models()))

    ranker.change_state("version", "ranker@2", "archive")
    assert ranker.totals().versions == before.versions - 1

    ranker.change_state("model", "other", "archive")
    after = ranker.totals()
    assert (after.versions, after.models) == (before.versions - 2, before.models - 1)
    assert after.versions == ranker.count()
