"""Processes that die at a place that is counted: before every statement and file operation."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from tests.sync.faults import Killed
from tests.sync.world import HeldReplica, Person

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from regtui.replica.database import Connection


class Death:
    """Counts operations, and kills at one of them.

    Attributes:
        place: The operation before which the process dies; 0 for none.
        count: Operations so far.
    """

    def __init__(self) -> None:
        self.place = 0
        self.count = 0

    def step(self) -> None:
        """Note that an operation is about to happen."""
        self.count += 1
        if self.count == self.place:
            raise Killed

    @contextlib.contextmanager
    def at(self, place: int) -> Iterator[None]:
        """Die at a place, of which nobody hears outside."""
        self.place, self.count = place, 0
        with (
            patch("os.open", self._counted(os.open)),
            patch("os.fsync", self._counted(os.fsync)),
            patch("os.replace", self._counted(os.replace)),
            contextlib.suppress(Killed),
        ):
            yield
        self.place = 0

    def _counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            self.step()
            return function(*given, **named)

        return counted


class _Counted:
    """A connection whose statements are counted."""

    def __init__(self, connection: Connection, death: Death) -> None:
        self._connection = connection
        self._death = death

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def execute(self, *given: Any) -> Any:
        self._death.step()
        return self._connection.execute(*given)


class CountedReplica(HeldReplica):
    """A replica that dies before a statement that is counted; what was begun is never committed."""

    death: Death

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        yield _Counted(self._open(), self.death)  # type: ignore[misc]

    @contextlib.contextmanager
    def changing(self) -> Iterator[Connection]:
        connection = self._open()
        connection.execute("begin")
        try:
            yield _Counted(connection, self.death)  # type: ignore[misc]
            self.death.step()
        except BaseException:  # also a process that dies leaves the state of before
            connection.execute("rollback")
            raise
        connection.execute("commit")
        self.death.step()


class Dying(Person):
    """Somebody whose process dies where it is told to."""

    replica: CountedReplica

    def make_replica(self, home: Any) -> CountedReplica:
        made = CountedReplica(home, self.clock)
        made.death = Death()
        return made

    @property
    def death(self) -> Death:
        """Where his process dies."""
        return self.replica.death

    def wire_dies(self) -> None:
        """Let requests and answers be places to die at, too."""
        plain = self.wire.sync

        def counted(*given: Any) -> Any:
            self.death.step()
            answer = plain(*given)
            self.death.step()
            return answer

        self.wire.sync = counted  # type: ignore[method-assign, assignment]
