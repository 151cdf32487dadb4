"""Deployments of a home that is published, beside those that the server has.

Where a deployment goes live the one before it ends. What runs by the server's word was never seen
in the home: to publish it ends none of that.
"""

import msgspec

from regtui.core.governance.moves import all_live_on
from regtui.core.identity import environment_id
from regtui.core.operations import DeploymentBody, Operation, TransitionBody
from regtui.core.policies import environment_key
from regtui.core.view import View


class PublishedDeployments:
    """Fits the deployments of a home to what runs at the server.

    Args:
        ended: Those that have ended in the home, by id.
    """

    def __init__(self, ended: set[str]) -> None:
        self._ended = ended
        self._own = set[str]()

    def fitted(self, operation: Operation, view: View) -> Operation | None:
        """Return an operation as it is published; None where it would end what runs there.

        One that is over is published as one that ran beside the others.

        Args:
            operation: Made again, and not judged yet.
            view: The registry right before it.
        """
        body = operation.body
        if isinstance(body, DeploymentBody):
            self._own.add(operation.entity)
        place = _goes_live_on(operation, view)
        if place is None:
            return operation
        live = all_live_on(view, operation.stream, *place)
        if all(one.id in self._own for one in live):
            return operation
        if isinstance(body, DeploymentBody) and operation.entity in self._ended:
            return msgspec.structs.replace(
                operation, body=msgspec.structs.replace(body, beside=True)
            )
        return None


def _goes_live_on(operation: Operation, view: View) -> tuple[str, str] | None:
    """Return the environment and the target on which an operation ends others, if it does."""
    body = operation.body
    if isinstance(body, DeploymentBody):
        is_alone = body.state == "live" and not body.beside
        return (
            (environment_id(environment_key(body.environment)), body.target) if is_alone else None
        )
    if not isinstance(body, TransitionBody) or body.to != "live":
        return None
    deployment = view.document(operation.entity)
    if deployment is None or deployment.facts.get("beside"):
        return None
    return str(deployment.facts["environment"]), str(deployment.facts["target"])
