"""What gates say to a promotion request, and which requests are to apply themselves once sent.

A request moves with the rights of who made it, so the gates are asked of him, whoever looks.
"""

import msgspec

from regtui.core.access import Actor
from regtui.core.documents import Document
from regtui.core.governance import gate_results
from regtui.core.judgement.moving import (
    TRIGGERS,
    in_the_way,
    overtaken,
    requested_move,
    requester_of,
    restored,
)
from regtui.registry.answers_production import GateAnswer
from regtui.registry.moved import gate_answers
from regtui.registry.production_lookups import all_pass
from regtui.replica.database import Connection
from regtui.replica.view import ReplicaView

MAINTAINER = "maintainer"
"""The gate that looks at who moves the target."""


def asked_gates(
    request: Document, model: Document, view: ReplicaView, onlooker: Actor, now: int
) -> list[GateAnswer]:
    """Return what the gates say to an open request, asked of who made it.

    Args:
        request: The request.
        model: Whose target it is.
        view: The registry.
        onlooker: Who looks: only of him is it known everywhere what he may do.
        now: Microseconds.
    """
    requester = requester_of(request, view)
    move = requested_move(request, view)
    asked_of = requester or onlooker
    results = gate_results(move, model, view, asked_of, now)
    told = {one.gate for one in results}
    lacking = [in_the_way(move, view), overtaken(move, model, view, asked_of, now)]
    if request.facts["auto"]:
        lacking.append(restored(move, model, view, asked_of, now))
    first = [one for one in lacking if one is not None and one.gate not in told]
    found = gate_answers([*first, *results])
    return [_of_requester(one, requester) if one.gate == MAINTAINER else one for one in found]


def version_state(request: Document, view: ReplicaView) -> str | None:
    """Return `captured`, `archived` or `deleted`; None where no version is asked for, or here."""
    version = view.document(str(request.facts["version"] or ""))
    return None if version is None else str(version.value("state"))


def _of_requester(gate: GateAnswer, requester: Actor | None) -> GateAnswer:
    """Return what is known of the rights of who made a request; `gate` may be of somebody else."""
    by_hand = "a maintainer may apply it by hand"
    if requester is None:
        told = f"the server knows whether who asked is a maintainer; {by_hand}"
        return msgspec.structs.replace(gate, passed=None, reason=told)
    if gate.passed:
        return gate
    return msgspec.structs.replace(gate, reason=f"{gate.reason}; {by_hand}")


def set_off(connection: Connection) -> set[str]:
    """Return the open requests that something that was not judged yet may make apply themselves."""
    rows = connection.execute(
        "with waiting as (select o.bytes ->> '$.kind' as kind, case o.bytes ->> '$.kind' "
        " when 'check.report' then o.bytes ->> '$.body.version' else o.bytes ->> '$.entity' end "
        " as about from base.outbox o join base.operation p on p.id = o.id "
        " where o.state in ('pending', 'sent') "
        " and (o.bytes ->> '$.kind') in (select unnest(?::varchar[])) "
        # What is refused here already completes nothing.
        " and coalesce(p.verdict ->> '$.documents', '{}') <> '{}') "
        "select distinct r.id::varchar from base.promotion r join base.model m on m.key = r.model "
        "left join base.version v on v.key = r.version "
        "join waiting w on w.about in (r.id::varchar, m.id::varchar, v.id::varchar) "
        "where r.state = 'open' and r.auto",
        [sorted(TRIGGERS)],
    ).fetchall()
    return {row[0] for row in rows}


def applying_themselves(
    connection: Connection, view: ReplicaView, onlooker: Actor, now: int
) -> list[Document]:
    """Return the requests that apply themselves at the next sync, as far as can be told here."""
    found: list[Document] = []
    for request in map(view.document, sorted(set_off(connection))):
        model = None if request is None else view.document(request.stream)
        if request is None or model is None:
            continue
        if all_pass(asked_gates(request, model, view, onlooker, now)) is not False:
            found.append(request)
    return found
