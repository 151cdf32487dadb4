"""Promotion: a request to move a target to a version, what people say to it, and its end.

A request shows each gate with its reason, so that one look says what is missing. Where this replica
does not decide, applying it is *requested*: the target stays where it is until the server judged.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import UNSET, UnsetType

from regtui.core.access import Actor
from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.governance import approvals_of, cases_of, gate_results, no_conflict, parts_of
from regtui.core.governance.gates import Approval
from regtui.core.governance.moves import Move
from regtui.core.holders import holders
from regtui.core.identity import alias_id, alias_key, environment_id
from regtui.core.judgement.moving import requested_move
from regtui.core.operations import ActBody, Change, RequestBody, ReviewBody
from regtui.core.policies import environment_key
from regtui.registry.answers import iso
from regtui.registry.answers_production import (
    GateAnswer,
    Moved,
    PromotionAnswer,
    ReviewAnswer,
    short_name,
)
from regtui.registry.approvers import why_not_counted
from regtui.registry.context import Context
from regtui.registry.moved import gate_answers, moved
from regtui.registry.production_lookups import Names, all_pass, find_by_end
from regtui.registry.promotion_gates import asked_gates, set_off, version_state
from regtui.registry.references import find_model, find_version
from regtui.registry.requested import requested_operations
from regtui.replica.database import Connection
from regtui.replica.ids import uuid7
from regtui.replica.remote import read_remote
from regtui.replica.unit import wall_clock
from regtui.replica.view import ReplicaView

if TYPE_CHECKING:
    from regtui.replica.authority import SoloAuthority

ENVIRONMENT = "env:"
"""What a target begins with that is an environment."""

STATES = ("open", "applied", "withdrawn")


def request_promotion(  # noqa: PLR0913 -- everything that a request says
    context: Context,
    reference: str,
    target: str,
    *,
    reason: str = "",
    auto: bool = True,
    break_glass: str | None = None,
    remove: bool = False,
) -> PromotionAnswer:
    """Ask for a target to be moved to a version.

    One that is open for the same version and target, and says the same, is told again, and applied
    where its gates pass by now; no other is made.

    Args:
        context: The registry.
        reference: The version; with `remove`, the model.
        target: An alias, or `env:NAME`.
        reason: Why.
        auto: Whether it is applied by itself when the last gate passes.
        break_glass: Why an admin passes the gates; it is applied at once then.
        remove: Whether the alias is to be taken away.

    Raises:
        NotFound: There is no such version, environment, or alias to take away.
        BadInput: The target is malformed, the same is asked for in other words, the reason to break
            glass is empty, or it moves at the next sync without that.
        Blocked: The gates can't be passed that way.
    """
    kind, name = target_named(target)
    _refuse_empty(break_glass)
    with context.writing() as authority:
        if remove:
            stream, version = find_model(authority.connection, reference)[1].id, None
            if kind == "alias":
                _check_points(authority.view, reference, stream, name)
        else:
            document = find_version(authority.connection, reference)[1]
            stream, version = document.stream, document.id
        found = _open_one(authority.view, stream, version, kind, name)
        if found is not None:
            _refuse_other_words(found, reason, auto=auto if break_glass is None else None)
        identity = uuid7(wall_clock()) if found is None else found.id
        saw = _saw(authority.view, stream, kind, name)
        if break_glass is not None:
            _refuse_if_asked(authority.connection, identity, break_glass)
            if found is not None:
                answer = _answer(context, authority.connection, authority.view, identity)
                _refuse_if_set_off(answer, break_glass)
            authority.begin_group()
        if found is None:
            changes = {"reason": Change(reason)} if reason else {}
            applies = auto and break_glass is None
            body = RequestBody(version, kind, name, applies, changes, saw)
            authority.submit("promotion.request", stream, identity, body)
        act = ActBody(break_glass, {}, saw)
        if break_glass is not None:
            authority.submit("promotion.apply", stream, identity, act)
        authority.flush()
        answer = _answer(context, authority.connection, authority.view, identity)
        if found is None or break_glass is not None or not auto:
            return answer
        if not _passes_by_now(context, authority, answer):
            return answer
        authority.submit("promotion.apply", stream, identity, act)
        authority.flush()
        return _answer(context, authority.connection, authority.view, identity)


def _saw(view: ReplicaView, model: str, kind: str, target: str) -> str | UnsetType | None:
    """Return the operation that moved an alias to where it is seen now."""
    if kind != "alias":
        return UNSET
    alias = view.document(alias_id(model, target))
    return None if alias is None else alias.stamp("version")


def target_named(target: str) -> tuple[Any, str]:
    """Return the kind and name, in the form of identity, of a target as people write it.

    Raises:
        BadInput: It is malformed.
    """
    if target.startswith(ENVIRONMENT):
        return "environment", environment_key(target.removeprefix(ENVIRONMENT))
    return "alias", alias_key(target)


def promotions(
    context: Context,
    model: str | None = None,
    *,
    state: str | None = "open",
    mine: bool = False,
    limit: int | None = None,
) -> list[PromotionAnswer]:
    """Return promotion requests, newest first.

    Args:
        context: The registry.
        model: Only of this model.
        state: Only in this state; None for all.
        mine: Only those that wait for a review by whoever asks.
        limit: How many at most; None for all.

    Raises:
        NotFound: There is no such model.
        BadInput: There is no such state.
    """
    if state is not None and state not in STATES:
        raise BadInput(f"there is no state {state!r}", ", ".join(STATES))
    with context.reading() as connection:
        key = None if model is None else find_model(connection, model)[0]
        rows = connection.execute(
            "select p.id::varchar from base.promotion p join base.model m on m.key = p.model "
            "where m.state <> 'deleted' and (? is null or p.state = ?) "
            "and (?::bigint is null or p.model = ?) order by p.created desc, p.key desc limit ?",
            [state, state, key, key, 2**62 if limit is None else limit],
        ).fetchall()
        view, actor = seeing(context, connection)
        asked = _Asked(connection)
        _load(view, [row[0] for row in rows])
        names = _names(connection, view, [row[0] for row in rows])
        found = [_answer(context, connection, view, row[0], asked, names) for row in rows]
    if not mine:
        return found
    return [one for one in found if waits_for(one, actor.name)]


def waits_for(answer: PromotionAnswer, person: str) -> bool:
    """Tell whether a request waits for what somebody says, by his name."""
    said = {one.author for one in answer.reviews if one.counts is not False}
    return answer.state == "open" and answer.author != person and person not in said


def promotion(context: Context, request: str) -> PromotionAnswer:
    """Return one request, with what each gate says now.

    Raises:
        NotFound: There is none.
        BadInput: It is no short name, or that of several.
    """
    with context.reading() as connection:
        _, document = find_by_end(connection, "request", request)
        view, _ = seeing(context, connection)
        return _answer(context, connection, view, document.id)


def review(context: Context, request: str, verdict: str, text: str = "") -> PromotionAnswer:
    """Approve or reject a request, or take that back.

    An approval is bound to what is there now: version, target, policies, and what they read.

    Args:
        context: The registry.
        request: Its short name.
        verdict: `approve`, `reject`, or `none`.
        text: Why.

    Raises:
        NotFound: There is no such request.
        Denied: It needs an approver.
        BadInput: It has ended, or there is no such verdict.
    """
    if verdict not in {"approve", "reject", "none"}:
        raise BadInput(f"there is no verdict {verdict!r}", "approve, reject or none")
    with context.writing() as authority:
        _, document = find_by_end(authority.connection, "request", request)
        model = authority.view.document(document.stream)
        if model is None:
            raise NotFound("the model of the request is not here")
        move = requested_move(document, authority.view)
        now = context.replica.clock()
        cases = cases_of(move, model, authority.view, authority.actor, now)
        seen = parts_of(cases, move, model, authority.view)
        body = ReviewBody(verdict, text, seen, {})  # type: ignore[arg-type]
        authority.submit("promotion.review", document.stream, document.id, body)
        authority.flush()
        return _answer(context, authority.connection, authority.view, document.id)


def apply_promotion(
    context: Context, request: str, *, break_glass: str | None = None
) -> tuple[PromotionAnswer, Moved]:
    """Move the target as a request asks.

    Args:
        context: The registry.
        request: Its short name.
        break_glass: Why an admin passes the gates.

    Raises:
        NotFound: There is no such request.
        Blocked: A gate says no.
        BadInput: It has ended, the server was asked to apply it already, it applies itself when it
            is sent, or the reason to break glass is empty.
    """
    _refuse_empty(break_glass)
    with context.writing() as authority:
        _, document = find_by_end(authority.connection, "request", request)
        _refuse_if_asked(authority.connection, document.id, break_glass)
        answer = _answer(context, authority.connection, authority.view, document.id)
        _refuse_if_set_off(answer, break_glass)
        facts = document.facts
        kind, target = str(facts["target_kind"]), str(facts["target"])
        body = ActBody(break_glass, {}, _saw(authority.view, document.stream, kind, target))
        authority.submit("promotion.apply", document.stream, document.id, body)
        authority.flush()
        answer = _answer(context, authority.connection, authority.view, document.id)
        return answer, moved(authority)


def withdraw_promotion(context: Context, request: str) -> PromotionAnswer:
    """Take a request back.

    Raises:
        NotFound: There is no such request.
        Denied: It is somebody else's.
        BadInput: It has ended.
    """
    with context.writing() as authority:
        _, document = find_by_end(authority.connection, "request", request)
        body = ActBody(None, {})
        authority.submit("promotion.withdraw", document.stream, document.id, body)
        authority.flush()
        return _answer(context, authority.connection, authority.view, document.id)


def seeing(context: Context, connection: Connection) -> tuple[ReplicaView, Actor]:
    """Return a view for looking, and who looks: the replica decides where it has no remote."""
    remote = read_remote(connection)
    actor = context.actor if remote is None else remote.actor
    view = ReplicaView(connection, 1 if remote is None else 0)
    view.actor = actor
    view.look = context.look(connection)
    return view, actor


def _refuse_empty(break_glass: str | None) -> None:
    """Refuse to break glass without a reason, which is flagged for ever."""
    if break_glass is not None and not break_glass.strip():
        raise BadInput("breaking glass needs a reason", 'such as --break-glass "it is burning"')


def _refuse_if_asked(connection: Connection, request: str, break_glass: str | None) -> None:
    """Refuse to apply what waits to be applied: the server would refuse the second time.

    An admin may still break the glass where nobody did.
    """
    waiting = requested_operations(connection).get(request, [])
    if any(break_glass is None or one.body.break_glass is not None for one in waiting):
        raise BadInput(
            f"{short_name(request)} is to be applied already", "the server decides: `regtui sync`"
        )


def _refuse_if_set_off(answer: PromotionAnswer, break_glass: str | None) -> None:
    """Refuse to apply what applies itself when it is sent: the server would refuse it then.

    An admin may still break the glass where it is not sure that all gates pass.
    """
    if answer.requested and (break_glass is None or answer.ready):
        raise BadInput(
            f"{answer.request} moves by itself at the next sync, where its gates pass",
            "the server decides: `regtui sync`",
        )


def _passes_by_now(context: Context, authority: "SoloAuthority", answer: PromotionAnswer) -> bool:
    """Tell whether a request would have applied itself, had anything told it that its gates pass.

    So it is after a change of policies, and when time is all that it waited for. It is applied with
    the rights of who promotes again, who is not always who asked first.
    """
    view = authority.view
    document = view.document(answer.id)
    model = None if document is None else view.document(document.stream)
    if not answer.auto or answer.waiting or answer.requested or document is None or model is None:
        return False
    move, now = requested_move(document, view), context.replica.clock()
    gates = [no_conflict(move, view), *gate_results(move, model, view, authority.actor, now)]
    return all(one.passed for one in gates)


def _check_points(view: ReplicaView, model: str, stream: str, name: str) -> None:
    """Make sure that there is an alias to take away."""
    alias = view.document(alias_id(stream, name))
    if alias is None or alias.value("version") is None:
        raise NotFound(f"{model!r} has no alias {name!r}", "`regtui aliases` lists them")


def _open_one(
    view: ReplicaView, stream: str, version: str | None, kind: str, name: str
) -> Document | None:
    return next(
        (
            one
            for one in view.in_stream(stream, "promotion")
            if one.value("state") == "open"
            and (one.facts["version"], one.facts["target_kind"], one.facts["target"])
            == (version, kind, name)
        ),
        None,
    )


def _refuse_other_words(found: Document, reason: str, *, auto: bool | None) -> None:
    """Refuse to ask again for what is open in other words: they would be lost.

    Args:
        found: The open request.
        reason: Why it is asked for; empty where nobody says.
        auto: Whether it shall move by itself; None where that is not asked.
    """
    if auto is not None and auto != bool(found.facts["auto"]):
        other = "to move by itself" if found.facts["auto"] else "to be applied by hand"
    elif reason and reason != found.value("reason"):
        other = "for another reason" if found.value("reason") else "without a reason"
    else:
        return
    name = short_name(found.id)
    raise BadInput(
        f"{name} asks for the same already, {other}",
        f"`regtui request withdraw {name}` first, or leave it at that",
    )


class _Asked:
    """What the server has still to decide, read once for many requests.

    Args:
        connection: The open replica.
    """

    def __init__(self, connection: Connection) -> None:
        has_remote = read_remote(connection) is not None
        self.by_hand: Mapping[str, list[Any]] = requested_operations(connection)
        self.set_off = set_off(connection) if has_remote else set[str]()


def _load(view: ReplicaView, requests: list[str]) -> None:
    """Read what many requests are about in two questions."""
    view.load(requests)
    about: set[str] = set()
    for one in map(view.document, requests):
        if one is not None:
            is_alias, target = one.facts["target_kind"] == "alias", str(one.facts["target"])
            about |= {one.stream, str(one.facts["version"] or one.stream)}
            about.add(alias_id(one.stream, target) if is_alias else environment_id(target))
    view.load(about)


def _names(connection: Connection, view: ReplicaView, requests: Iterable[str]) -> Names:
    """Return what the versions and people of requests are called."""
    versions: set[str] = set()
    people: set[str] = set()
    for document in map(view.document, requests):
        if document is not None:
            move = requested_move(document, view)
            stood = _stood(document, move, view)
            versions |= {one for one in (move.version, stood) if one is not None}
            people |= {str(document.facts["author"]), *document.entries("reviews")}
    return Names(connection, versions, people)


def _stood(document: Document, move: Move, view: ReplicaView) -> str | None:
    """Return the version where the target stands, or stood before a request was applied."""
    if document.value("state") == "open":
        return move.current
    evidence = document.value("evidence")
    if evidence is not None:
        before: str | None = evidence.get("before", move.current)
        return before
    # Where no gate was asked, nothing is noted but what the alias itself remembers.
    alias = view.document(move.subject) if move.kind == "alias" else None
    held = [] if alias is None else [one for _, one in holders(alias)]
    mine = next((n for n, one in enumerate(held) if one.request == document.id), None)
    if mine is None:
        return move.current
    return held[mine - 1].version if mine else None


def _answer(  # noqa: PLR0913, PLR0917 -- who has many of them reads once what they share
    context: Context,
    connection: Connection,
    view: ReplicaView,
    identity: str,
    asked: _Asked | None = None,
    names: Names | None = None,
) -> PromotionAnswer:
    """Return the answer for a request; who has many of them reads once what they share."""
    document = view.document(identity)
    model = None if document is None else view.document(document.stream)
    if document is None or model is None:
        raise NotFound("the request is not in the registry any more")
    facts, value = document.facts, document.value
    actor = view.actor or context.actor
    now = context.replica.clock()
    move = requested_move(document, view)
    is_open = value("state") == "open"
    asked = asked or _Asked(connection)
    by_hand = asked.by_hand.get(document.id, []) if is_open else []
    glass = next((one.body.break_glass for one in by_hand if one.body.break_glass), None)
    if glass is not None:
        move = msgspec.structs.replace(move, break_glass=glass)
    if not is_open:
        gates = _kept(value("evidence"))
    elif by_hand:  # it moves with the rights of who applies it then
        gates = gate_answers(gate_results(move, model, view, actor, now))
    else:
        gates = asked_gates(document, model, view, actor, now)
    ready = all_pass(gates) if is_open else None
    sets_itself_off = is_open and document.id in asked.set_off and ready is not False
    said: list[list[Approval]] = []
    # Of one that has ended nothing counts any more, and to find out what did takes long.
    if is_open and document.entries("reviews"):
        cases = cases_of(move, model, view, actor, now)
        parts = parts_of(cases, move, model, view)
        said = [approvals_of(case, parts) for case in cases]
    current = _stood(document, move, view)
    names = names or _names(connection, view, [identity])
    return PromotionAnswer(
        request=short_name(document.id),
        id=document.id,
        model=str(model.value("name")),
        version=names.reference(move.version),
        version_id=move.version,
        version_state=version_state(document, view),
        target_kind=str(facts["target_kind"]),
        target=str(facts["target"]),
        current=names.reference(current),
        state=str(value("state")),
        waiting=document.seq == 0,
        requested=bool(by_hand) or sets_itself_off,
        auto=bool(facts["auto"]),
        reason=value("reason"),
        break_glass=value("break_glass") or glass,
        author=names.person(str(facts["author"])),
        created=iso(facts["created"]),
        ready=ready,
        gates=gates,
        reviews=_reviews(document, said, names),
    )


def _reviews(
    document: Document, said: Iterable[list[Approval]], names: Names
) -> list[ReviewAnswer]:
    """Return what people say to a request; what counts for no policy does not count."""
    standing: dict[str, list[Approval]] = {}
    for policy in said:
        for one in policy:
            standing.setdefault(one.user, []).append(one)
    found: list[ReviewAnswer] = []
    for user, review in document.entries("reviews").items():
        mine = standing.get(user, [])
        lost = why_not_counted(user, document.value("evidence"))
        against = next((one for one in mine if one.counts is not True), None)
        found.append(
            ReviewAnswer(
                author=names.person(user),
                verdict=review["verdict"],
                text=review["text"],
                role=review["role"],
                time=iso(review["at"]),
                counts=not lost if against is None else against.counts,
                reason=lost if against is None else against.reason,
            )
        )
    return sorted(found, key=lambda one: one.time)


def _kept(evidence: Any) -> list[GateAnswer]:
    """Return what gates said when a request was applied, as it was kept then."""
    if not isinstance(evidence, dict):
        return []
    return [
        GateAnswer(
            gate=str(one["gate"]),
            passed=True,
            reason=str(one["reason"]),
            policy=str(one["policy"]),
            evidence=one["evidence"],
        )
        for one in evidence.get("gates", [])
    ]
