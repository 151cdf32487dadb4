"""What operations name, and what is said of them: looked up and refused alike by several kinds.

What comes back after a restore is asked of what was then (`changed_later`).
"""

from regtui.core.documents import Document
from regtui.core.identity import environment_id
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.shape import CONTROL
from regtui.core.operations import DeploymentBody, Operation
from regtui.core.policies import duration


def check_seen(operation: Operation, merger: Merger, found: Document) -> None:
    """Refuse to change values that are not those that the author saw.

    What comes back after a restore has its place by when it was decided (`Merger.put`).
    """
    if merger.settled is not None:
        return
    for path, change in operation.body.set.items():
        seen = merger.seen(found, path, change)
        if seen != found.stamp(path) and found.value(path) != change.to:
            raise Refusal(
                "changed_meanwhile", "somebody changed it meanwhile", "look at it and try again"
            )


def version_of(operation: Operation, merger: Merger, identity: str) -> Document:
    """Return a version of the operation's model."""
    found = merger.view.document(identity)
    if found is None or found.kind != "version" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such version")
    return found


def captured_version(operation: Operation, merger: Merger, identity: str) -> Document:
    """Return a version of the operation's model that is not put away, or was not then."""
    found = version_of(operation, merger, identity)
    state = found.value("state")
    if state != "captured" and not changed_later(found, merger):
        raise Refusal(str(state), f"the version is {state}", "restore it first")
    return found


def deployment_of(operation: Operation, merger: Merger, identity: str) -> Document:
    """Return a deployment of the operation's model."""
    found = merger.view.document(identity)
    if found is None or found.kind != "deployment" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such deployment")
    return found


def changed_later(document: Document, merger: Merger) -> bool:
    """Tell whether a state is of later than what comes back: it was another one then."""
    return merger.is_behind(document.fields["state"])


def environment_of(merger: Merger, name: str) -> Document:
    """Return an environment that is there, or was then, by its name (identity form)."""
    found = merger.view.document(environment_id(name))
    gone = found is not None and found.value("state") != "active"
    if found is None or (gone and not changed_later(found, merger)):
        raise Refusal(
            "not_found", f"there is no environment {name!r}", "`regtui env put` makes one"
        )
    return found


def check_said(operation: Operation, merger: Merger) -> None:
    """Refuse an interval of no time, and an address that does something else than lead somewhere.

    What was accepted before is not asked again.
    """
    said = {path: one.to for path, one in operation.body.set.items() if one.to is not None}
    if merger.settled is not None:
        return
    if isinstance(operation.body, DeploymentBody):
        # The way back from any target is open.
        target = operation.body.target if operation.body.rollback_of is None else ""
        for name, text in (("target", target), ("url", str(said.get("url", "")))):
            if CONTROL.search(text):
                raise Refusal("malformed", f"the {name} contains a control character")
    if "expect" in said and duration(str(said["expect"])) == 0:
        raise Refusal("malformed", "nothing is heard of every 0 seconds", "such as 5m")
    scheme, _, rest = str(said.get("url", "https://-")).partition("://")
    if scheme.lower() not in {"http", "https"} or not rest:
        told = "a deployment answers at an address of http or https"
        raise Refusal("malformed", told, "such as https://eu-1.example.org")


def made_by(operation: Operation, merger: Merger, **facts: object) -> dict[str, object]:
    """Return the facts of something new: what it is, when it was made, and by whom."""
    return {**facts, "created": merger.stamp.at, "author": operation.actor}
