"""One request ahead: what is sent next is with the server while the last answer is kept.

A replica and its server would else take turns, each waiting while the other one writes. What is
ahead was sealed before anything of it left, like any request, and follows on what the server took
whole: after a kill it is sent again as it was.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future

from regtui.sync.requests import Asks, Request
from regtui.wire.messages import Answer


class OneAhead:
    """Asks the server, at most one request before its answer is wanted.

    Args:
        transport: Reaches the server.
        executor: Makes what a request is made in that is ahead.

    Attributes:
        request: What is under way; None where nothing is.
    """

    def __init__(self, transport: Asks, executor: Callable[[], Executor]) -> None:
        self._transport = transport
        self._make = executor
        self._executor: Executor | None = None
        self._asked: Future[Answer] | None = None
        self.request: Request | None = None

    def send(self, request: Request) -> None:
        """Let a request leave; its answer is wanted before anything else is asked."""
        if self._executor is None:
            self._executor = self._make()
        self._asked = self._executor.submit(self._transport.sync, request.registry, request.push)
        self.request = request

    def answer(self, request: Request) -> Answer:
        """Return the answer to a request, which leaves now where it is not under way.

        Raises:
            RegtuiError: As the transport does.
        """
        if self._asked is None:
            return self._transport.sync(request.registry, request.push)
        asked, self._asked, self.request = self._asked, None, None
        return asked.result()

    def forget(self) -> None:
        """Wait for nothing any more: what is under way is sent again by the next sync."""
        self._asked = self.request = None
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
