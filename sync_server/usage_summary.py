"""The summary of usage that travels in a deployment's document.

Now and then the documents of those deployments are written anew of which something was told since:
each at most once a minute, and `MOST` of a registry at a time, those first whose summary is the
oldest. Who syncs gets them like any change; they are no operation and nobody can edit them.
"""

from typing import Any

import sqlalchemy as sa
from msgspec.structs import replace

from regtui.core.documents import Document, Register, decode_document
from sync_server import schema
from sync_server.authority import Authority, registry_row
from sync_server.database import chunks
from sync_server.server import Server
from sync_server.usage import DAY, HOUR, MINUTE, Bucket, Deployment, counted_since

MOST = 100
"""Documents of a registry that are written at a time: each is sent to everybody who reads it."""

PATH = "usage"

_RECENT = 15 * MINUTE


def summarise(server: Server) -> int:
    """Write the summaries that are due; return how many."""
    c = schema.registry.c
    with server.database.reading() as connection:
        registries = connection.execute(sa.select(c.key, c.id)).all()
    return sum(_of_registry(server, row.key, row.id) for row in registries)


def _of_registry(server: Server, key: int, registry: str) -> int:
    now = server.clock()
    due = _due(server, key, now)
    if not due:
        return 0
    with server.database.writing() as connection:
        row = registry_row(connection, registry, lock=True)
        if row is None or row.healing:
            return 0
        authority = Authority(connection, row, now, people=server.service.people)
        authority.view.load(due, ())
        count = 0
        for identity, value in due.items():
            document = authority.view.document(identity)
            if document is not None and _is_due(document, value["beat"], now):
                _put(authority, document, value)
                count += 1
        if count:
            authority.flush()
        return count


def _put(authority: Authority, document: Document, value: dict[str, Any]) -> None:
    register = Register(value, document.stamp("state") or "", authority.moment())
    authority.restamp(replace(document, fields={**document.fields, PATH: register}))


def _due(server: Server, key: int, now: int) -> dict[str, dict[str, Any]]:
    """Return the summaries to write, by deployment."""
    u, e = schema.usage.c, schema.entity.c
    with server.database.reading() as connection:
        recent = sa.select(u.deployment, sa.func.max(u.beat)).where(
            u.registry == key, u.span == MINUTE, u.bucket >= now - _RECENT
        )
        beats = {one: int(beat) for one, beat in connection.execute(recent.group_by(u.deployment))}
        found: list[Document] = []
        for some in chunks(sorted(beats)):
            query = sa.select(e.body).where(e.registry == key, e.id.in_(some))
            found += [decode_document(bytes(one)) for one in connection.execute(query).scalars()]
        waiting = [one for one in found if _is_due(one, beats[one.id], now)]
        waiting.sort(key=lambda one: (_told(one).get("at", 0), one.id))
        return {
            one.id: {
                "at": now,
                "beat": beats[one.id],
                "hour": _figures(counted_since(connection, Deployment(key, one.id), now - HOUR)),
                "day": _figures(counted_since(connection, Deployment(key, one.id), now - DAY)),
            }
            for one in waiting[:MOST]
        }


def _is_due(document: Document, beat: int, now: int) -> bool:
    told = _told(document)
    return told.get("at", 0) <= now - MINUTE and told.get("beat", 0) < beat


def _told(document: Document) -> dict[str, int]:
    value = document.value(PATH)
    return value if isinstance(value, dict) else {}


def _figures(found: Bucket | None) -> dict[str, Any]:
    if found is None:
        return {"requests": 0, "errors": 0, "p50": None, "p95": None}
    return {
        "requests": found.requests,
        "errors": found.errors,
        "p50": found.p50,
        "p95": found.p95,
    }
