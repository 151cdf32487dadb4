"""Work beside the keys: in a worker of a widget, or in a thread of its own.

asyncio's own threads are waited for when the app ends. A file of many gigabytes may be read here,
and nobody wants to wait for that to leave. So the threads here end with the process, whatever they
do; a killed unit of work leaves nothing behind.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar, cast

from textual.css.query import NoMatches
from textual.dom import DOMNode

T = TypeVar("T")


def start(
    node: DOMNode,
    work: Callable[..., Coroutine[Any, Any, None]],
    *given: Any,
    group: str,
    together: bool = False,
) -> None:
    """Start work of a widget or screen.

    The coroutine is made when its worker begins: one that is made before would never be awaited
    where the worker is cancelled at once, which Python warns of.

    Args:
        node: Whose work it is; it ends with it.
        work: Makes the coroutine.
        given: Its arguments.
        group: What it belongs to.
        together: Whether earlier work of the group goes on; else it is cancelled.
    """
    working = cast("Any", partial(_while_there, node, work, *given))
    node.run_worker(working, group=group, exclusive=not together)


async def _while_there(
    node: DOMNode, work: Callable[..., Coroutine[Any, Any, None]], *given: Any
) -> None:
    """Do work of a widget or screen; its parts go one by one when it ends, which is no error."""
    try:
        await work(*given)
    except NoMatches:
        if node.app.is_running and node.is_running:
            raise


async def in_background(work: Callable[[], T]) -> T:
    """Run something in a thread of its own, and return what it gives.

    Raises:
        Exception: Whatever it raises.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def run() -> None:
        try:
            answer = work()
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            failure = error

            def give() -> None:
                if not future.done():
                    future.set_exception(failure)
        else:

            def give() -> None:
                if not future.done():
                    future.set_result(answer)

        with contextlib.suppress(RuntimeError):  # the app is gone
            loop.call_soon_threadsafe(give)

    threading.Thread(target=run, name="regtui-background", daemon=True).start()
    return await future
