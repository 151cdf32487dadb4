"""Shape: limits, ids that follow from names, and values of the right type.

The first step of judgement; it needs nothing but the operation itself.
"""

import math
import re
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from regtui.core import encoding
from regtui.core.access import scope_key
from regtui.core.documents import FIELDS, Field, JsonScalar, Metric, Rule, split_path
from regtui.core.errors import BadInput
from regtui.core.governance.reviewing import CHANGED
from regtui.core.identity import (
    UUID_FORM,
    alias_id,
    alias_key,
    check_id,
    dataset_id,
    environment_id,
    grant_id,
    model_id,
    name_key,
    policy_id,
    replica_id,
    team_id,
    user_id,
    version_id,
)
from regtui.core.judgement.refusal import Refusal
from regtui.core.operations import (
    BYTES_LIMIT,
    ActBody,
    AliasBody,
    CaptureBody,
    Change,
    CheckBody,
    CommentBody,
    DatasetBody,
    DeploymentBody,
    EditBody,
    EnvironmentBody,
    GrantBody,
    ModelBody,
    Operation,
    PolicyBody,
    ReplicaBody,
    ReportBody,
    RequestBody,
    ResolveBody,
    ReviewBody,
    StateBody,
    TeamBody,
    TransitionBody,
    UserBody,
)
from regtui.core.policies import (
    check_of,
    checked_scope,
    definition_key,
    duration,
    environment_key,
    policy_of,
)

CHANGES_LIMIT = 10_000
KEY_LIMIT = 500
DEPTH_LIMIT = 32
VALUE_LIMIT = 64 * 1024
"""Bytes of one value as JSON; texts may use the whole operation."""

TEXT_LIMIT = 4_000
"""Characters of what a review or a reason says."""

FIGURES_LIMIT = 1_000
"""Figures of one report."""

CHAIN_BYTES = 128
"""Bytes to spare for an operation's place in its chain, which a draft does not have yet."""

STATES = {
    "model.archive": "archived",
    "model.delete": "deleted",
    "model.restore": "active",
    "version.archive": "archived",
    "version.delete": "deleted",
    "version.restore": "captured",
}
"""The state that an operation leads to."""

SETTABLE: dict[str, frozenset[str]] = {
    "version.capture": frozenset({"places", "state"}),
    **dict.fromkeys(STATES, frozenset({"state"})),
    "alias.set": frozenset({"version"}),
    "alias.remove": frozenset({"version"}),
    "conflict.resolve": frozenset({"state", "version", "places"}),
    "comment.edit": frozenset({"state"}),
    "dataset.put": frozenset({"state"}),
    "policy.put": frozenset({"definition"}),
    "policy.remove": frozenset({"state"}),
    "check.put": frozenset({"definition"}),
    "check.remove": frozenset({"state"}),
    "check.report": frozenset({"log"}),
    "grant.add": frozenset({"role"}),
    "grant.remove": frozenset({"role"}),
    "replica.revoke": frozenset({"state"}),
}
"""The fields that edits can't name, by the kinds of operation that set them."""

NEEDED = frozenset({"state", "text", "uri", "definition", "protected"})
"""The fields that no edit can take away."""

DISCUSSED = frozenset({"model", "version", "promotion", "deployment"})
"""The kinds that comments can be about."""

CONTESTED = frozenset({"model", "version", "alias", "comment", "dataset"})
"""The kinds that conflicts can be about."""

ACCESS_KINDS = frozenset({"user", "team", "grant", "replica"})
"""The kinds of entity that the access stream has."""

_CAPTURED = Change("captured")
_FIGURE = frozenset({"value", "step"})
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
"""The characters of category Cc."""
_LONGEST_ESCAPE = 6  # bytes that JSON takes for one character at most
_UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def entity_kind(operation: Operation) -> str:
    """Return the kind of entity that an operation changes."""
    if isinstance(operation.body, ReportBody):
        return "check_run"
    return operation.kind.partition(".")[0]


def check_shape(operation: Operation) -> None:
    """Refuse an operation that no authority could ever accept.

    Raises:
        Refusal: With code `malformed`.
    """
    try:
        _check_size(operation)
        _check_ids(operation)
        _check_entity(operation)
        _check_changes(operation)
    except BadInput as error:
        raise Refusal("malformed", error.message, error.hint) from None


def _check_size(operation: Operation) -> None:
    try:
        size = len(msgspec.json.encode(operation))  # in any order
    except UnicodeEncodeError:
        raise BadInput("a text in the operation is not valid Unicode") from None
    if size > BYTES_LIMIT - CHAIN_BYTES:
        raise BadInput(f"the operation has {size} bytes, too many for one")


def _check_ids(operation: Operation) -> None:
    if not UUID_FORM.fullmatch(operation.id) or not UUID_FORM.fullmatch(operation.replica):
        raise BadInput("operations and replicas have a UUID in lower case for an id")
    if operation.undoes is not None and not UUID_FORM.fullmatch(operation.undoes):
        raise BadInput("what is undone has a UUID in lower case for an id")
    if operation.origin is not UNSET and not UUID_FORM.fullmatch(operation.origin):
        raise BadInput("replicas have a UUID in lower case for an id")
    if operation.group is not None and not UUID_FORM.fullmatch(operation.group):
        raise BadInput("a group has a UUID in lower case for an id")
    if not 0 <= operation.at < 2**63:
        raise BadInput("the time is out of range")


def _check_entity(operation: Operation) -> None:
    if operation.entity != _expected_id(operation):
        raise BadInput("the entity's id does not follow from its name")
    if entity_kind(operation) == "model" and operation.stream != operation.entity:
        raise BadInput("a model's operations belong to its own stream")
    body = operation.body
    of_registry = isinstance(body, DatasetBody | PolicyBody | CheckBody | EnvironmentBody)
    if of_registry and operation.stream != "registry":
        raise BadInput(f"a {entity_kind(operation)} belongs to the registry's stream")
    if operation.stream == "registry" and not of_registry and not isinstance(body, ResolveBody):
        raise BadInput(f"a {entity_kind(operation)} belongs to a model's stream")
    if (entity_kind(operation) in ACCESS_KINDS) != (operation.stream == "access"):
        raise BadInput("people, teams, grants and replicas belong to the access stream, alone")
    # Of another version would be an id that follows from a name, and is thereby taken.
    minted = isinstance(body, CommentBody | ReportBody | RequestBody | DeploymentBody)
    if minted and not _UUID7.fullmatch(operation.entity):
        raise BadInput(f"a {entity_kind(operation)} has a UUID of version 7 for an id")
    if isinstance(body, ResolveBody | CommentBody):
        kinds = CONTESTED if isinstance(body, ResolveBody) else DISCUSSED
        named = UUID_FORM.fullmatch(operation.entity) and UUID_FORM.fullmatch(body.of)
        if body.of_kind not in kinds or not named:
            raise BadInput(f"{operation.kind} can't be about that")


def _expected_id(operation: Operation) -> str:
    """Return the id that follows from an operation's names and content."""
    body = operation.body
    if isinstance(body, ModelBody):
        if body.generation < 0:
            raise BadInput("generations count from 0")
        return model_id(name_key(body.name), body.generation)
    if isinstance(body, CaptureBody):
        counted = 0 <= body.size < 2**63 and 1 <= body.files < 2**31
        if not counted or not _DIGEST.fullmatch(body.digest) or len(body.nonce) > KEY_LIMIT:
            raise BadInput("a capture names a digest, a size and at least one file")
        return version_id(operation.stream, body.digest, body.nonce)
    if isinstance(body, AliasBody):
        return alias_id(operation.stream, alias_key(body.name))
    return _registry_id(operation)


def _registry_id(operation: Operation) -> str:
    """Return the id that follows from the name of what belongs to the whole registry."""
    body = operation.body
    if isinstance(body, DatasetBody):
        return dataset_id(name_key(body.name))
    if isinstance(body, PolicyBody):
        return policy_id(checked_scope(body.models), definition_key(body.name))
    if isinstance(body, CheckBody):
        return check_id(checked_scope(body.models), definition_key(body.name))
    if isinstance(body, EnvironmentBody):
        return environment_id(environment_key(body.name))
    return _access_id(operation)


def _access_id(operation: Operation) -> str:
    """Return the id that follows from who or what an operation on access names."""
    body = operation.body
    if isinstance(body, UserBody):
        return user_id(_person(body.name))
    if isinstance(body, TeamBody):
        return team_id(_person(body.name))
    if isinstance(body, GrantBody):
        if body.to_kind not in {"user", "team"} or body.scope != scope_key(body.scope):
            raise BadInput("a grant names a user or team, and a scope in lower case")
        return grant_id(body.to, body.scope)
    if isinstance(body, ReplicaBody):
        if not _DIGEST.fullmatch(body.public_key) or not UUID_FORM.fullmatch(body.user):
            raise BadInput("a replica names its user and a public key of 32 bytes")
        return replica_id(bytes.fromhex(body.public_key))
    return operation.entity


def _person(name: str) -> str:
    """Return the name of a person or team if it can be one."""
    name_key(name, segments=False)
    return name


def _check_changes(operation: Operation) -> None:
    body, changes = operation.body, operation.body.set
    if len(changes) > CHANGES_LIMIT:
        raise BadInput(f"{len(changes)} changes are more than {CHANGES_LIMIT}")
    if isinstance(body, EditBody) and not changes:
        raise BadInput("an edit changes nothing")
    kind = body.of_kind if isinstance(body, ResolveBody) else entity_kind(operation)
    for path, change in changes.items():
        _check_change(operation, kind, path, change)
    for path in ("expect",) if kind in {"environment", "deployment"} else ():
        if path in changes and changes[path].to is not None:
            duration(str(changes[path].to))
    taken = [path for path in NEEDED & set(changes) if changes[path].to is None]
    if taken:
        raise BadInput(f"{min(taken)!r} can't be taken away")
    _check_what_is_set(operation)


def _check_what_is_set(operation: Operation) -> None:
    """Refuse what an operation of its kind does not set, though its entity has it."""
    body, changes = operation.body, operation.body.set
    if isinstance(body, StateBody) and (
        set(changes) != {"state"} or changes["state"].to != STATES[operation.kind]
    ):
        raise BadInput(f"{operation.kind} sets the state and nothing else")
    if isinstance(body, AliasBody) and (
        set(changes) != {"version"}
        or (changes["version"].to is None) != (operation.kind == "alias.remove")
    ):
        raise BadInput(f"{operation.kind} sets the version and nothing else")
    if isinstance(body, GrantBody) and (
        set(changes) != {"role"}
        or (changes["role"].to is None) != operation.kind.endswith(".remove")
    ):
        raise BadInput(f"{operation.kind} sets the role and nothing else")
    if operation.kind == "replica.revoke" and (
        set(changes) != {"state"} or changes["state"].to != "revoked"
    ):
        raise BadInput("replica.revoke sets the state and nothing else")
    _check_production(operation)
    if isinstance(body, CommentBody) and set(changes) != {"text"}:
        raise BadInput("a comment sets its text and nothing else")
    if isinstance(body, CaptureBody) and changes.get("state", _CAPTURED).to != _CAPTURED.to:
        raise BadInput("a capture brings a version back and changes no other state")


def _check_production(operation: Operation) -> None:
    body, changes = operation.body, operation.body.set
    if isinstance(body, CaptureBody | EditBody):
        return  # as most are
    if isinstance(body, PolicyBody | CheckBody):
        _check_definition(operation)
    if isinstance(body, ReportBody):
        _check_report(body)
    if isinstance(body, RequestBody):
        _check_request(body)
    if isinstance(body, ReviewBody | ActBody | TransitionBody) and changes:
        raise BadInput(f"{operation.kind} sets nothing beside what it says")
    if isinstance(body, ReviewBody):
        _check_review(body)
    if isinstance(body, DeploymentBody):
        _check_deployment(body)
    if isinstance(body, RequestBody | ActBody) and not isinstance(body.saw, UnsetType):
        _check_named(body.saw)
    said = body.reason if isinstance(body, TransitionBody) else ""
    said = (body.break_glass or "") if isinstance(body, ActBody | DeploymentBody) else said
    if len(said) > TEXT_LIMIT:
        raise BadInput(f"a reason has at most {TEXT_LIMIT} characters")


def _check_definition(operation: Operation) -> None:
    """Refuse a policy or check that nobody could follow."""
    changes = operation.body.set
    wanted = {"state"} if operation.kind.endswith(".remove") else {"definition"}
    if set(changes) != wanted:
        raise BadInput(f"{operation.kind} sets the {min(wanted)} and nothing else")
    if "state" in changes and changes["state"].to != "removed":
        raise BadInput(f"{operation.kind} removes")
    if "definition" in changes:
        read = policy_of if isinstance(operation.body, PolicyBody) else check_of
        read(changes["definition"].to)


def _check_request(body: RequestBody) -> None:
    if not set(body.set) <= {"reason"}:
        raise BadInput("a request sets its reason and nothing else")
    _check_named(body.version)
    if body.target_kind == "alias":
        alias_key(body.target)
    else:
        environment_key(body.target)


def _check_deployment(body: DeploymentBody) -> None:
    _check_named(body.version, body.replaces, body.rollback_of)
    environment_key(body.environment)
    if len(body.target) > KEY_LIMIT:
        raise BadInput(f"the target has more than {KEY_LIMIT} characters")


def _check_named(*identities: str | None) -> None:
    if not all(one is None or UUID_FORM.fullmatch(one) for one in identities):
        raise BadInput("what it is about has a UUID in lower case for an id")


def _check_report(body: ReportBody) -> None:
    definition_key(body.check)
    _check_named(body.version)
    texts = [body.runner, body.definition or "", body.inputs or ""]
    if set(body.set) - {"log"} or len(body.figures) > FIGURES_LIMIT:
        raise BadInput(f"a report has a log and at most {FIGURES_LIMIT} figures")
    if any(len(text) > KEY_LIMIT for text in (*texts, *body.figures)):
        raise BadInput(f"a name in the report has more than {KEY_LIMIT} characters")
    if not all(isinstance(one, str) or math.isfinite(one) for one in body.figures.values()):
        raise BadInput("a figure of the report is not plain JSON")
    if not 0 <= body.started <= body.ended < 2**63:
        raise BadInput("the run ends before it begins")


def _check_review(body: ReviewBody) -> None:
    if len(body.text) > TEXT_LIMIT:
        raise BadInput(f"a review has at most {TEXT_LIMIT} characters")
    plain = all(_DIGEST.fullmatch(one) for one in body.seen.values())
    if not plain or set(body.seen) != ({*CHANGED} if body.verdict == "approve" else {*body.seen}):
        raise BadInput("a review says what was reviewed")
    if len(body.seen) > len(CHANGED):
        raise BadInput("a review says what was reviewed, and nothing else")


def _check_change(operation: Operation, kind: str, path: str, change: Change) -> None:
    name, key = split_path(path)
    field = FIELDS[kind].get(name)
    if field is None:
        raise BadInput(f"a {kind} has no field {name[:KEY_LIMIT]!r}")
    if field.keyed != (key is not None) or key == "" or len(key or "") > KEY_LIMIT:
        raise BadInput(f"{path[:KEY_LIMIT]!r} is no path of a {kind}")
    if key is not None and CONTROL.search(key):
        raise BadInput(f"{path!r} contains a control character")
    # A capture that is undone takes its place with it, and redoing brings it back.
    is_undo = name == "places" and operation.undoes is not None
    if not field.editable and not is_undo and name not in SETTABLE.get(operation.kind, ()):
        raise BadInput(f"{operation.kind} can't set {name!r}")
    _check_seen(path, change)
    if name in {"parents", "members"} and not UUID_FORM.fullmatch(key or ""):
        raise BadInput(f"{path!r} names nothing by its id")
    if change.to is not None:
        _check_value(field, path, change.to)
    if name == "places" and isinstance(change.to, dict):
        _check_place(path, change.to)


def _check_place(path: str, place: dict[str, Any]) -> None:
    if not UUID_FORM.fullmatch(place["author"]):
        raise BadInput(f"the author of {path!r} has a UUID in lower case for an id")
    if not isinstance((place.get("context") or {}).get("git", {}), dict | None):
        raise BadInput(f"the commit of {path!r} is malformed")


def _check_seen(path: str, change: Change) -> None:
    """Refuse a stamp or a text seen before that can be none, before anybody looks them up.

    A value that stands there by no operation has an empty stamp.
    """
    if change.saw and not UUID_FORM.fullmatch(change.saw):
        raise BadInput(f"{path!r} was seen with the stamp of no operation")
    if change.was is not None and not _DIGEST.fullmatch(change.was):
        raise BadInput(f"{path!r} is based on a text that has no digest")


def _check_value(field: Field, path: str, value: object) -> None:
    if _is_plainly_right(field, value):
        return
    _check_plain(path, value, DEPTH_LIMIT)
    if field.rule is not Rule.TEXT and len(encoding.encode(value)) > VALUE_LIMIT:
        raise BadInput(f"the value of {path!r} has more than {VALUE_LIMIT} bytes")
    try:
        struct = msgspec.convert(value, field.type, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(f"the value of {path!r} is malformed: {error}") from None
    if isinstance(struct, Struct) and isinstance(value, dict):
        unknown = value.keys() - struct.__struct_fields__
        if unknown:
            raise BadInput(f"the value of {path!r} has unknown fields: {sorted(unknown)}")


def _is_plainly_right(field: Field, value: object) -> bool:
    """Tell at a glance that a value passes every check below, as most do."""
    if isinstance(value, str):
        is_text = field.type is str or field.type is JsonScalar
        return is_text and len(value) * _LONGEST_ESCAPE < VALUE_LIMIT
    if isinstance(value, dict):
        return field.type is Metric and _is_plain_figure(value)
    return isinstance(value, float) and field.type is JsonScalar and math.isfinite(value)


def _is_plain_figure(metric: dict[str, object]) -> bool:
    """Tell whether a metric has a number and a step that counts, and nothing else."""
    value, step = metric.get("value"), metric.get("step")
    is_figure = isinstance(value, float) and math.isfinite(value)
    counts = isinstance(step, int) and not isinstance(step, bool) and 0 <= step < 2**63
    return is_figure and counts and metric.keys() == _FIGURE


def _check_plain(path: str, value: object, depth: int) -> None:
    """Refuse what JSON can't say, or not to every reader alike."""
    if depth == 0:
        raise BadInput(f"the value of {path!r} is nested too deeply")
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _check_plain(path, part, depth - 1)
    elif not _is_plain(value):
        raise BadInput(f"the value of {path!r} is not plain JSON")


def _is_plain(value: object) -> bool:
    """Tell whether a value without parts is one of JSON, to every reader alike."""
    if isinstance(value, int):
        return value in encoding.INTEGERS
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str)
