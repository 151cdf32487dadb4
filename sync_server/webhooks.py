"""Webhooks: what tells other programs that something happened.

A webhook has an address, the events that it wants, and a scope of models beyond which it sees
nothing. What it is told is written into a queue by the transaction that accepts the operation
(`Happened.queue`, called by `Authority.flush`): there is no event without its operation, and no
operation without its event. `webhook_delivery` sends what waits; at least once, in no order that
could be relied on, for which every event names its operation and sequence number.

Events are the kinds of operations. What a request does when it is applied (an alias that moves, a
deployment that is made) is an event of its own, whichever operation applied it. Nothing of the
access stream is told.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from regtui.core.access import ADMINISTRATION, REQUIRED, in_scope, scope_key
from regtui.core.documents import Document
from regtui.core.errors import BadInput
from regtui.core.operations import Operation
from regtui.core.policies import meets
from sync_server import schema
from sync_server.database import insert
from sync_server.rights import ACCESS
from sync_server.view import ServerView
from sync_server.webhook_request import NOT_PUBLIC, is_private

MOST = 50
"""Webhooks of a registry."""

QUEUE = 10_000
"""Events that may wait for one webhook; what comes beyond is counted and dropped."""

BODY = 64 << 10
"""Bytes of an event; of a larger one the values are left out."""

PING = "ping"
"""The event of a test."""

EVENTS = tuple(sorted(REQUIRED.keys() - ADMINISTRATION))

_TEXT = 2_000
_h, _d = schema.webhook.c, schema.webhook_delivery.c


class Webhook(Struct, frozen=True):
    """Where events are sent.

    Attributes:
        id: Of the webhook.
        url: Where to.
        events: Kinds of operation, `deployment.*` for all of one entity, `*` for all.
        models: The scope of what it sees.
        allow_private: Whether it may be an address that is not public.
        created: Microseconds.
        dropped: Events that were too many.
    """

    id: str
    url: str
    events: list[str]
    models: str
    allow_private: bool
    created: int
    dropped: int

    def wants(self, event: str) -> bool:
        """Tell whether it is told of an event."""
        group = event.partition(".")[0] + ".*"
        return any(one in {"*", event, group} for one in self.events)


class Happened(Struct, frozen=True):
    """An operation that was accepted.

    Attributes:
        operation: It.
        result: `accepted`, or `conflicted` where it lost to another one in part.
        seq: Its number.
        at: When it was accepted, in microseconds.
        documents: What it changed, each as it was before and as it is.
    """

    operation: Operation
    result: str
    seq: int
    at: int
    documents: tuple[tuple[Document | None, Document], ...]

    def events(self) -> Iterator[tuple[str, Document | None]]:
        """Yield what happened, each with the document that it is about."""
        kind, entity = self.operation.kind, self.operation.entity
        changed = {document.id: document for _, document in self.documents}
        yield kind, changed.get(entity)
        for before, document in self.documents:
            event = _effect(before, document)
            if event is not None and event != kind:
                yield event, document


def add_webhook(  # noqa: PLR0913 -- everything that one is
    connection: Connection,
    registry: int,
    *,
    url: str,
    secret: str,
    events: Iterable[str],
    models: str,
    allow_private: bool,
    now: int,
) -> Webhook:
    """Make a webhook.

    Raises:
        BadInput: It makes no sense, or there are too many.
    """
    checked_url(url)
    host = urlsplit(url).hostname or ""
    if not allow_private and is_private(host):
        raise BadInput(f"{host} is {NOT_PUBLIC}", "--allow-private allows it")
    wanted = [checked_event(one) for one in dict.fromkeys(events)] or ["*"]
    if len(secret) < 16:  # noqa: PLR2004 -- guessed in no time below
        raise BadInput(
            "the secret is too short", "16 characters or more; without --secret one is made"
        )
    if len(webhooks_of(connection, registry)) >= MOST:
        raise BadInput(
            f"there are {MOST} webhooks already", "`regtui-server webhook rm` removes one"
        )
    made = Webhook(str(uuid.uuid4()), url, wanted, scope_key(models), allow_private, now, 0)
    row = {
        "registry": registry,
        "id": made.id,
        "url": url,
        "secret": secret,
        "events": ",".join(wanted),
        "models": made.models,
        "allow_private": allow_private,
        "created": now,
        "dropped": 0,
    }
    insert(connection, schema.webhook, [row])
    return made


def webhooks_of(connection: Connection, registry: int) -> list[Webhook]:
    """Return the webhooks of a registry, the oldest first."""
    query = sa.select(schema.webhook).where(_h.registry == registry)
    return [
        Webhook(
            row.id, row.url, row.events.split(","), row.models, row.allow_private, row.created,
            row.dropped,
        )
        for row in connection.execute(query.order_by(_h.created, _h.id))
    ]  # fmt: skip


def remove_webhook(connection: Connection, registry: int, identity: str) -> bool:
    """Remove a webhook and what waits for it; return whether there was one."""
    connection.execute(
        sa.delete(schema.webhook_delivery).where(_d.registry == registry, _d.webhook == identity)
    )
    found = connection.execute(
        sa.delete(schema.webhook).where(_h.registry == registry, _h.id == identity)
    )
    return bool(found.rowcount)


def queue(
    connection: Connection,
    view: ServerView,
    registry: tuple[int, str, str],
    happened: list[Happened],
) -> None:
    """Write down what webhooks are to be told, in the transaction of the operations.

    Args:
        connection: That transaction.
        view: The registry as the operations left it.
        registry: Number, id and name of the registry.
        happened: The operations.
    """
    hooks = webhooks_of(connection, registry[0]) if happened else []
    if not hooks:
        return
    telling = _Telling(view, registry)
    room = {one.id: _room(connection, registry[0], one.id) for one in hooks}
    rows: list[dict[str, Any]] = []
    dropped = Counter[str]()
    for one in happened:
        if one.operation.stream == ACCESS:
            continue
        for event, document in one.events():
            body: bytes | None = None
            for hook in hooks:
                if not hook.wants(event) or not _sees(hook.models, one.operation, document, view):
                    continue
                if not room[hook.id]:
                    dropped[hook.id] += 1
                    continue
                room[hook.id] -= 1
                body = body or telling.body(event, one, document)
                rows.append(_row(registry[0], hook.id, event, body, one.at))
    insert(connection, schema.webhook_delivery, rows)
    for identity, count in dropped.items():
        connection.execute(
            sa.update(schema.webhook)
            .where(_h.registry == registry[0], _h.id == identity)
            .values(dropped=_h.dropped + count)
        )


def ping_body(registry: tuple[int, str, str], now: int) -> bytes:
    """Return an event that only tests a webhook."""
    told = {"event": PING, "at": now, "registry": {"id": registry[1], "name": registry[2]}}
    return msgspec.json.encode(told)


def checked_url(url: str) -> str:
    """Return an address that events can be sent to.

    Raises:
        BadInput: It is none.
    """
    hint = "such as https://example.org/hooks/regtui"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadInput(f"{url!r} is no address", hint) from None
    fine = url.isascii() and url.isprintable() and " " not in url and len(url) <= _TEXT
    if parts.scheme not in {"http", "https"} or not parts.hostname or not fine or port == 0:
        raise BadInput(f"{url!r} is no address that events can be sent to", hint)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise BadInput("an address with a password or a fragment is none for events", hint)
    return url


def checked_event(event: str) -> str:
    """Return an event, or a pattern of events.

    Raises:
        BadInput: There is no such one.
    """
    groups = {one.partition(".")[0] + ".*" for one in EVENTS}
    if event != "*" and event not in EVENTS and event not in groups:
        raise BadInput(
            f"there is no event {event!r}", f"*, {', '.join(sorted(groups))}; {', '.join(EVENTS)}"
        )
    return event


def _effect(before: Document | None, document: Document) -> str | None:
    """Return what happened to a document, whatever operation it was."""
    was = None if before is None else before.value("state")
    state = document.value("state")
    if document.kind == "promotion" and state == "applied" and was != "applied":
        return "promotion.apply"
    if document.kind == "alias":
        version = document.value("version")
        if (None if before is None else before.value("version")) != version:
            return "alias.remove" if version is None else "alias.set"
    if document.kind == "deployment":
        if before is None:
            return "deployment.record"
        return "deployment.transition" if was != state else None
    return None


def _sees(scope: str, operation: Operation, document: Document | None, view: ServerView) -> bool:
    """Tell whether a scope allows to be told of something."""
    if scope == "*":
        return True
    if operation.stream != "registry":
        model = view.document(operation.stream)
        return model is not None and in_scope(scope, str(model.value("name")))
    facts: Mapping[str, Any] = {} if document is None else document.facts
    if "models" in facts:  # a policy or a check
        return meets(scope, str(facts["models"]))
    if document is not None and document.kind == "environment":
        return True
    return (
        document is not None and document.kind == "dataset" and in_scope(scope, str(facts["name"]))
    )


class _Telling:
    """Says what happened.

    Args:
        view: The registry as the operations left it.
        registry: Its number, id and name.
    """

    def __init__(self, view: ServerView, registry: tuple[int, str, str]) -> None:
        self._view = view
        self._registry = {"id": registry[1], "name": registry[2]}
        self._names: dict[str, str] = {}

    def body(self, event: str, happened: Happened, document: Document | None) -> bytes:
        """Return what is sent of an event, within `BODY`."""
        told = self._told(event, happened, document)
        body = msgspec.json.encode(told)
        if len(body) > BODY and document is not None:
            told["subject"] = _subject(document, values=False)
            body = msgspec.json.encode(told)
        if len(body) > BODY:
            told["subject"] = {"id": happened.operation.entity, "cut": True}
            body = msgspec.json.encode(told)
        return body

    def _told(self, event: str, happened: Happened, document: Document | None) -> dict[str, Any]:
        operation = happened.operation
        model = self._view.document(operation.stream)
        is_model = model is not None and model.kind == "model"
        return {
            "event": event,
            "at": happened.at,
            "registry": self._registry,
            "model": {"id": model.id, "name": model.value("name")} if model and is_model else None,
            "operation": {
                "id": operation.id,
                "seq": happened.seq,
                "kind": operation.kind,
                "result": happened.result,
                "entity": operation.entity,
                "via": operation.via,
                "actor": {"id": operation.actor, "name": self._name(operation.actor)},
            },
            "version": _version(document, self._view),
            "subject": None if document is None else _subject(document, values=True),
        }

    def _name(self, user: str) -> str:
        if user not in self._names:
            self._names[user] = self._view.person(user).name
        return self._names[user]


def _subject(document: Document, *, values: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"id": document.id, "kind": document.kind, "facts": document.facts}
    if values:
        told["values"] = {path: one.v for path, one in document.fields.items()}
    else:
        told["cut"] = True
    return told


def _version(document: Document | None, view: ServerView) -> dict[str, Any] | None:
    """Return the version that a document is about."""
    if document is None:
        return None
    found: Document | None = document
    if document.kind != "version":
        identity = document.facts.get("version") or document.value("version")
        found = view.document(identity) if isinstance(identity, str) else None
    if found is None or found.kind != "version":
        return None
    return {
        "id": found.id,
        "number": found.facts.get("number"),
        "digest": found.facts.get("digest"),
    }


def _row(registry: int, hook: str, event: str, body: bytes, now: int) -> dict[str, Any]:
    return {
        "registry": registry,
        "id": str(uuid.uuid4()),
        "webhook": hook,
        "event": event,
        "body": body,
        "created": now,
        "state": "waiting",
        "due": now,
        "tries": 0,
        "status": None,
        "told": None,
        "ended": None,
    }


def _room(connection: Connection, registry: int, hook: str) -> int:
    """Return how many events may still be written for a webhook."""
    waiting = (
        sa.select(_d.id)
        .where(_d.registry == registry, _d.webhook == hook, _d.state == "waiting")
        .limit(QUEUE)
        .subquery()
    )
    count = connection.execute(sa.select(sa.func.count()).select_from(waiting)).scalar()
    return max(0, QUEUE - int(count or 0))
