"""Production: policies, promotion requests, environments and deployments."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers_production import (
        DeploymentAnswer,
        EnvironmentAnswer,
        Moved,
        PolicyAnswer,
        PromotionAnswer,
        Tried,
    )
    from regtui.registry.usage import UsageAnswer


class ProducingVerbs(Verbs):
    """Bring versions into production by rules, and tell what is there."""

    def put_policies(
        self, tables: Sequence[Mapping[str, Any]]
    ) -> "list[tuple[PolicyAnswer, bool]]":
        """Make policies, or change what they ask; all of them or none.

        Args:
            tables: Each with `name`, `models` (a scope; `*` where it is left out) and what it asks.

        Returns:
            The policies, and whether each changed.

        Raises:
            BadInput: One is malformed, or its rule can't hold.
            Denied: It needs a maintainer of its scope.
            Unreachable: The server, which decides, does not answer; nothing was changed.
        """
        from regtui.registry import policies

        return policies.put_policies(self.context, tables)

    def remove_policy(self, name: str, models: str | None = None) -> "PolicyAnswer":
        """Take a policy away.

        Args:
            name: Its name.
            models: Its scope; None where only one scope has the name.

        Raises:
            NotFound: There is no such policy.
            BadInput: Several scopes have the name.
            Unreachable: The server, which decides, does not answer; nothing was changed.
        """
        from regtui.registry import policies

        return policies.remove_policy(self.context, name, models)

    def policies(self, model: str | None = None) -> "list[PolicyAnswer]":
        """Return the policies, or those that bind one model, by scope and name.

        Raises:
            NotFound: There is no such model.
        """
        from regtui.registry import policies

        return policies.policies(self.context, model)

    def policy(self, name: str, models: str | None = None) -> "PolicyAnswer":
        """Return one policy.

        Raises:
            NotFound: There is no such policy.
            BadInput: Several scopes have the name.
        """
        from regtui.registry import policies

        return policies.policy(self.context, name, models)

    def try_policy(
        self, policy: str | Mapping[str, Any], models: str | None = None, *, limit: int = 20
    ) -> "list[Tried]":
        """Return what a policy says to the versions that are there, target holders first.

        Args:
            policy: Its name, or one that nobody put yet, as `put_policies` takes it.
            models: Its scope; None where only one scope has the name.
            limit: Versions of each model, newest first.

        Raises:
            NotFound: There is no such policy.
            BadInput: It is malformed, its rule can't hold, or several scopes have the name.
        """
        from regtui.registry import policies

        return policies.try_policy(self.context, policy, models, limit=limit)

    def request_promotion(  # noqa: PLR0913 -- everything that a request says
        self,
        reference: str,
        target: str,
        *,
        reason: str = "",
        auto: bool = True,
        break_glass: str | None = None,
        remove: bool = False,
    ) -> "PromotionAnswer":
        """Ask for a target to be moved to a version.

        Args:
            reference: The version; with `remove`, the model.
            target: An alias, or `env:NAME`.
            reason: Why.
            auto: Whether it is applied by itself when the last gate passes.
            break_glass: Why an admin passes the gates; it is applied at once then.
            remove: Whether the alias is to be taken away.

        Raises:
            NotFound: There is no such version, environment, or alias to take away.
            BadInput: The target is malformed, or the reason to break glass is empty.
            Blocked: The gates can't be passed that way.
        """
        from regtui.registry import promotions

        return promotions.request_promotion(
            self.context,
            reference,
            target,
            reason=reason,
            auto=auto,
            break_glass=break_glass,
            remove=remove,
        )

    def promotions(
        self,
        model: str | None = None,
        *,
        state: str | None = "open",
        mine: bool = False,
        limit: int | None = None,
    ) -> "list[PromotionAnswer]":
        """Return promotion requests, newest first.

        Args:
            model: Only of this model.
            state: Only in this state; None for all.
            mine: Only those that wait for a review by whoever asks.
            limit: How many at most; None for all.

        Raises:
            NotFound: There is no such model.
            BadInput: There is no such state.
        """
        from regtui.registry import promotions

        return promotions.promotions(self.context, model, state=state, mine=mine, limit=limit)

    def promotion(self, request: str) -> "PromotionAnswer":
        """Return one request, with what each gate says now.

        Raises:
            NotFound: There is none.
            BadInput: It is no short name, or that of several.
        """
        from regtui.registry import promotions

        return promotions.promotion(self.context, request)

    def review(self, request: str, verdict: str, text: str = "") -> "PromotionAnswer":
        """Approve or reject a request, or take that back.

        Args:
            request: Its short name.
            verdict: `approve`, `reject`, or `none`.
            text: Why.

        Raises:
            NotFound: There is no such request.
            Denied: It needs an approver.
            BadInput: It has ended, or there is no such verdict.
        """
        from regtui.registry import promotions

        return promotions.review(self.context, request, verdict, text)

    def apply_promotion(
        self, request: str, *, break_glass: str | None = None
    ) -> "tuple[PromotionAnswer, Moved]":
        """Move the target as a request asks.

        Args:
            request: Its short name.
            break_glass: Why an admin passes the gates.

        Raises:
            NotFound: There is no such request.
            Blocked: A gate says no.
            BadInput: It has ended.
        """
        from regtui.registry import promotions

        return promotions.apply_promotion(self.context, request, break_glass=break_glass)

    def withdraw_promotion(self, request: str) -> "PromotionAnswer":
        """Take a request back.

        Raises:
            NotFound: There is no such request.
            Denied: It is somebody else's.
            BadInput: It has ended.
        """
        from regtui.registry import promotions

        return promotions.withdraw_promotion(self.context, request)

    def put_environment(
        self, name: str, values: Mapping[str, Any]
    ) -> "tuple[EnvironmentAnswer, bool]":
        """Make an environment, or change it; one that was removed comes back.

        Args:
            name: Its name.
            values: `kind`, `protected`, `description`, `expect`; None takes one away.

        Returns:
            The environment, and whether anything changed.

        Raises:
            BadInput: A name or value is malformed.
            Denied: It needs a maintainer of everything.
        """
        from regtui.registry import environments

        return environments.put_environment(self.context, name, values)

    def remove_environment(self, name: str) -> "EnvironmentAnswer":
        """Remove an environment; what was deployed there stays in the history.

        Raises:
            NotFound: There is no such environment.
            BadInput: Something runs there.
        """
        from regtui.registry import environments

        return environments.remove_environment(self.context, name)

    def environments(self) -> "list[EnvironmentAnswer]":
        """Return the environments, by name."""
        from regtui.registry import environments

        return environments.environments(self.context)

    def deploy(  # noqa: PLR0913 -- everything that a deployment says
        self,
        reference: str,
        environment: str,
        *,
        target: str = "",
        pending: bool = False,
        beside: bool = False,
        values: Mapping[str, Any] | None = None,
        break_glass: str | None = None,
    ) -> "tuple[DeploymentAnswer | None, Moved]":
        """Record that a version is deployed.

        Args:
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
        from regtui.registry import deployments

        return deployments.deploy(
            self.context,
            reference,
            environment,
            target=target,
            pending=pending,
            beside=beside,
            values=values,
            break_glass=break_glass,
        )

    def transition(
        self, deployment: str, to: str, reason: str = ""
    ) -> "tuple[DeploymentAnswer, Moved]":
        """Take a deployment to its next state.

        Args:
            deployment: Its short name.
            to: `live`, `draining`, `stopped`, `failed` or `rolled_back`.
            reason: Why.

        Raises:
            NotFound: There is no such deployment.
            BadInput: That state does not follow.
            Blocked: A gate says no.
            Denied: It needs a maintainer.
        """
        from regtui.registry import deployments

        return deployments.transition(self.context, deployment, to, reason)

    def roll_back(
        self,
        model: str,
        environment: str,
        *,
        target: str = "",
        reason: str = "",
        break_glass: str | None = None,
    ) -> "tuple[DeploymentAnswer | None, Moved]":
        """Go back to the version that was live in an environment before.

        Args:
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
        from regtui.registry import deployments

        return deployments.rollback(
            self.context,
            model,
            environment,
            target=target,
            reason=reason,
            break_glass=break_glass,
        )

    def deployments(
        self,
        reference: str | None = None,
        *,
        environment: str | None = None,
        ended: bool = False,
        limit: int | None = None,
    ) -> "list[DeploymentAnswer]":
        """Return deployments, newest first.

        Args:
            reference: Only of this model or version.
            environment: Only in this environment.
            ended: Whether those that have ended are told, too.
            limit: How many at most; None for all.

        Raises:
            NotFound: There is no such model, version or environment.
            BadInput: A name is malformed.
        """
        from regtui.registry import deployments

        return deployments.deployments(
            self.context, reference, environment=environment, ended=ended, limit=limit
        )

    def deployment(self, name: str) -> "DeploymentAnswer":
        """Return one deployment.

        Raises:
            NotFound: There is none.
            BadInput: It is no short name, or that of several.
        """
        from regtui.registry import deployments

        return deployments.deployment(self.context, name)

    def beat(
        self,
        deployment: str,
        *,
        requests: int = 0,
        errors: int = 0,
        latencies: Sequence[float] = (),
    ) -> str:
        """Tell that a deployment is alive, and what it did since; return its short name.

        Args:
            deployment: Its short name.
            requests: How many it answered since then; those that are timed count by themselves.
            errors: How many of them failed.
            latencies: Seconds that some of them took.

        Raises:
            NotFound: There is no such deployment.
            BadInput: A number is negative, or there are more errors than requests.
            Denied: One may not tell of it.
            Unreachable: The server does not answer.
        """
        from regtui.registry import usage

        return usage.beat(
            self.context, deployment, requests=requests, errors=errors, latencies=latencies
        )

    def usage(
        self, deployment: str, *, by: str = "hour", since: str | None = None
    ) -> "UsageAnswer":
        """Return what was heard of a deployment.

        Args:
            deployment: Its short name.
            by: What one bucket spans: `minute`, `hour` or `day`.
            since: Not older than `7d` or than a date; None for a week, or as the server has it.

        Raises:
            NotFound: There is no such deployment.
            BadInput: There is no such span, or the time is malformed.
            Unreachable: The server, which counts, does not answer.
        """
        from regtui.registry import usage

        return usage.usage(self.context, deployment, by=by, since=since)
