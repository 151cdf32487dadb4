"""Threads that requests are made in while the replica is worked on."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class RequestThread(Executor):
    """Makes each call in a thread that no program waits for when it ends.

    The interpreter joins the threads of its own pools at the end, however they were shut down: who
    stops a push by Ctrl-C would wait as long as for a server that does not answer.
    """

    def submit(self, call: Callable[..., Result], /, *given: Any, **named: Any) -> "Future[Result]":
        """Begin a call."""
        asked: Future[Result] = Future()

        def run() -> None:
            try:
                asked.set_result(call(*given, **named))
            except BaseException as error:  # noqa: BLE001 -- whatever it is, who waits for it gets it
                asked.set_exception(error)

        threading.Thread(target=run, name="regtui-request", daemon=True).start()
        return asked

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave what is under way to itself."""
