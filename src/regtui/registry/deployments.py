"""Deployments: what runs where, since when, put there by whom, and is it alive.

A deployment is recorded by whoever deploys (a person, or a pipeline), and taken from state to
state; one that takes another's place ends that.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.governance.moves import ACTIVE, all_live_on, in_environment, live_on
from regtui.core.identity import environment_id
from regtui.core.operations import (
    Change,
    DeploymentBody,
    TransitionBody,
)
from regtui.core.policies import duration, environment_key
from regtui.registry.answers import iso
from regtui.registry.answers_production import (
    DeploymentAnswer,
    Moved,
    short_name,
)
from regtui.registry.approvers import approvers
from regtui.registry.context import Context
from regtui.registry.environments import environment_named, known_environment
from regtui.registry.lookups import documents_by_id, model_names
from regtui.registry.moved import moved
from regtui.registry.production_lookups import Names, find_by_end
from regtui.registry.references import find_model, find_version
from regtui.registry.usage import own_summaries
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.ids import uuid7
from regtui.replica.remote import read_remote
from regtui.replica.unit import wall_clock
from regtui.replica.view import ReplicaView

if TYPE_CHECKING:
    from regtui.replica.authority import SoloAuthority

EXPECTED = "5m"
"""How often a deployment is to be heard of where nobody said."""

STALE, SILENT = 2, 12
"""How many of those intervals make one stale, and silent."""

TRANSITIONS = ("live", "draining", "stopped", "failed", "rolled_back")


def deploy(  # noqa: PLR0913 -- everything that a deployment says
    context: Context,
    reference: str,
    environment: str,
    *,
    target: str = "",
    pending: bool = False,
    beside: bool = False,
    values: Mapping[str, Any] | None = None,
    break_glass: str | None = None,
) -> tuple[DeploymentAnswer | None, Moved]:
    """Record that a version is deployed.

    Args:
        context: The registry.
        reference: The version.
        environment: Name of the environment.
        target: What in there it runs on.
        pending: Whether it is not live yet.
        beside: Whether it leaves what is live on the same target where it is.
        values: `reason`, `url`, `expect`.
        break_glass: Why an admin passes the gates.

    Returns:
        The deployment, None while it is only requested, and what became of it.

    Raises:
        NotFound: There is no such version or environment.
        Blocked: A gate says no.
        Denied: It needs a maintainer.
    """
    key = environment_key(environment)
    with context.writing() as authority:
        _, version = find_version(authority.connection, reference)
        environment_named(authority, key)
        replaced = (
            None if beside else live_on(authority.view, version.stream, environment_id(key), target)
        )
        return _record(
            authority,
            version,
            key,
            target=target,
            state="pending" if pending else "live",
            replaces=None if replaced is None else replaced.id,
            rollback_of=None,
            values=values or {},
            break_glass=break_glass,
            beside=beside,
        )


def transition(
    context: Context, deployment: str, to: str, reason: str = ""
) -> tuple[DeploymentAnswer, Moved]:
    """Take a deployment to its next state.

    Args:
        context: The registry.
        deployment: Its short name.
        to: One of `TRANSITIONS`.
        reason: Why.

    Raises:
        NotFound: There is no such deployment.
        BadInput: That state does not follow.
        Blocked: A gate says no.
        Denied: It needs a maintainer.
    """
    if to not in TRANSITIONS:
        raise BadInput(f"there is no state {to!r}", ", ".join(TRANSITIONS))
    with context.writing() as authority:
        _, found = find_by_end(authority.connection, "deployment", deployment)
        body = TransitionBody(to, reason, {})  # type: ignore[arg-type]
        authority.submit("deployment.transition", found.stream, found.id, body)
        authority.flush()
        answer = _deployments(context, authority.connection, "d.id = ?", [found.id])[0]
        return answer, moved(authority)


def rollback(  # noqa: PLR0913 -- everything that says where
    context: Context,
    model: str,
    environment: str,
    *,
    target: str = "",
    reason: str = "",
    break_glass: str | None = None,
) -> tuple[DeploymentAnswer | None, Moved]:
    """Go back to the version that was live in an environment before.

    Args:
        context: The registry.
        model: Name of the model.
        environment: Name of the environment.
        target: What in there it runs on.
        reason: Why.
        break_glass: Why an admin passes the gates.

    Raises:
        NotFound: Nothing is live there, or nothing was before.
        Blocked: A gate says no.
        Denied: It needs a maintainer.
    """
    key = environment_key(environment)
    with context.writing() as authority:
        _, document = find_model(authority.connection, model)
        environment_named(authority, key)
        there = all_live_on(authority.view, document.id, environment_id(key), target)
        if not there:
            hint = f"`regtui deploy ls {model}` lists what is"
            raise NotFound(f"nothing of {model} is live in {_place(key, target)}", hint)
        live, *others = there
        before = version_before(authority.view, live)
        version = None if before is None else authority.view.document(before)
        if version is None:
            raise NotFound(
                f"no other version of {model} was live in {_place(key, target)} before",
                f"`regtui deploy {model}@N {key}` deploys any version",
            )
        still = next((one for one in others if one.facts["version"] == before), None)
        if still is not None:  # the one to go back to never left: this one came beside it
            body = TransitionBody("rolled_back", reason, {})
            authority.submit("deployment.transition", document.id, live.id, body)
            authority.flush()
            answer = _deployments(context, authority.connection, "d.id = ?", [still.id])[0]
            return answer, moved(authority)
        return _record(
            authority,
            version,
            key,
            target=target,
            state="live",
            replaces=live.id,
            rollback_of=live.id,
            values={"reason": reason} if reason else {},
            break_glass=break_glass,
        )


def _place(environment: str, target: str) -> str:
    return f"{environment}/{target}" if target else environment


def before_rollback(context: Context, model: str, environment: str, target: str = "") -> str | None:
    """Return the version that `rollback` would go back to; None where there is none.

    Raises:
        NotFound: There is no such model.
        BadInput: A name is malformed.
    """
    key = environment_key(environment)
    with context.reading() as connection:
        _, document = find_model(connection, model)
        view = ReplicaView(connection, 0)
        live = live_on(view, document.id, environment_id(key), target)
        before = None if live is None else version_before(view, live)
        return None if before is None else Names(connection, [before], ()).reference(before)


def deployments(
    context: Context,
    reference: str | None = None,
    *,
    environment: str | None = None,
    ended: bool = False,
    limit: int | None = None,
) -> list[DeploymentAnswer]:
    """Return deployments, newest first.

    Args:
        context: The registry.
        reference: Only of this model or version.
        environment: Only in this environment.
        ended: Whether those that have ended are told, too.
        limit: How many at most; None for all.

    Raises:
        NotFound: There is no such model, version or environment.
        BadInput: A name is malformed.
    """
    where, parameters = ["m.state <> 'deleted'"], list[Any]()
    with context.reading() as connection:
        if reference is not None:
            if "@" in reference or reference.startswith(":"):
                where.append("d.version = ?")
                parameters.append(find_version(connection, reference)[0])
            else:
                where.append("d.model = ?")
                parameters.append(find_model(connection, reference)[0])
        if environment is not None:
            where.append("d.environment = ?")
            parameters.append(known_environment(connection, environment_key(environment)))
        if not ended:
            where.append("d.state in ('pending', 'live', 'draining')")
        return _deployments(context, connection, " and ".join(where), parameters, limit)


def deployment(context: Context, name: str) -> DeploymentAnswer:
    """Return one deployment.

    Raises:
        NotFound: There is none.
        BadInput: It is no short name, or that of several.
    """
    with context.reading() as connection:
        _, found = find_by_end(connection, "deployment", name)
        return _deployments(context, connection, "d.id = ?", [found.id])[0]


def _record(  # noqa: PLR0913 -- everything that a deployment says
    authority: "SoloAuthority",
    version: Document,
    environment: str,
    *,
    target: str,
    state: Any,
    replaces: str | None,
    rollback_of: str | None,
    values: Mapping[str, Any],
    break_glass: str | None,
    beside: bool = False,
) -> tuple[DeploymentAnswer | None, Moved]:
    identity = uuid7(wall_clock())
    given = {name: Change(value) for name, value in values.items() if value}
    body = DeploymentBody(
        version.id, environment, target, state, replaces, rollback_of, break_glass, given, beside
    )
    authority.submit("deployment.record", version.stream, identity, body)
    authority.flush()
    outcome = moved(authority)
    if not outcome.done:
        return None, outcome
    found = _answers_of(authority.connection, "d.id = ?", [identity], wall_clock())
    return found[0], outcome


def version_before(view: ReplicaView, live: Document) -> str | None:
    """Return the version that was live on the target of a deployment before that.

    What was rolled back and not deployed again since, what failed, and what is deleted by now, is
    not gone back to.
    """
    there = [
        one
        for one in in_environment(view, live.stream, str(live.facts["environment"]))
        if one.facts["target"] == live.facts["target"] and one.value("since") is not None
    ]
    there.sort(key=lambda one: int(one.value("since")))
    newest = {str(one.facts["version"]): one for one in there}
    earlier = [
        str(one.facts["version"])
        for one in there
        if one.id != live.id
        and one.value("state") not in {"rolled_back", "failed"}
        and one.facts["version"] != live.facts["version"]
        and int(one.value("since")) < int(live.value("since") or 0)
    ]
    good = (one for one in reversed(earlier) if newest[one].value("state") != "rolled_back")
    return next((one for one in good if _is_here(view, one)), None)


def _is_here(view: ReplicaView, version: str) -> bool:
    found = view.document(version)
    return found is not None and found.value("state") != "deleted"


def _deployments(
    context: Context,
    connection: Connection,
    condition: str,
    parameters: list[Any],
    limit: int | None = None,
) -> list[DeploymentAnswer]:
    return _answers_of(connection, condition, parameters, context.replica.clock(), limit)


def _answers_of(
    connection: Connection,
    condition: str,
    parameters: list[Any],
    now: int,
    limit: int | None = None,
) -> list[DeploymentAnswer]:
    rows = connection.execute(
        "select o.body, o.id::varchar from base.deployment d "  # noqa: S608 -- constants of this module
        "join base.model m on m.key = d.model join base.document o on o.key = d.key "
        f"where {condition} order by coalesce(d.since, d.created) desc, d.key desc limit ?",
        [*parameters, 2**62 if limit is None else limit],
    ).fetchall()
    documents = [stored_document(body, identity) for body, identity in rows]
    requests = documents_by_id(
        connection, (str(one.facts["request"]) for one in documents if one.facts["request"])
    )
    approving = {
        user
        for one in documents
        for user in approvers(requests.get(str(one.facts["request"])), one.value("evidence"))
    }
    people = {str(one.facts["author"]) for one in documents} | approving
    names = Names(connection, {str(one.facts["version"]) for one in documents}, people)
    models = model_names(connection, {one.stream for one in documents})
    expected = dict(connection.execute("select name, expect from base.environment").fetchall())
    heard: dict[str, dict[str, Any]] = {}
    if documents and read_remote(connection) is None:
        heard = own_summaries(connection, (one.id for one in documents), now)
    return [
        _answer(
            one, names, models, requests, expected, heard.get(one.id) or one.value("usage"), now
        )
        for one in documents
    ]


def _answer(  # noqa: PLR0913, PLR0917 -- everything that an answer is made of
    document: Document,
    names: Names,
    models: dict[str, str],
    requests: dict[str, Document],
    expected: dict[str, str | None],
    heard: dict[str, Any] | None,
    now: int,
) -> DeploymentAnswer:
    facts, value = document.facts, document.value
    request = requests.get(str(facts["request"]))
    usage = heard or {}
    beat = usage.get("beat")
    expect = value("expect") or expected.get(str(facts["environment_name"])) or EXPECTED
    evidence = value("evidence") or {}
    since, until = value("since"), value("until")
    return DeploymentAnswer(
        deployment=short_name(document.id),
        id=document.id,
        model=models.get(document.stream, ""),
        version=str(names.reference(str(facts["version"]))),
        number=names.number(str(facts["version"])),
        version_id=str(facts["version"]),
        environment=str(facts["environment_name"]),
        target=str(facts["target"]),
        state=str(value("state")),
        waiting=document.seq == 0,
        since=None if since is None else iso(since),
        until=None if until is None else iso(until),
        replaces=_short(facts["replaces"]),
        replaced_by=_short(value("replaced_by")),
        rollback_of=_short(facts["rollback_of"]),
        request=_short(facts["request"]),
        approved_by=sorted(map(names.person, approvers(request, value("evidence")))),
        break_glass=evidence.get("break_glass"),
        url=value("url"),
        reason=value("reason"),
        health=health(str(value("state")), beat, duration(str(expect)), now),
        last_beat=None if beat is None else iso(beat),
        usage=usage,
        by=names.person(str(facts["author"])),
        created=iso(facts["created"]),
    )


def health(state: str, beat: int | None, expected: int, now: int) -> str:
    """Return how a deployment is doing, by when it was heard of last.

    Args:
        state: Of the deployment; what has ended is not to be heard of.
        beat: Microseconds of the last time; None where it never was.
        expected: Microseconds within which it is to be heard of again.
        now: Microseconds.

    Returns:
        `fresh`, `stale`, `silent` or `unknown`; empty where it has ended.
    """
    if state not in ACTIVE:
        return ""
    if beat is None:
        return "unknown"
    age = now - beat
    return "fresh" if age <= STALE * expected else "stale" if age <= SILENT * expected else "silent"


def _short(identity: Any) -> str | None:
    return None if identity is None else short_name(str(identity))
