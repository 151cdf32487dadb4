"""Sending what waits for webhooks.

A process *claims* events that are due: it moves their time by `LEASE` and counts a try, in one
transaction, so that no other process takes them meanwhile; whoever dies while he sends leaves them
to the next one after that time. Then it sends them, and writes down what came of it. What failed
waits longer each time, and is dead after `TRIES`; an operator sees it and may let it be sent again.

A webhook has at most `AT_ONCE` events under way. One that gave no answer the last time has one, and
all of these together have half of what can be sent at once, so that they hold up nobody.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.engine import Connection

from sync_server import schema
from sync_server.database import Database
from sync_server.logs import note_failure
from sync_server.metrics import Metrics
from sync_server.webhook_request import Answer, Call, send

TRIES = 10
"""How often an event is sent before it is dead."""

FIRST = 10_000_000
LONGEST = 6 * 3_600_000_000
"""Microseconds between two tries: three times as many each time, up to the longest."""

LEASE = 120_000_000
"""Microseconds for which who claimed an event has it alone."""

AT_ONCE = 4
WORKERS = 16

KEPT = 7 * 86_400_000_000
KEPT_DEAD = 30 * 86_400_000_000
"""Microseconds for which what was sent, and what is dead, can be looked at."""

ROWS = 1_000

_h, _d = schema.webhook.c, schema.webhook_delivery.c


class Claimed(Struct, frozen=True):
    """An event that this process sends."""

    registry: int
    webhook: str
    id: str
    tries: int
    call: Call


class Deliveries:
    """Sends what waits.

    Args:
        database: The server's.
        clock: Returns microseconds.
        metrics: Where it is counted.
        chance: Returns a number from 0 to 1.
    """

    def __init__(
        self,
        database: Database,
        clock: Callable[[], int],
        metrics: Metrics | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics
        self._chance = chance
        self._lock = threading.Lock()
        self._under_way: Counter[str] = Counter()
        """How many events are being sent, by webhook."""
        self._silent: set[str] = set()
        """Webhooks that gave no answer the last time."""
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="webhook")

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def deliver(self) -> list[Future[None]]:
        """Begin to send what is due, as far as there is somebody free to do it."""
        return [self._pool.submit(self._send, one) for one in self.claim()]

    def claim(self) -> list[Claimed]:
        """Take events that are due; nobody else sends them for a while."""
        now = self._clock()
        with self._lock:
            free = WORKERS - sum(self._under_way.values())
            busy = [
                hook
                for hook in {*self._under_way, *self._silent}
                if self._room(hook, Counter()) <= 0
            ]
        if free <= 0:
            return []
        with self._database.reading() as connection:
            hooks = connection.execute(
                sa.select(_d.registry, _d.webhook)
                .where(_d.state == "waiting", _d.due <= now, _d.webhook.not_in(busy))
                .group_by(_d.registry, _d.webhook)
                .order_by(sa.func.min(_d.due))
                .limit(free)
            ).all()
        if not hooks:
            return []
        claimed: list[Claimed] = []
        with self._database.writing() as connection:
            for registry, hook in hooks:
                taken = Counter(one.webhook for one in claimed)
                with self._lock:
                    room = min(self._room(hook, taken), free - len(claimed))
                claimed += _claim(connection, registry, hook, now, room)
        with self._lock:
            self._under_way.update(one.webhook for one in claimed)
        return claimed

    def _room(self, hook: str, taken: Counter[str]) -> int:
        """Return how many events more of a webhook may be under way, beside those just taken.

        The lock is held.
        """
        under_way = self._under_way + taken
        if hook not in self._silent:
            return AT_ONCE - under_way[hook]
        return min(1 - under_way[hook], WORKERS // 2 - sum(under_way[one] for one in self._silent))

    def _send(self, claimed: Claimed) -> None:
        try:
            answer = send(claimed.call)
            with self._lock:
                (self._silent.add if answer.status is None else self._silent.discard)(
                    claimed.webhook
                )
            self.note(claimed, answer)
        except Exception as error:  # noqa: BLE001 -- it is sent again when its time is over
            note_failure(error, delivery=claimed.id)
        finally:
            with self._lock:
                self._under_way[claimed.webhook] -= 1

    def note(self, claimed: Claimed, answer: Answer) -> None:
        """Write down what came of sending an event."""
        now = self._clock()
        values: dict[str, Any] = {"status": answer.status, "told": answer.told}
        if answer.taken:
            result = "delivered"
            values |= {"state": "done", "ended": now}
        elif claimed.tries >= TRIES:
            result = "dead"
            values |= {"state": "dead", "ended": now}
        else:
            result = "failed"
            values |= {"due": now + self._pause(claimed.tries)}
        if self._metrics is not None:
            self._metrics.sent(result)
        with self._database.writing() as connection:
            connection.execute(
                sa.update(schema.webhook_delivery)
                .where(
                    _d.registry == claimed.registry,
                    _d.id == claimed.id,
                    _d.state == "waiting",
                    _d.tries == claimed.tries,  # nobody sent it once more meanwhile
                )
                .values(**values)
            )

    def tidy(self) -> None:
        """Forget what ended long ago, and count what waits."""
        now = self._clock()
        old = sa.or_(
            sa.and_(_d.state == "done", _d.ended < now - KEPT),
            sa.and_(_d.state == "dead", _d.ended < now - KEPT_DEAD),
        )
        with self._database.reading() as connection:
            gone = connection.execute(sa.select(_d.id).where(old).limit(ROWS)).scalars().all()
            rows = connection.execute(sa.select(_d.state, sa.func.count()).group_by(_d.state))
            counts = {row[0]: row[1] for row in rows}
        if self._metrics is not None:
            self._metrics.queued({one: counts.get(one, 0) for one in ("waiting", "dead")})
        if gone:
            with self._database.writing() as connection:
                for start in range(0, len(gone), 500):
                    some = gone[start : start + 500]
                    connection.execute(sa.delete(schema.webhook_delivery).where(_d.id.in_(some)))

    def _pause(self, tries: int) -> int:
        """Return after how many microseconds it is tried again: not all at the same moment."""
        pause = min(FIRST * 3 ** (tries - 1), LONGEST)
        return int(pause * (0.5 + self._chance()))


def retry(connection: Connection, registry: int, deliveries: Sequence[str] | None, now: int) -> int:
    """Let dead events be sent again, all of them without a list; return how many."""
    query = (
        sa.update(schema.webhook_delivery)
        .where(_d.registry == registry, _d.state == "dead")
        .values(state="waiting", tries=0, due=now, ended=None)
    )
    if deliveries is not None:
        query = query.where(_d.id.in_(deliveries))
    return connection.execute(query).rowcount


def _claim(connection: Connection, registry: int, hook: str, now: int, room: int) -> list[Claimed]:
    found = connection.execute(
        sa.select(schema.webhook).where(_h.registry == registry, _h.id == hook)
    ).first()
    if found is None:  # it was removed while an operation wrote them
        orphans = sa.delete(schema.webhook_delivery)
        connection.execute(orphans.where(_d.registry == registry, _d.webhook == hook))
        return []
    # Who sends has moved the time of what he has: it is under way and not due.
    rows = connection.execute(
        sa.select(_d.id, _d.event, _d.body, _d.tries)
        .where(
            _d.registry == registry,
            _d.webhook == hook,
            _d.state == "waiting",
            _d.due <= now,
        )
        .order_by(_d.due, _d.id)
        .limit(max(0, room))
        .with_for_update(skip_locked=True)
    ).all()
    if rows:
        connection.execute(
            sa.update(schema.webhook_delivery)
            .where(_d.registry == registry, _d.id.in_([row.id for row in rows]))
            .values(tries=_d.tries + 1, due=now + LEASE)
        )
    return [
        Claimed(
            registry,
            hook,
            row.id,
            row.tries + 1,
            Call(
                found.url, found.secret, found.allow_private, row.id, row.event, bytes(row.body),
                now // 1_000_000,
            ),
        )
        for row in rows
    ]  # fmt: skip
