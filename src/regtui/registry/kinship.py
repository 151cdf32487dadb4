"""Kinship: the versions that a new one was made from, found by what its trainer says.

A trainer names what it started from in its own words: the path of a checkpoint, a model on a hub,
the digest of a file. Each is looked for among what the registry holds, the newest where several
fit; what is not here is no parent, for a wrong one is worse than none. A version is never its own
parent.
"""

import os
import re
from collections.abc import Iterable

from regtui.capture.findings import ParentHint
from regtui.core.errors import BadInput
from regtui.core.identity import name_key
from regtui.replica.database import Connection

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


def _meant(connection: Connection, reference: str, folder: str, own: str) -> str | None:
    if not reference or not reference.isprintable():
        return None
    if _DIGEST.fullmatch(reference):
        return _with_file(connection, reference, own)
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
