"""Totals: how much a registry holds, in three numbers that cost next to nothing."""

from msgspec import Struct

from regtui.registry.context import Context


class Totals(Struct, frozen=True, kw_only=True):
    """What there is in all.

    Attributes:
        versions: Captured versions of active models.
        models: Active models.
        conflicts: Open conflicts.
    """

    versions: int
    models: int
    conflicts: int


def totals(context: Context) -> Totals:
    """Return how much there is."""
    with context.reading() as connection:
        row = connection.execute(
            "select (select count(*) from base.version v join base.model m on m.key = v.model "
            "where v.state = 'captured' and m.state = 'active'), "
            "(select count(*) from base.model where state = 'active'), "
            "(select count(*) from base.conflict where open)"
        ).fetchone()
    versions, models, conflicts = row or (0, 0, 0)
    return Totals(versions=versions, models=models, conflicts=conflicts)
