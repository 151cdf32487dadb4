"""What every sync asks is answered from an index, however much there is."""

from typing import Any

import sqlalchemy as sa

from tests.sync.conftest import ann, world
from tests.sync.world import Person, World

__all__ = ["ann", "world"]


def plans(world: World, statements: list[tuple[str, Any]]) -> list[str]:
    """Return how SQLite answers queries."""
    found: list[str] = []
    with world.database.reading() as connection:
        for statement, given in statements:
            rows = connection.exec_driver_sql(f"explain query plan {statement}", given)
            found += [f"{row[3]}  ({statement[:90]})" for row in rows]
    return found


def test_no_sync_looks_at_every_entity(world: World, ann: Person) -> None:
    for number in range(12):
        ann.registry.create_model(f"m{number}")
    ann.sync()
    asked: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, given: Any, _x: Any, _m: Any) -> None:
        if statement.lower().startswith("select"):
            asked.append((statement, given))

    sa.event.listen(world.database.engine, "before_cursor_execute", note)
    ann.registry.create_model("new")
    ann.sync()
    sa.event.remove(world.database.engine, "before_cursor_execute", note)
    told = plans(world, asked)
    assert any("entity_minted" in plan for plan in told), told
    for table in ("entity", "operation", "text_ref", "text"):
        wide = [
            plan
            for plan in told
            if plan.startswith(f"SCAN {table} ") or f"INDEX {table}_seq (registry=?)" in plan
        ]
        assert not wide, wide
