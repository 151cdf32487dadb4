"""Judgement: `judge(operation, view, actor, now)` decides what an operation does.

The client runs it to preview and to apply at once, the authority runs the same function to decide.
Five steps, the first that fails decides: **shape** (limits, ids, types), **access** (on the name,
before any look-up), **state** (what it refers to exists, the transition is legal), **governance**
(every gate), **merge** (value by value). It is a pure function: equal arguments, equal verdict.

Merging refuses nothing but what depends on a rejected operation, which is a matter of state, so its
effects are collected with the state rules and dropped where a gate fails. Gates look at those
effects: what an operation moves counts, whatever its kind.

A replica that is no authority shows nothing of a move that policies govern: it is `requested`.
"""

import msgspec

from regtui.core import encoding
from regtui.core.access import (
    REQUIRED,
    Actor,
    Role,
    may_grant,
    reports,
    role_of,
    role_over,
)
from regtui.core.documents import Document, encode_document
from regtui.core.errors import BadInput
from regtui.core.identity import name_key
from regtui.core.judgement.kinds import KINDS
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.moving import apply_by_itself, ask_gates, is_online
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.shape import check_shape
from regtui.core.operations import (
    FORMAT,
    CheckBody,
    DatasetBody,
    EnvironmentBody,
    GrantBody,
    ModelBody,
    Operation,
    PolicyBody,
    ReplicaBody,
    ResolveBody,
)
from regtui.core.policies import meets
from regtui.core.verdicts import Accepted, Conflicted, Judged, Rejected, Unsupported
from regtui.core.view import View

__all__ = ["judge"]


DOCUMENT_LIMIT = 4 << 20
"""Bytes of one entity's values: whoever reads it has to hold some thousand of them."""


def judge(  # noqa: PLR0913 -- all that decides
    operation: Operation,
    view: View,
    actor: Actor,
    now: int,
    *,
    settled: Accepted | None = None,
    late: int | None = None,
) -> Judged:
    """Decide about one operation.

    Args:
        operation: What somebody asks for.
        view: The registry right before it.
        actor: Who asks, with the grants that hold now.
        now: Microseconds of the authority's clock; recorded in the verdict.
        settled: Of one that was accepted before and comes back after a restore: the verdict that it
            had. Access and gates are not asked again, and moments are those of then; what its
            author may do now only counts for what is recorded of it.
        late: Of one that was accepted before and is judged anew: when it was decided then.

    Returns:
        The verdict, the documents that it changes, history rows and texts to keep.
    """
    if operation.kind not in KINDS or operation.v != FORMAT:
        return Judged(Unsupported(op=operation.id, now=now, kind=operation.kind))
    try:
        check_shape(operation)
        if settled is None:
            _check_access(operation, view, actor)
        moment = now if settled is None else min(now, settled.decided)
        merger = Merger(operation, view, actor, moment, settled=settled, late=late)
        outcome = KINDS[operation.kind](operation, merger)
        gates = ask_gates(operation, merger)
        apply_by_itself(operation, merger)
    except Refusal as refusal:
        return Judged(
            Rejected(
                op=operation.id,
                now=now,
                code=refusal.code,
                message=refusal.message,
                hint=refusal.hint,
                cause=refusal.cause,
            )
        )
    if not view.seq and (gates or is_online(operation, view)):
        verdict = Accepted(op=operation.id, now=now, at_used=merger.stamp.at, documents={})
        return Judged(verdict, requested=True, gates=tuple(gates.results))
    documents = tuple((doc, encode_document(doc)) for doc in merger.documents.values())
    large = settled is None and next(
        (doc for doc, data in documents if _outgrows(doc, data, view)), None
    )
    if large:
        told = f"a {large.kind} has at most {DOCUMENT_LIMIT >> 20} MiB of values"
        hint = "keep what is long in a file, or in the card"
        return Judged(Rejected(op=operation.id, now=now, code="too_many", message=told, hint=hint))
    verdict = Accepted(
        op=operation.id,
        now=now,
        at_used=merger.stamp.at,
        documents={doc.id: encoding.digest(data) for doc, data in documents},
        number=outcome.number,
        merged_into=outcome.merged_into,
        paths=dict(sorted(merger.paths.items())),
        role=merger.role,
        applied=tuple(merger.applied),
        first=None if settled is None else moment,
    )
    if merger.conflicts:
        values = msgspec.structs.asdict(verdict)
        verdict = Conflicted(**values, conflicts=tuple(merger.conflicts))
    return Judged(verdict, documents, tuple(merger.log), merger.texts, gates=tuple(gates.results))


def _outgrows(document: Document, data: bytes, view: View) -> bool:
    """Tell whether a document comes to be larger than any may be."""
    if len(data) <= DOCUMENT_LIMIT:
        return False
    before = view.document(document.id)
    return before is None or len(data) > len(encode_document(before))


def _check_access(operation: Operation, view: View, actor: Actor) -> None:
    """Refuse what the actor may not do; what he may not see is not there."""
    if operation.stream == "access":
        _check_administration(operation, view, actor)
        return
    if isinstance(operation.body, PolicyBody | CheckBody | EnvironmentBody):
        _check_definition(operation, actor)
        return
    if isinstance(operation.body, ModelBody | DatasetBody):
        try:
            name = name_key(operation.body.name)
        except BadInput as error:
            raise Refusal("malformed", error.message, error.hint) from None
    else:
        name = _scope_of(operation, view)
    role = role_of(actor, name)
    if operation.kind == "check.report" and reports(actor, name):
        return  # a machine's, which may see nothing
    if role is None or role < Role.VIEWER:
        raise Refusal("not_found", "there is no such model")
    required = REQUIRED[operation.kind]
    if isinstance(operation.body, ResolveBody) and _changes_state(operation.body):
        required = Role.MAINTAINER  # as the change of state that it produces
    if role < required:
        raise Refusal("denied", f"{operation.kind} needs the role {required.name.lower()}")


def _check_definition(operation: Operation, actor: Actor) -> None:
    """Refuse changes of policies, checks and environments by who does not have all of their scope.

    An environment is there for all models.
    """
    body = operation.body
    scope = "*" if isinstance(body, EnvironmentBody) else body.models
    if not any(one.role >= Role.VIEWER and meets(one.scope, scope) for one in actor.grants):
        raise Refusal("not_found", f"there is no such {operation.kind.partition('.')[0]}")
    role, required = role_over(actor, scope), REQUIRED[operation.kind]
    if role is None or role < required:
        word = required.name.lower()
        raise Refusal("denied", f"{operation.kind} needs the role {word} in {scope!r}")


def _check_administration(operation: Operation, view: View, actor: Actor) -> None:
    """Refuse changes of who may do what: they are for the admins of the scope.

    Whose replica it is may enrol and revoke it.
    """
    body, scope = operation.body, "*"
    if isinstance(body, GrantBody):
        scope = body.scope
    elif isinstance(body, ReplicaBody):
        if body.user == actor.id:
            return
    elif operation.kind == "replica.revoke":
        replica = view.document(operation.entity)
        if replica is not None and replica.facts.get("user") == actor.id:
            return
    if not may_grant(actor, scope):
        raise Refusal("denied", f"{operation.kind} needs the role admin in {scope!r}")


def _changes_state(body: ResolveBody) -> bool:
    """Tell whether a resolution archives, deletes or restores; comments and datasets are edited."""
    return body.of_kind in {"model", "version"} and "state" in body.set


def _scope_of(operation: Operation, view: View) -> str:
    """Return the name by which access is decided: the model's, or the dataset's."""
    body = operation.body
    if isinstance(body, ResolveBody) and body.of_kind == "dataset":
        dataset = view.document(body.of) if operation.stream == "registry" else None
        if dataset is None or dataset.kind != "dataset":
            return ""
        return name_key(str(dataset.facts["name"]))
    model = view.document(operation.stream)
    return str(model.value("name")) if model is not None and model.kind == "model" else ""
