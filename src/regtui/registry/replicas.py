"""Replicas: the registries on people's machines that may sync, as the server knows them."""

import msgspec

from regtui.registry.answers import iso
from regtui.registry.answers_access import ReplicaAnswer
from regtui.registry.asking import ask, segment
from regtui.registry.context import Context
from regtui.registry.identified import identified
from regtui.replica.remote import read_remote
from regtui.sync.transport import understood


class _Told(msgspec.Struct, frozen=True):
    """A replica as the server tells it; the time is microseconds."""

    id: str
    user: str
    host: str | None
    state: str
    seen: int


def replicas(context: Context) -> list[ReplicaAnswer]:
    """Return the replicas, newest sign of life first; who is no admin sees his own."""
    told = understood(ask(context, "GET", "replicas"), list[_Told], "replicas")
    here = _here(context)
    return [_answer(one, here) for one in told]


def revoke_replica(context: Context, identity: str) -> ReplicaAnswer:
    """Stop a replica from syncing, for good; what it has stays on its machine.

    Args:
        context: The registry.
        identity: Its id, or the beginning or end of it.

    Raises:
        NotFound: There is none, or one may not know.
        BadInput: Several ids begin or end so.
    """
    meant = identified(replicas(context), identity, "replica")
    told = ask(context, "DELETE", f"replicas/{segment(meant.id, 'replica')}")
    return _answer(understood(told, _Told), _here(context))


def _here(context: Context) -> str | None:
    """Return the id by which this replica syncs; None before its first sync."""
    with context.reading() as connection:
        remote = read_remote(connection)
    return None if remote is None else remote.enrolled


def _answer(told: _Told, here: str | None) -> ReplicaAnswer:
    return ReplicaAnswer(
        id=told.id,
        user=told.user,
        host=told.host,
        state=told.state,
        seen=iso(told.seen),
        here=told.id == here,
    )
