"""Courses: how a metric went over the versions of a model, for the small curves of a list."""

from collections.abc import Sequence

from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context

LENGTH = 8
"""Values of one course."""


def courses(
    context: Context, versions: Sequence[VersionAnswer], metric: str
) -> dict[str, tuple[float, ...]]:
    """Return by id, for versions of one model, a metric's values over the versions up to each.

    Args:
        context: The registry.
        versions: Of one model; those without a number are left out.
        metric: Its name.
    """
    numbers = [version.number for version in versions if version.number is not None]
    if not numbers:
        return {}
    with context.reading() as connection:
        rows = connection.execute(
            "select v.number, t.value from base.version v "
            "join base.metric t on t.version = v.key and t.name = ? "
            "where v.model = (select model from base.version where id = ?) "
            "and v.number between ? and ? and v.state <> 'deleted' and isfinite(t.value) "
            "order by v.number",
            [metric, versions[0].id, min(numbers) - 4 * LENGTH, max(numbers)],
        ).fetchall()
    found: dict[str, tuple[float, ...]] = {}
    for version in versions:
        if version.number is not None:
            earlier = [value for number, value in rows if number <= version.number]
            found[version.id] = tuple(earlier[-LENGTH:])
    return found


def course(
    context: Context, version: VersionAnswer, metric: str, length: int
) -> list[tuple[int, float]]:
    """Return a metric's values over the versions of a model, up to this one and beyond it.

    Args:
        context: The registry.
        version: Lies in their middle where there are as many behind it; has a number.
        metric: Its name.
        length: About how many versions at most.
    """
    middle = version.number or 0
    with context.reading() as connection:
        return connection.execute(
            "select v.number, t.value from base.version v "
            "join base.metric t on t.version = v.key and t.name = ? "
            "where v.model = (select model from base.version where id = ?) "
            "and v.number between ? and ? and v.state <> 'deleted' and isfinite(t.value) "
            "order by v.number",
            [metric, version.id, middle - length // 2, middle + length // 2],
        ).fetchall()
