"""Who does what in the demo, and when: colleagues over the last weeks, then the person here."""

from pathlib import Path

from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import user_id
from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica, wall_clock

HOUR = 3_600_000_000
"""Microseconds."""


class _Colleague(Context, frozen=True):
    """A registry in the hands of somebody who only lives in the demo."""

    person: str = ""

    @property
    def actor(self) -> Actor:
        """The colleague."""
        return Actor(user_id(self.person), self.person, (Grant(Role.ADMIN, "*"),))


class Calendar:
    """A clock that goes on only when it is told to.

    Args:
        now: Where it ends, in microseconds since 1970.
        days: How far before that it begins.
    """

    def __init__(self, now: int, days: int) -> None:
        self._now = now
        self._at = now - days * 24 * HOUR

    def __call__(self) -> int:
        """Return its time; a moment passes with each look."""
        self._at += 1_000_000
        return min(self._at, self._now)

    def later(self, hours: float) -> None:
        """Let time pass."""
        self._at += int(hours * HOUR)


class Team:
    """The registry in the hands of each person of the demo.

    Args:
        home: Its folder.
        days: How many days the story takes up to now.
    """

    def __init__(self, home: Path, days: int) -> None:
        self.calendar = Calendar(wall_clock(), days)
        replica = Replica(home, self.calendar)
        session = uuid7(wall_clock())
        self.ann = Registry(_Colleague(replica, "cli", session, person="ann"))
        self.ben = Registry(_Colleague(replica, "cli", session, person="ben"))
        self.watcher = Registry(_Colleague(replica, "watcher", session, person="ben"))
        self.me = Registry(Context(replica, "cli", session))
