"""The first walk: into a replica that holds nothing, pages take their place as they come.

Nothing of a walk may show before its end, so all of it is one transaction, and the next page is on
its way while the one before it is written. Others wait for the replica meanwhile, who see nothing
in it anyway; as soon as one does, or the server does not answer, the walk is cut short, and begins
again page by page, each kept aside until the last one (`staging`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait

from regtui.core.errors import RegtuiError
from regtui.sync.requests import Asks, Request, following
from regtui.wire.messages import Answer

GLANCE = 0.25
"""Seconds after which somebody who waits for a page looks whether others wait for him."""


class CutShort(Exception):
    """The walk can't go on to its end.

    Args:
        failure: What the server, or the way to it, said; None where that was nothing.
    """

    def __init__(self, failure: RegtuiError | None = None) -> None:
        super().__init__()
        self.failure = failure


def walk(
    request: Request,
    answer: Answer,
    transport: Asks,
    executor: Executor,
    is_wanted: Callable[[], bool],
) -> Iterator[Answer]:
    """Yield the pages of a walk, each while the server makes the next one.

    Args:
        request: For the first page.
        answer: It.
        transport: Reaches the server.
        executor: What requests are made in, one at a time.
        is_wanted: Tells whether somebody waits for the replica.

    Raises:
        CutShort: The server does not answer, or otherwise than with a page, or somebody waits.
    """
    try:
        while True:
            behind = following(request, answer)
            asked = None
            if behind is not None:
                asked = executor.submit(transport.sync, behind.registry, behind.push)
            yield answer
            if behind is None or asked is None:
                break
            request, answer = behind, _page(asked, is_wanted)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
    if answer.more:
        raise CutShort


def _page(asked: "Future[Answer]", is_wanted: Callable[[], bool]) -> Answer:
    """Wait for a page for as long as nobody waits for the replica."""
    while not asked.done():
        if is_wanted():
            raise CutShort
        wait([asked], GLANCE)
    try:
        answer = asked.result()
    except RegtuiError as failure:
        raise CutShort(failure) from None
    if is_wanted() or answer.status != "ok" or answer.healing or answer.verdicts:
        raise CutShort
    return answer
