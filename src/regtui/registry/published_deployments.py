"""Deployments of a home that is published, beside those that the server has.

Where a deployment goes live the one before it ends. What runs by the server's word was never seen
in the home: to publish it ends none of that.
"""

from regtui.core.governance.moves import all_live_on
from regtui.core.identity import environment_id
from regtui.core.operations import DeploymentBody, Operation, TransitionBody
from regtui.core.policies import environment_key
from regtui.core.view import View


class PublishedDeployments:
    """Knows which deployments of a home can't be published."""

    def __init__(self) -> None:
        self._own = set[str]()
        self._left_out = set[str]()

    def leave_out(self, operation: Operation, view: View) -> bool:
        """Tell whether an operation would end what runs at the server, or is about what would have.

        Args:
            operation: Made again, and not judged yet.
            view: The registry right before it.
        """
        if operation.entity in self._left_out:
            return True
        is_record = isinstance(operation.body, DeploymentBody)
        if is_record:
            self._own.add(operation.entity)
        place = _goes_live_on(operation, view)
        live = [] if place is None else all_live_on(view, operation.stream, *place)
        if all(one.id in self._own for one in live):
            return False
        if is_record:
            self._left_out.add(operation.entity)
        return True


def _goes_live_on(operation: Operation, view: View) -> tuple[str, str] | None:
    """Return the environment and the target on which an operation ends others, if it does."""
    body = operation.body
    if isinstance(body, DeploymentBody):
        if body.state != "live" or body.beside:
            return None
        return environment_id(environment_key(body.environment)), body.target
    if not isinstance(body, TransitionBody) or body.to != "live":
        return None
    deployment = view.document(operation.entity)
    if deployment is None or deployment.facts.get("beside"):
        return None
    return str(deployment.facts["environment"]), str(deployment.facts["target"])
