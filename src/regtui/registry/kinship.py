"""Kinship: the versions that a new one was made from, found by what its trainer says.

A trainer names what it started from in its own words: the path of a checkpoint, a model on a hub,
the digest of a file. Each is looked for among what the registry holds, the newest where several
fit; what is not here is no parent, for a wrong one is worse than none. A version is never its own
parent. Where the trainer says nothing, tensors that are the same to the last bit tell.
"""

import os
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress

from regtui.capture.findings import ParentHint
from regtui.core.errors import BadInput, NotFound
from regtui.core.identity import name_key
from regtui.registry.references import find_version
from regtui.replica.database import Connection

SHARE = 0.5
"""Part of its bytes in tensors that a version must share with another one to come from it."""

NEWEST = 20_000
"""Files, the newest of the registry, whose tensors are compared: a million take too long."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


def hinted_parents(
    connection: Connection, hints: Iterable[ParentHint], *, folder: str, own: str = ""
) -> list[str]:
    """Return the versions that hints mean, in their order, each once.

    Args:
        connection: The open replica.
        hints: What the trainer says that the version was made from.
        folder: The folder that relative paths start at.
        own: Id of the version itself, which is left out.

    Returns:
        Their ids.
    """
    found = (_meant(connection, hint.reference.strip(), folder, own) for hint in hints)
    return list(dict.fromkeys(one for one in found if one is not None))


def parent_by_tensors(
    connection: Connection, tensors: Mapping[str, int], *, outside: str, own: str = ""
) -> str | None:
    """Return the version that shares most with a new one, if that is at least half.

    Of several the first one is where the weights came from. Those of the same run share with each
    other what was frozen, and come from none of them.

    Args:
        connection: The open replica.
        tensors: Bytes by digest of the new version's tensors.
        outside: The folder of its run.
        own: Its id.
    """
    if not tensors:
        return None
    least = max(1, int(SHARE * sum(tensors.values())))
    return _one(
        connection,
        """
        with mine as (
            select unhex(unnest(?::varchar[])) as digest, unnest(?::bigint[]) as size
        ),
        near as (
            select t.layout, m.digest, m.size from base.tensor t join mine m using (digest)
             where t.layout > (select max(key) from base.layout) - ?
        ),
        shared as (
            select v.key, v.id, v.created, sum(distinct_size) as bytes from (
                select f.version, n.digest, any_value(n.size) as distinct_size
                  from near n
                  join base.layout y on y.key = n.layout
                  join base.file f on f.digest = y.digest
                 group by all
            ) join base.version v on v.key = version
             where v.state <> 'deleted' and v.id::varchar <> ?
               and v.source is not null
               and v.source <> ? and not starts_with(v.source, ?)
             group by all
        )
        select id::varchar from shared where bytes >= ?
         order by bytes desc, created, key limit 1
        """,
        [list(tensors), list(tensors.values()), NEWEST, own, outside, f"{outside}/", least],
    )


def _meant(connection: Connection, reference: str, folder: str, own: str) -> str | None:
    if not reference or not reference.isprintable():
        return None
    if _DIGEST.fullmatch(reference):
        return _with_file(connection, reference, own)
    if "@" in reference or reference.startswith(":"):
        with suppress(BadInput, NotFound):  # a path may have such a name, too
            _, version = find_version(connection, reference)
            return None if version.id == own else version.id
    return _found_at(connection, reference, folder, own) or _newest_of(connection, reference, own)


def _with_file(connection: Connection, digest: str, own: str) -> str | None:
    return _one(
        connection,
        "select v.id::varchar from base.file f join base.version v on v.key = f.version "
        "where f.digest = unhex(?) and v.state <> 'deleted' and v.id::varchar <> ? "
        "order by v.created desc, v.key desc limit 1",
        [digest, own],
    )


def _found_at(connection: Connection, reference: str, folder: str, own: str) -> str | None:
    """Return the newest version that was found at a path, or at the path of the folder around it.

    Trainers name the checkpoint's folder or a file in it; a version may be either.
    """
    path = os.path.normpath(os.path.join(folder, os.path.expanduser(reference)))  # noqa: PTH111, PTH118
    paths = [path, os.path.dirname(path)] if os.path.splitext(path)[1] else [path]  # noqa: PTH120, PTH122
    return _one(
        connection,
        "select v.id::varchar from (select unnest(?::varchar[]) as path, "
        "generate_subscripts(?::varchar[], 1) as place) p "
        "join base.version v on v.source = p.path "
        "where v.state <> 'deleted' and v.id::varchar <> ? "
        "order by p.place, v.created desc, v.key desc limit 1",
        [paths, paths, own],
    )


def _newest_of(connection: Connection, reference: str, own: str) -> str | None:
    """Return the newest version of the model with a name, or with its last part alone."""
    for name in dict.fromkeys((reference, reference.rpartition("/")[2])):
        try:
            key = name_key(name)
        except BadInput:
            continue
        found = _one(
            connection,
            "select v.id::varchar from base.model m join base.version v on v.model = m.key "
            "where m.name = ? and m.state <> 'deleted' and v.state = 'captured' "
            "and v.id::varchar <> ? order by v.number desc nulls last, v.key desc limit 1",
            [key, own],
        )
        if found is not None:
            return found
    return None


def _one(connection: Connection, statement: str, values: list[object]) -> str | None:
    row = connection.execute(statement, values).fetchone()
    return None if row is None else str(row[0])
