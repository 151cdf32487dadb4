"""Answers about production, in the shapes that scripts rely on (`docs/scripting.md`)."""

from typing import Any

from msgspec import Struct


class PolicyAnswer(Struct, frozen=True, kw_only=True):
    """A policy.

    Attributes:
        policy: Its name.
        id: UUID.
        models: The scope that it is for.
        target_kind: `alias` or `environment`.
        target: Name of what it protects.
        definition: What it asks, as it was put.
        state: `active` or `removed`.
        created: When it was made.
        author: Who made it.
    """

    policy: str
    id: str
    models: str
    target_kind: str | None
    target: str | None
    definition: dict[str, Any]
    state: str
    created: str
    author: str


class GateAnswer(Struct, frozen=True, kw_only=True):
    """What a gate says.

    Attributes:
        gate: Its name, such as `approvals` or `check:smoke`.
        passed: None where only the server can tell.
        reason: One sentence.
        policy: Name of the policy that asks; empty where every target has the gate.
        evidence: UUID of what it looked at; None where that is no entity.
    """

    gate: str
    passed: bool | None
    reason: str
    policy: str
    evidence: str | None


class Tried(Struct, frozen=True, kw_only=True):
    """What a policy would say to a version.

    Attributes:
        model: Name of its model.
        number: Of the version; None until an authority has given one.
        version_id: UUID.
        reference: The shortest name that means this version for ever.
        holds: Whether the target is at it now.
        passed: Whether nothing says no; None where only the server can tell.
        gates: What each gate that looks at a version says.
    """

    model: str
    number: int | None
    version_id: str
    reference: str
    holds: bool
    passed: bool | None
    gates: list[GateAnswer]


class ReviewAnswer(Struct, frozen=True, kw_only=True):
    """What somebody says to a request.

    Attributes:
        author: Name.
        verdict: `approve` or `reject`.
        text: Why.
        role: The role that he had then.
        time: When.
        counts: Whether it counts now; None where only the server can tell.
        reason: Why it does not.
    """

    author: str
    verdict: str
    text: str
    role: str
    time: str
    counts: bool | None
    reason: str


class PromotionAnswer(Struct, frozen=True, kw_only=True):
    """A promotion request.

    Attributes:
        request: Its short name: the last digits of its id.
        id: UUID.
        model: Name of the model.
        version: Reference of the version; None where the alias is to be taken away.
        version_id: UUID of it.
        version_state: `captured`, `archived` or `deleted`; None where there is none, or it is not
            here any more.
        target_kind: `alias` or `environment`.
        target: Name of the target.
        current: Reference of the version that is there now; of one that was applied, that was
            there before. None where there is none.
        state: `open`, `applied` or `withdrawn`.
        waiting: Whether the server has still to hear of it.
        requested: Whether it is to be applied, asked for here or by itself when what is not sent
            yet arrives, and the server has to decide.
        auto: Whether it is applied by itself when the last gate passes.
        reason: Why it is asked for; None without one.
        break_glass: Why an admin passed the gates, or asks to where it is `requested`; None where
            nobody does.
        author: Who asks.
        created: When.
        ready: Whether all gates pass; None where only the server can tell.
        gates: What each gate says now; of one that was applied, what it said then.
        reviews: What people say.
    """

    request: str
    id: str
    model: str
    version: str | None
    version_id: str | None
    version_state: str | None
    target_kind: str
    target: str
    current: str | None
    state: str
    waiting: bool
    requested: bool
    auto: bool
    reason: str | None
    break_glass: str | None
    author: str
    created: str
    ready: bool | None
    gates: list[GateAnswer]
    reviews: list[ReviewAnswer]


class EnvironmentAnswer(Struct, frozen=True, kw_only=True):
    """An environment.

    Attributes:
        environment: Its name.
        id: UUID.
        kind: Such as `production` or `staging`; None where nobody said.
        protected: Whether deployments there need a maintainer.
        description: One line or more; None without one.
        expect: How often what runs there is to be heard of; None where nobody said.
        state: `active` or `removed`.
        live: How many deployments are live there.
        created: When it was made.
        author: Who made it.
    """

    environment: str
    id: str
    kind: str | None
    protected: bool
    description: str | None
    expect: str | None
    state: str
    live: int
    created: str
    author: str


class DeploymentAnswer(Struct, frozen=True, kw_only=True):
    """A deployment.

    Attributes:
        deployment: Its short name: the last digits of its id.
        id: UUID.
        model: Name of the model.
        version: Reference of the version.
        number: Its number; None until an authority has given one.
        version_id: UUID of it.
        environment: Name of the environment.
        target: What in there it runs on; empty for all of it.
        state: `pending`, `live`, `draining`, `stopped`, `failed` or `rolled_back`.
        waiting: Whether the server has still to accept it.
        since: When it went live; None where it never did.
        until: When it ended; None while it has not.
        replaces: Short name of the deployment whose place it took.
        replaced_by: Short name of the one that took its place.
        rollback_of: Short name of the deployment that it took back.
        request: Short name of the promotion request that it follows from.
        approved_by: Names of those who approved that.
        break_glass: Why an admin passed the gates; None where nobody did.
        url: Where it answers; None where nobody said.
        reason: Why it is in its state; None where nobody said.
        health: `fresh`, `stale`, `silent`, or `unknown` where nothing was heard yet; empty where it
            has ended.
        last_beat: When it was heard of last; None where it never was.
        usage: What was heard of it, as the server sums it up.
        by: Who put it there.
        created: When.
    """

    deployment: str
    id: str
    model: str
    version: str
    number: int | None
    version_id: str
    environment: str
    target: str
    state: str
    waiting: bool
    since: str | None
    until: str | None
    replaces: str | None
    replaced_by: str | None
    rollback_of: str | None
    request: str | None
    approved_by: list[str]
    break_glass: str | None
    url: str | None
    reason: str | None
    health: str
    last_beat: str | None
    usage: dict[str, Any]
    by: str
    created: str


class Moved(Struct, frozen=True, kw_only=True):
    """What became of a change to production.

    Attributes:
        done: Whether it took effect.
        requested: Whether it waits for the server to decide.
        gates: What the gates say here, where policies govern it.
    """

    done: bool
    requested: bool
    gates: list[GateAnswer]


def short_name(identity: str) -> str:
    """Return the short name of a request or deployment: its last digits, which are by chance."""
    return identity.replace("-", "")[-8:]
