"""Operations: the intents of people and programs, immutable and kept.

An operation names for each value what it sets and the *stamp* that its author saw there: the id of
the operation that had set it. Whether the author saw the present value is thereby a comparison of
two ids and never one of clocks. The exact bytes of an operation are stored and sent; nothing is
encoded a second time.
"""

from typing import Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from regtui.core import encoding
from regtui.core.errors import BadInput

FORMAT = 1
"""The version of the operation format that this program writes."""

BYTES_LIMIT = 1 << 20
"""The largest operation, in bytes."""

GROUP_LIMIT = 20_000
"""Operations of one intent that a server takes: they travel and are judged as a whole."""


class Change(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One value that an operation sets.

    Attributes:
        to: The new value; None takes it away.
        saw: Stamp of the value that the author saw; None where there was none.
        was: For texts, digest of the text that the author saw.
    """

    to: Any
    saw: str | None = None
    was: str | None = None


Changes = dict[str, Change]
"""Change by path."""


class EditBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Changes of an entity that exists."""

    set: Changes


class ModelBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A new model: its name as written, the generation of that name, and first values."""

    name: str
    generation: int
    set: Changes


class CaptureBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Captured content: its digest, what tells equal content apart, its size, and first values."""

    digest: str
    nonce: str
    size: int
    files: int
    set: Changes


class StateBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A change of state.

    Attributes:
        last: The last operation on the entity in the *accepted* state that the author saw, never a
            pending one of his own: that may be ordered after changes of others that he did not see.
        set: The state.
    """

    last: str | None
    set: Changes


class AliasBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An alias by name and the version that it moves to."""

    name: str
    set: Changes


class ResolveBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a conflict, together with the edit that it produces.

    Attributes:
        of: Id of the entity that the conflict is about.
        of_kind: Its kind.
        choice: `accepted` (what stands stays), `value` (another one), or the operation of the
            candidate that is taken; None opens the conflict again, which is how this is undone.
        seen: Operations of the candidates that the author saw.
        set: What changes on that entity; empty where the accepted value stays.
    """

    of: str
    of_kind: str
    choice: str | None
    seen: list[str]
    set: Changes


class CommentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A comment: id and kind of the entity that it is about, and its text."""

    of: str
    of_kind: str
    set: Changes


class DatasetBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A dataset by name, and its values."""

    name: str
    set: Changes


class PolicyBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A policy by its name and scope, and what it asks (`regtui.core.policies.Policy`)."""

    name: str
    models: str
    set: Changes


class CheckBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A check by its name and scope, and how it is run (`regtui.core.policies.Check`)."""

    name: str
    models: str
    set: Changes


class ReportBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The outcome of a check of a version.

    Attributes:
        version: Id.
        check: Name of the check.
        definition: Stamp of the definition that was run; None where there is none.
        outcome: `passed`, `failed`, or why there is neither: `error`, `timeout`.
        figures: Figure by name, NaN and infinities as tagged strings.
        runner: Where it ran.
        started: Microseconds of that machine's clock.
        ended: Likewise.
        inputs: Digest of what went in beside the version; None where nothing did.
        set: The log, as a text.
    """

    version: str
    check: str
    definition: str | None
    outcome: Literal["passed", "failed", "error", "timeout"]
    figures: dict[str, float | Literal["NaN", "Infinity", "-Infinity"]]
    runner: str
    started: int
    ended: int
    inputs: str | None
    set: Changes


class RequestBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A request to move a target to a version.

    Attributes:
        version: Id; None asks for the alias to be taken away.
        target_kind: `alias` or `environment`.
        target: Its name.
        auto: Whether it is applied by itself when the last gate passes.
        set: The reason.
        saw: The operation that had moved the alias where its author saw it; None where it pointed
            nowhere yet. An environment has none.
    """

    version: str | None
    target_kind: Literal["alias", "environment"]
    target: str
    auto: bool
    set: Changes
    saw: str | UnsetType | None = UNSET


class ReviewBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody says to a request.

    Attributes:
        verdict: `approve`, `reject`, or `none`, which takes back what he said before.
        text: Why.
        seen: Digest of each part of what he reviewed (`regtui.core.governance.reviewed`).
        set: Nothing.
    """

    verdict: Literal["approve", "reject", "none"]
    text: str
    seen: dict[str, str]
    set: Changes


class ActBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The end of a request: it is applied or withdrawn.

    Attributes:
        break_glass: Why an admin passes the gates; None where he does not.
        set: Nothing.
        saw: As in a request: what is applied moves the alias from there, and from nowhere else.
    """

    break_glass: str | None
    set: Changes
    saw: str | UnsetType | None = UNSET


class EnvironmentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """An environment by name, and values of it."""

    name: str
    set: Changes


class DeploymentBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A version that is brought to an environment.

    Attributes:
        version: Id.
        environment: Name of the environment.
        target: What in there it runs on; empty for all of it.
        state: `pending` or `live`.
        replaces: Id of the deployment whose place it takes.
        rollback_of: Id of the deployment that it takes back.
        break_glass: Why an admin passes the gates; None where he does not.
        set: Values of it.
        beside: Whether what is live on the same target stays. Else that ends when nothing is named
            in `replaces`: who waits for a server does not know what is live by then.
    """

    version: str
    environment: str
    target: str
    state: Literal["pending", "live"]
    replaces: str | None
    rollback_of: str | None
    break_glass: str | None
    set: Changes
    beside: bool = False


class TransitionBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A deployment's next state, and why.

    Attributes:
        to: The state.
        reason: Why; empty where nobody said.
        set: Nothing.
    """

    to: Literal["live", "draining", "stopped", "failed", "rolled_back"]
    reason: str
    set: Changes


class UserBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A person, or a service account that a person owns, by name, and values of it."""

    name: str
    set: Changes


class TeamBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A team by name, and values of it."""

    name: str
    set: Changes


class GrantBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A role in a scope.

    Attributes:
        to: Id of the user or team that has it.
        to_kind: `user` or `team`.
        scope: `*`, a prefix such as `nlp/*`, or one model's name.
        set: The role by its name; None takes it away.
    """

    to: str
    to_kind: str
    scope: str
    set: Changes


class ReplicaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A replica: whose it is, the public key that it signs with (hex digits), and values of it."""

    user: str
    public_key: str
    set: Changes


class Operation(Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True):
    """What every operation carries.

    Attributes:
        id: UUIDv7.
        replica: Id of the replica that made it.
        n: Its place in the replica's chain, from 1; 0 until it is first sent.
        prev: Digest of the replica's operation n - 1, 32 hex digits.
        at: Microseconds of the machine's wall clock, monotone per replica; it only breaks ties.
        actor: User id.
        stream: `registry`, `access` or a model's id.
        entity: Id of what it changes.
        via: `cli`, `app`, `watcher`, `api` or `runner`.
        session: Which invocation made it.
        group: Operations of one group are accepted together or not at all.
        undoes: Id of the operation that this one takes back; it is judged like any other.
        origin: Id of the replica that made it first, where another one publishes what several did
            beside each other: what one of them did, the others had not seen.
    """

    kind: ClassVar[str] = ""

    id: str
    replica: str
    n: int = 0
    prev: str = ""
    v: int = FORMAT
    at: int
    actor: str
    stream: str
    entity: str
    body: Any
    via: str
    session: str
    group: str | None = None
    undoes: str | None = None
    origin: str | UnsetType = UNSET


class ModelCreate(Operation, frozen=True, tag="model.create"):
    """Make a model."""

    kind = "model.create"
    body: ModelBody


class ModelEdit(Operation, frozen=True, tag="model.edit"):
    """Change values of a model."""

    kind = "model.edit"
    body: EditBody


class ModelArchive(Operation, frozen=True, tag="model.archive"):
    """Put a model away."""

    kind = "model.archive"
    body: StateBody


class ModelDelete(Operation, frozen=True, tag="model.delete"):
    """Delete a model; its history stays."""

    kind = "model.delete"
    body: StateBody


class ModelRestore(Operation, frozen=True, tag="model.restore"):
    """Bring a model back."""

    kind = "model.restore"
    body: StateBody


class VersionCapture(Operation, frozen=True, tag="version.capture"):
    """Register captured content as a version."""

    kind = "version.capture"
    body: CaptureBody


class VersionEdit(Operation, frozen=True, tag="version.edit"):
    """Change values of a version."""

    kind = "version.edit"
    body: EditBody


class VersionArchive(Operation, frozen=True, tag="version.archive"):
    """Put a version away."""

    kind = "version.archive"
    body: StateBody


class VersionDelete(Operation, frozen=True, tag="version.delete"):
    """Delete a version; its record stays."""

    kind = "version.delete"
    body: StateBody


class VersionRestore(Operation, frozen=True, tag="version.restore"):
    """Bring a version back."""

    kind = "version.restore"
    body: StateBody


class AliasSet(Operation, frozen=True, tag="alias.set"):
    """Point an alias to a version."""

    kind = "alias.set"
    body: AliasBody


class AliasRemove(Operation, frozen=True, tag="alias.remove"):
    """Take an alias away."""

    kind = "alias.remove"
    body: AliasBody


class ConflictResolve(Operation, frozen=True, tag="conflict.resolve"):
    """Settle a conflict."""

    kind = "conflict.resolve"
    body: ResolveBody


class CommentAdd(Operation, frozen=True, tag="comment.add"):
    """Say something about a model or version."""

    kind = "comment.add"
    body: CommentBody


class CommentEdit(Operation, frozen=True, tag="comment.edit"):
    """Change or withdraw a comment."""

    kind = "comment.edit"
    body: EditBody


class DatasetPut(Operation, frozen=True, tag="dataset.put"):
    """Make a dataset known, or change what is known of it."""

    kind = "dataset.put"
    body: DatasetBody


class PolicyPut(Operation, frozen=True, tag="policy.put"):
    """Make a policy, or change what it asks."""

    kind = "policy.put"
    body: PolicyBody


class PolicyRemove(Operation, frozen=True, tag="policy.remove"):
    """Take a policy away."""

    kind = "policy.remove"
    body: PolicyBody


class CheckPut(Operation, frozen=True, tag="check.put"):
    """Make a check, or change how it is run."""

    kind = "check.put"
    body: CheckBody


class CheckRemove(Operation, frozen=True, tag="check.remove"):
    """Take a check away."""

    kind = "check.remove"
    body: CheckBody


class CheckReport(Operation, frozen=True, tag="check.report"):
    """Tell how a check of a version ended."""

    kind = "check.report"
    body: ReportBody


class EnvironmentPut(Operation, frozen=True, tag="environment.put"):
    """Make an environment, or change it."""

    kind = "environment.put"
    body: EnvironmentBody


class PromotionRequest(Operation, frozen=True, tag="promotion.request"):
    """Ask for a target to be moved to a version."""

    kind = "promotion.request"
    body: RequestBody


class PromotionReview(Operation, frozen=True, tag="promotion.review"):
    """Approve or reject a request."""

    kind = "promotion.review"
    body: ReviewBody


class PromotionApply(Operation, frozen=True, tag="promotion.apply"):
    """Move the target as a request asks."""

    kind = "promotion.apply"
    body: ActBody


class PromotionWithdraw(Operation, frozen=True, tag="promotion.withdraw"):
    """Take a request back."""

    kind = "promotion.withdraw"
    body: ActBody


class DeploymentRecord(Operation, frozen=True, tag="deployment.record"):
    """Bring a version to an environment."""

    kind = "deployment.record"
    body: DeploymentBody


class DeploymentTransition(Operation, frozen=True, tag="deployment.transition"):
    """Take a deployment to its next state."""

    kind = "deployment.transition"
    body: TransitionBody


class UserPut(Operation, frozen=True, tag="user.put"):
    """Make a person or service account known, or change what is known of it."""

    kind = "user.put"
    body: UserBody


class TeamPut(Operation, frozen=True, tag="team.put"):
    """Make a team, or change it."""

    kind = "team.put"
    body: TeamBody


class GrantAdd(Operation, frozen=True, tag="grant.add"):
    """Give somebody a role in a scope."""

    kind = "grant.add"
    body: GrantBody


class GrantRemove(Operation, frozen=True, tag="grant.remove"):
    """Take a role away."""

    kind = "grant.remove"
    body: GrantBody


class ReplicaEnrol(Operation, frozen=True, tag="replica.enrol"):
    """Let a replica act for its user."""

    kind = "replica.enrol"
    body: ReplicaBody


class ReplicaRevoke(Operation, frozen=True, tag="replica.revoke"):
    """Stop a replica from acting for its user."""

    kind = "replica.revoke"
    body: EditBody


AnyOperation = (
    ModelCreate
    | ModelEdit
    | ModelArchive
    | ModelDelete
    | ModelRestore
    | VersionCapture
    | VersionEdit
    | VersionArchive
    | VersionDelete
    | VersionRestore
    | AliasSet
    | AliasRemove
    | ConflictResolve
    | CommentAdd
    | CommentEdit
    | DatasetPut
    | PolicyPut
    | PolicyRemove
    | CheckPut
    | CheckRemove
    | CheckReport
    | EnvironmentPut
    | PromotionRequest
    | PromotionReview
    | PromotionApply
    | PromotionWithdraw
    | DeploymentRecord
    | DeploymentTransition
    | UserPut
    | TeamPut
    | GrantAdd
    | GrantRemove
    | ReplicaEnrol
    | ReplicaRevoke
)

KINDS: dict[str, type[Operation]] = {variant.kind: variant for variant in AnyOperation.__args__}


class UnknownKind(Exception):
    """The operation is of a kind or format that this program does not know."""


class _Header(Struct, frozen=True):
    kind: str
    v: int


_decoder: msgspec.json.Decoder[Operation] = msgspec.json.Decoder(AnyOperation)
_header = msgspec.json.Decoder(_Header)


def is_of_one_replica(one: Operation, other: Operation) -> bool:
    """Tell whether two operations were made by one replica, which knows what it did."""
    return (one.replica, one.origin) == (other.replica, other.origin)


def subject(operation: Operation) -> str:
    """Return the id of the entity whose values an operation sets."""
    body = operation.body
    return body.of if isinstance(body, ResolveBody) else operation.entity


def encode_operation(operation: Operation) -> bytes:
    """Return the canonical bytes of an operation."""
    return encoding.encode(operation)


def decode_operation(data: bytes) -> Operation:
    """Return the operation behind its bytes.

    Raises:
        UnknownKind: A newer program made it.
        BadInput: The bytes are too many or hold no operation.
    """
    if len(data) > BYTES_LIMIT:
        raise BadInput(f"an operation has {len(data)} bytes, more than {BYTES_LIMIT}")
    try:
        header = _header.decode(data)
        if header.kind not in KINDS or header.v != FORMAT:
            raise UnknownKind(f"{header.kind} v{header.v}")
        return _decoder.decode(data)
    except (ValueError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError) and "unknown field" in str(error):
            raise UnknownKind(f"{header.kind} with more than this program knows") from None
        raise BadInput(f"malformed operation: {error}") from None
