"""Marks of production: which versions are live where, and for which ones somebody asks.

What is live, and what is asked for, is little, however many versions there are: it is read as a
whole, and lists look their rows up in it.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from regtui.registry.context import Context


class Marks(Struct, frozen=True, kw_only=True):
    """What is live and what is asked for.

    Attributes:
        live: Environments where a version is live, by its id.
        asked: How many open requests are for a version, by its id.
        live_of: How many deployments of a model are live, by its name.
        asked_of: How many open requests there are of a model, by its name.
    """

    live: Mapping[str, Sequence[str]] = {}
    asked: Mapping[str, int] = {}
    live_of: Mapping[str, int] = {}
    asked_of: Mapping[str, int] = {}

    def __bool__(self) -> bool:
        """Tell whether there is anything."""
        return bool(self.live_of or self.asked_of)


def marks(context: Context) -> Marks:
    """Return what is live, and what is asked for."""
    with context.reading() as connection:
        live = connection.execute(
            "select m.name, v.id::varchar, d.environment from base.deployment d "
            "join base.model m on m.key = d.model join base.version v on v.key = d.version "
            "where d.state = 'live' and m.state <> 'deleted' order by d.environment, d.key"
        ).fetchall()
        asked = connection.execute(
            "select m.name, v.id::varchar from base.promotion p "
            "join base.model m on m.key = p.model left join base.version v on v.key = p.version "
            "where p.state = 'open' and m.state <> 'deleted'"
        ).fetchall()
    where: dict[str, dict[str, None]] = {}
    live_of: dict[str, int] = {}
    for model, version, environment in live:
        where.setdefault(version, {})[environment] = None
        live_of[model] = live_of.get(model, 0) + 1
    asked_for: dict[str, int] = {}
    asked_of: dict[str, int] = {}
    for model, version in asked:
        asked_of[model] = asked_of.get(model, 0) + 1
        if version is not None:
            asked_for[version] = asked_for.get(version, 0) + 1
    return Marks(
        live={version: tuple(names) for version, names in where.items()},
        asked=asked_for,
        live_of=live_of,
        asked_of=asked_of,
    )
