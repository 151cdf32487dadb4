"""Summaries of what was done to production, as one plain line each."""

from collections.abc import Callable, Mapping

from regtui.core.identity import short_id
from regtui.core.operations import Operation
from regtui.registry.answers_production import short_name

Names = Mapping[str, str]
"""What to call the models, versions and requests that an operation names, by id."""


def _definition(verb: str, kind: str) -> Callable[[Operation, Names], str]:
    def told(operation: Operation, names: Names) -> str:  # noqa: ARG001 -- it has its own name
        return f"{verb} the {kind} {operation.body.name} of {operation.body.models}"

    return told


def _reported(operation: Operation, names: Names) -> str:
    body = operation.body
    return f"reported {body.check} of {_version(body.version, names)}: {body.outcome}"


def _requested(operation: Operation, names: Names) -> str:
    body = operation.body
    to = "nothing" if body.version is None else _version(body.version, names)
    place = body.target if body.target_kind == "alias" else f"env:{body.target}"
    return f"asked for {place} to be {to} ({short_name(operation.entity)})"


def _reviewed(operation: Operation, names: Names) -> str:
    verbs = {"approve": "approved", "reject": "rejected", "none": "took back what was said to"}
    said = f": {operation.body.text}" if operation.body.text else ""
    return f"{verbs[operation.body.verdict]} {_request(operation, names)}{said}"


def _applied(operation: Operation, names: Names) -> str:
    glass = operation.body.break_glass
    told = "" if glass is None else f" past its gates, as an admin: {glass}"
    return f"applied {_request(operation, names)}{told}"


def _withdrew(operation: Operation, names: Names) -> str:
    return f"withdrew {_request(operation, names)}"


def _environment(operation: Operation, names: Names) -> str:  # noqa: ARG001 -- one signature
    state = operation.body.set.get("state")
    verb = "removed" if state is not None and state.to == "removed" else "put"
    return f"{verb} the environment {operation.body.name}"


def _deployed(operation: Operation, names: Names) -> str:
    body = operation.body
    place = f"{body.environment}/{body.target}" if body.target else body.environment
    version = _version(body.version, names)
    if body.rollback_of is not None:
        return f"rolled {place} back to {version}"
    verb = "deployed" if body.state == "live" else "began to deploy"
    glass = "" if body.break_glass is None else f" past its gates, as an admin: {body.break_glass}"
    return f"{verb} {version} in {place}{glass}"


def _moved(operation: Operation, names: Names) -> str:  # noqa: ARG001 -- one signature
    why = f": {operation.body.reason}" if operation.body.reason else ""
    state = operation.body.to.replace("_", " ")
    return f"took the deployment {short_name(operation.entity)} to {state}{why}"


def _version(version: str, names: Names) -> str:
    """Return a version of a model that is known from the context, as `@7`."""
    called = names.get(version) or short_id(version)
    _, at, number = called.rpartition("@")
    return at + number if at else called


def _request(operation: Operation, names: Names) -> str:
    called = names.get(operation.entity)
    return f"the request {short_name(operation.entity)}" + (f" for {called}" if called else "")


PRODUCTION: dict[str, Callable[[Operation, Names], str]] = {
    "policy.put": _definition("put", "policy"),
    "policy.remove": _definition("removed", "policy"),
    "check.put": _definition("put", "check"),
    "check.remove": _definition("removed", "check"),
    "check.report": _reported,
    "environment.put": _environment,
    "promotion.request": _requested,
    "promotion.review": _reviewed,
    "promotion.apply": _applied,
    "promotion.withdraw": _withdrew,
    "deployment.record": _deployed,
    "deployment.transition": _moved,
}
"""By kind of operation."""
