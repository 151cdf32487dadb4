"""The requests of a sync: what is sent, and what is asked for behind an answer."""

import msgspec
from msgspec import Struct

from regtui.core.errors import RegtuiError
from regtui.replica.keys import Key
from regtui.sync.healing import Window
from regtui.wire.messages import NOTHING, Anchor, Answer, Push
from regtui.wire.statements import push_statement


class Request(Struct):
    """A request that is ready to be sent.

    Attributes:
        push: What is sent.
        registry: Id of the registry.
        cursor: How far was read before.
        key: The replica's.
        window: What is brought back with it.
        is_first: Whether the replica holds nothing: pages take their place as they come.
    """

    push: Push
    registry: str
    cursor: dict[str, object]
    key: Key
    window: Window = Window()
    is_first: bool = False


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
    anchor = push.anchor
    if anchor is None or answer.head.seq >= anchor.seq:
        anchor = answer.head
    behind = msgspec.structs.replace(
        push,
        anchor=anchor,
        cursor=answer.cursor,
        refetch=[],
        signature=signed(request.key, request.registry, push.n, push.tip, anchor),
    )
    return Request(behind, request.registry, msgspec.to_builtins(answer.cursor), request.key)
