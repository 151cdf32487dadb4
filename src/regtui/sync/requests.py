"""The requests of a sync: what is sent, and what is asked for behind an answer."""

from typing import Protocol

import msgspec
from msgspec import Struct

from regtui.core.errors import RegtuiError
from regtui.replica.keys import Key
from regtui.sync.healing import Window
from regtui.wire.messages import NOTHING, Anchor, Answer, Push
from regtui.wire.statements import push_statement


class Asks(Protocol):
    """How requests reach the server."""

    def sync(self, registry: str, push: Push) -> Answer:
        """Send a push and return the answer."""


class Request(Struct):
    """A request that is ready to be sent.

    Attributes:
        push: What is sent.
        registry: Id of the registry.
        cursor: How far was read before.
        key: The replica's.
        window: What is brought back with it.
        is_first: Whether the replica holds nothing: pages take their place as they come.
        last: Place in the outbox of the last operation that is sent.
        behind: What may leave as soon as all of this is answered.
    """

    push: Push
    registry: str
    cursor: dict[str, object]
    key: Key
    window: Window = Window()
    is_first: bool = False
    last: int = 0
    behind: "Request | None" = None


class Turn(Struct):
    """Some requests, and what became of them.

    Attributes:
        answered: Those that were answered.
        failure: What kept the client from making more of them.
        following: What is sent next, where it was sealed with the answers.
    """

    answered: list[tuple[Request, Answer]] = []
    failure: RegtuiError | None = None
    following: Request | None = None


def signed(key: Key, registry: str, n: int, tip: str, anchor: Anchor | None) -> str:
    """Return a replica's signature over its chain and the history that it knows."""
    known = anchor or Anchor("", 0, "", "")
    statement = push_statement(registry, key.replica, n, tip, known.epoch, known.seq, known.link)
    return key.sign(statement).hex()


def following(request: Request, answer: Answer) -> Request | None:
    """Return the request for the page behind an answer, where it needs nothing of the replica.

    That is in the middle of a walk, where nothing was sent: no verdict has to be kept before the
    next request leaves.
    """
    push = request.push
    sent = push.ops or push.offers or push.claims or request.window.more
    is_plain = answer.status == "ok" and not answer.healing and not answer.verdicts
    if sent or not is_plain or not answer.more or push.limit == NOTHING:
        return None
    behind = _knowing(request, answer, cursor=answer.cursor, refetch=[])
    return Request(behind, request.registry, msgspec.to_builtins(answer.cursor), request.key)


def pushed_on(request: Request, answer: Answer) -> Request | None:
    """Return the request that may leave before an answer is kept; None where there is none.

    All that came before it was judged, so it can't arrive out of its order.
    """
    is_whole = len(answer.verdicts) == len(request.push.ops)
    if request.behind is None or not is_whole or answer.status != "ok" or answer.healing:
        return None
    request.behind.push = _knowing(request.behind, answer)
    return request.behind


def _knowing(request: Request, answer: Answer, **changed: object) -> Push:
    """Return the push of a request by a replica that knows the history of an answer, too."""
    push = request.push
    anchor = push.anchor
    if anchor is None or answer.head.seq >= anchor.seq:
        anchor = answer.head
    signature = signed(request.key, request.registry, push.n, push.tip, anchor)
    return msgspec.structs.replace(push, anchor=anchor, signature=signature, **changed)
