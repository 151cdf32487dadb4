"""Moves: what an operation does to a target that policies may protect.

Whatever its kind, an operation is looked at by its effects: an alias that points elsewhere after
it, a deployment that it brings to an environment. So an undo, a resolution or a request that is
applied is governed as the move that it makes. An operation that would move an alias and ends as a
candidate of a conflict is a move, too: it must not hold up those who may.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Struct

from regtui.core.documents import Document
from regtui.core.identity import alias_id, alias_key, deployment_id, environment_id
from regtui.core.operations import (
    ActBody,
    AliasBody,
    DeploymentBody,
    Operation,
    ResolveBody,
    TransitionBody,
)
from regtui.core.view import View

UNDER_WAY = frozenset({"pending", "live"})
"""The states in which a deployment is there, or about to be."""

ACTIVE = UNDER_WAY | {"draining"}
"""The states in which a deployment has not ended."""


class Move(Struct, frozen=True, kw_only=True):
    """A target that an operation moves, or wants to.

    Attributes:
        kind: `alias` or `environment`.
        name: Its name, in the form of identity.
        subject: Id of the alias or of the deployment that holds it.
        current: Id of the version there now; None where there is none.
        version: Id of the version to be there; None where it is to be none.
        earlier: The versions that were there before, and are not there now.
        request: The promotion request that it follows from.
        break_glass: Why an admin passes the gates.
        resolves: Id of the conflict that it ends.
    """

    kind: str
    name: str
    subject: str
    current: str | None
    version: str | None
    earlier: frozenset[str]
    request: Document | None = None
    break_glass: str | None = None
    resolves: str | None = None

    @property
    def returns(self) -> bool:
        """Whether it goes back to what was there before, and is not there now."""
        return self.version in self.earlier


def moves_of(operation: Operation, changed: Mapping[str, Document], view: View) -> Iterator[Move]:
    """Yield the moves of an operation.

    Args:
        operation: It.
        changed: The documents as it leaves them, by id.
        view: The registry right before it.
    """
    seen: set[str] = set()
    request = _request(operation, view)
    for document in changed.values():
        before = view.document(document.id)
        move: Move | None = None
        if document.kind == "alias":
            version = document.value("version")
            if before is None or before.value("version") != version:
                move = alias_move(document, before, version, operation, request)
        elif document.kind == "deployment" and _arrives(document, before):
            asked = _granted(document, view) if request is None else request
            move = deployment_move(document, view, operation, asked)
        if move is not None:
            seen.add(document.id)
            yield move
    yield from _wanted(operation, seen, view)


def target_move(  # noqa: PLR0913 -- everything that is asked
    view: View,
    model: str,
    kind: str,
    name: str,
    version: str | None,
    *,
    subject: str = "",
    request: Document | None = None,
) -> Move:
    """Return the move of a target to a version that somebody asks for, as the registry stands.

    Args:
        view: The registry.
        model: Id of the model.
        kind: `alias` or `environment`.
        name: Of the target, in the form of identity.
        version: Id of the version to be there; None where it is to be none.
        subject: Id of the deployment that it would make.
        request: The request that asks for it.
    """
    if kind == "environment":
        there = in_environment(view, model, environment_id(name))
        return environment_move(name, "", subject, version, there, None, request)
    alias = _alias(view, model, name)
    return alias_move(alias, alias, version, None, request)


def alias_move(
    alias: Document,
    before: Document | None,
    version: str | None,
    operation: Operation | None,
    request: Document | None,
) -> Move:
    """Return the move of an alias.

    Args:
        alias: As it is after the move, or before it.
        before: As it stands; None where there is none yet.
        version: Where it is to point.
        operation: What moves it; None where that is only asked.
        request: The request that it follows from.
    """
    held = {} if before is None else before.entries("holders")
    current: str | None = None if before is None else before.value("version")
    earlier = {str(one["version"]) for one in held.values() if one["version"] is not None}
    return Move(
        kind="alias",
        name=alias_key(str(alias.facts["name"])),  # as somebody spelled it when it was made
        subject=alias.id,
        current=current,
        version=version,
        earlier=frozenset(earlier - {current}),
        request=request,
        break_glass=_glass(operation),
        resolves=operation.entity if operation and operation.kind == "conflict.resolve" else None,
    )


def deployment_move(
    deployment: Document, view: View, operation: Operation | None, request: Document | None
) -> Move:
    """Return the move of an environment to the version of a deployment."""
    name, version = str(deployment.facts["environment_name"]), str(deployment.facts["version"])
    target = str(deployment.facts["target"])
    there = in_environment(view, deployment.stream, str(deployment.facts["environment"]))
    others = [one for one in there if one.id != deployment.id]
    move = environment_move(name, target, deployment.id, version, others, operation, request)
    told = (deployment.value("evidence") or {}).get("break_glass")
    if isinstance(operation and operation.body, TransitionBody) and told is not None:
        # As it was let in, so it goes live: by an admin, who passes the gates for that reason.
        return msgspec.structs.replace(move, break_glass=str(told))
    return move


def environment_move(  # noqa: PLR0913, PLR0917 -- everything that a move is
    name: str,
    target: str,
    subject: str,
    version: str | None,
    there: list[Document],
    operation: Operation | None,
    request: Document | None,
) -> Move:
    """Return the move of an environment to a version.

    Each target goes on and back by itself. One where nothing runs is compared with what runs
    elsewhere in the environment.

    Args:
        name: Of the environment.
        target: What in there it is to run on.
        subject: Id of the deployment; empty where there is none yet.
        version: Which is to be there.
        there: The model's deployments there, ended ones included.
        operation: What moves it; None where that is only asked.
        request: The request that it follows from.
    """
    here = [one for one in there if one.facts["target"] == target]
    live = {str(one.facts["version"]) for one in _live(here)}
    current = next(iter(_live(here) or _live(there)), None)
    # How it ended the last time that it was there decides, whatever was before.
    last = {
        str(one.facts["version"]): one.value("state")
        for one in sorted(here, key=lambda one: int(one.value("since") or 0))
        if one.value("since") is not None
    }
    earlier = {one for one, state in last.items() if state not in {"failed", "rolled_back"}}
    return Move(
        kind="environment",
        name=name,
        subject=subject,
        current=None if current is None else str(current.facts["version"]),
        version=version,
        earlier=frozenset(earlier - live),
        request=request,
        break_glass=_glass(operation),
    )


def in_environment(view: View, model: str, environment: str) -> list[Document]:
    """Return the deployments of a model in an environment, ended ones included."""
    return [
        one
        for one in view.in_stream(model, "deployment")
        if one.facts["environment"] == environment
    ]


def live_on(view: View, model: str, environment: str, target: str) -> Document | None:
    """Return the deployment of a model that went live last on a target of an environment."""
    return next(iter(all_live_on(view, model, environment, target)), None)


def all_live_on(view: View, model: str, environment: str, target: str) -> list[Document]:
    """Return the deployments of a model that are live on a target, the newest first."""
    there = in_environment(view, model, environment)
    return _live([one for one in there if one.facts["target"] == target])


def _live(there: list[Document]) -> list[Document]:
    """Return those that are live, the newest first."""
    live = [one for one in there if one.value("state") == "live"]
    return sorted(live, key=lambda one: int(one.value("since") or 0), reverse=True)


def _arrives(deployment: Document, before: Document | None) -> bool:
    """Tell whether a deployment comes to be there, or goes live."""
    state = deployment.value("state")
    return state in UNDER_WAY and (before is None or before.value("state") != state)


def _granted(deployment: Document, view: View) -> Document | None:
    """Return the request by which a version was let into the environment of a deployment.

    It lets it in as long as the deployment that it led to has not ended: what was taken out again
    is asked for again.
    """
    found = [
        one
        for one in view.about(str(deployment.facts["version"]), "promotion")
        if one.value("state") == "applied"
        and one.stream == deployment.stream
        and _has_led_to_what_stands(one, view)
        and (one.facts["target_kind"], one.facts["target"])
        == ("environment", deployment.facts["environment_name"])
    ]
    return max(found, key=lambda one: one.seq, default=None)


def _has_led_to_what_stands(promotion: Document, view: View) -> bool:
    led_to = view.document(deployment_id(promotion.id))
    return led_to is not None and led_to.value("state") in ACTIVE


def _wanted(operation: Operation, seen: set[str], view: View) -> Iterator[Move]:
    """Yield the move of an alias that an operation asks for and does not come to make."""
    body, request = operation.body, _request(operation, view)
    alias: Document | None = None
    if request is not None and operation.kind == "promotion.apply":
        if request.facts["target_kind"] == "alias":
            alias = _alias(view, operation.stream, str(request.facts["target"]))
            if alias.id not in seen:
                yield alias_move(alias, alias, request.facts["version"], operation, request)
        return
    if isinstance(body, AliasBody):
        alias = _alias(view, operation.stream, alias_key(body.name))
    elif isinstance(body, ResolveBody) and body.of_kind == "alias" and "version" in body.set:
        alias = view.document(body.of)
    if alias is not None and alias.id not in seen:
        version = body.set["version"].to
        if alias.value("version") != version or isinstance(body, AliasBody):
            yield alias_move(alias, alias, version, operation, None)


def _alias(view: View, model: str, name: str) -> Document:
    """Return a model's alias; one that points nowhere where there is none yet."""
    identity = alias_id(model, name)
    return view.document(identity) or Document(
        id=identity,
        kind="alias",
        stream=model,
        seq=0,
        by="",
        facts={"model": model, "name": name},
        fields={},
    )


def _request(operation: Operation, view: View) -> Document | None:
    found = view.document(operation.entity) if isinstance(operation.body, ActBody) else None
    return found if found is not None and found.kind == "promotion" else None


def _glass(operation: Operation | None) -> str | None:
    body = None if operation is None else operation.body
    return body.break_glass if isinstance(body, ActBody | DeploymentBody) else None
