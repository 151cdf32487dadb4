"""Checking: whether versions are what they should be."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from threading import Event

    from regtui.registry.answers_checks import CheckAnswer, Checked, CheckRunAnswer, TrustedAnswer
    from regtui.registry.check_running import OnStart, Pending
    from regtui.registry.checks import WantedCheck


class CheckingVerbs(Verbs):
    """Say how versions are tried, try them, and tell how that ended."""

    def put_check(
        self, name: str, models: str, definition: Mapping[str, Any]
    ) -> "tuple[CheckAnswer, bool]":
        """Make a check, or change it; one that was removed comes back. It is trusted here.

        Args:
            name: What it is called.
            models: The models that it is about: `*`, a prefix such as `nlp/*`, or one.
            definition: What it does (docs/checks.md).

        Returns:
            The check, and whether anything changed.

        Raises:
            BadInput: Something in it means nothing.
            Denied: It is for maintainers of all of its scope.
        """
        from regtui.registry import checks

        return checks.put_check(self.context, name, models, definition)

    def put_checks(self, wanted: "Iterable[WantedCheck]") -> "list[tuple[CheckAnswer, bool]]":
        """Make or change several checks, all of them or none; see `put_check`."""
        from regtui.registry import checks

        return checks.put_checks(self.context, wanted)

    def remove_check(self, name: str, models: str | None = None) -> "CheckAnswer":
        """Remove a check; what its runs told stays.

        Args:
            name: What it is called.
            models: Its scope, where there are several of that name.

        Raises:
            NotFound: There is no such check.
            BadInput: There are several; the error names their scopes.
            Denied: It is for maintainers of all of its scope.
        """
        from regtui.registry import checks

        return checks.remove_check(self.context, name, models)

    def checks(self, model: str | None = None) -> "list[CheckAnswer]":
        """Return all checks, or those that hold for a model, by name.

        Raises:
            BadInput: The name is malformed.
        """
        from regtui.registry import checks

        return checks.checks(self.context, model)

    def check(self, name: str, models: str | None = None) -> "CheckAnswer":
        """Return one check; `models` is its scope, where there are several of that name.

        Raises:
            NotFound: There is no such check.
            BadInput: There are several; the error names their scopes.
        """
        from regtui.registry import checks

        return checks.check(self.context, name, models)

    def trust_check(self, which: str, models: str | None = None) -> "TrustedAnswer":
        """Let the command of a check run on this machine.

        Args:
            which: The name of the check, as it is defined now, or the digest of its definition.
            models: The scope of the check, where there are several of that name.

        Raises:
            NotFound: There is no such check.
            BadInput: There are several.
        """
        from regtui.registry import check_trust

        return check_trust.trust(self.context, which, models)

    def untrust_check(self, which: str, models: str | None = None) -> "TrustedAnswer":
        """Let the command of a check run on this machine no more.

        Raises:
            NotFound: There is no such check, or it is not trusted.
            BadInput: There are several.
        """
        from regtui.registry import check_trust

        return check_trust.untrust(self.context, which, models)

    def trusted_checks(self) -> "list[TrustedAnswer]":
        """Return the definitions that may run on this machine."""
        from regtui.registry import check_trust

        return check_trust.trusted(self.context)

    def run_checks(
        self,
        reference: str,
        names: Iterable[str] = (),
        *,
        on: str | None = None,
        stop: "Event | None" = None,
        on_start: "OnStart | None" = None,
    ) -> "Checked":
        """Run checks of a version, and tell how each ended.

        Args:
            reference: The version.
            names: Which checks; none for all that hold for its model.
            on: Only those that are run on `capture` or `request` and have not been yet.
            stop: Ends it: what runs is killed and tells nothing.
            on_start: Is told the version and the name of what begins.

        Raises:
            NotFound: There is no such version, or no such check for its model.
            BadInput: The reference or a name is malformed.
            Denied: One that was named is not trusted here, or nothing may be told of the model.
            Stopped: It was ended.
        """
        from regtui.registry import check_running

        return check_running.run_checks(
            self.context, reference, names, on=on, stop=stop, on_start=on_start
        )

    def pending_checks(self, *, limit: int = 100) -> "list[Pending]":
        """Return the checks that wait to be run, those of requests first."""
        from regtui.registry import check_running

        return check_running.pending(self.context, limit=limit)

    def run_pending_checks(
        self,
        *,
        limit: int = 100,
        stop: "Event | None" = None,
        on_start: "OnStart | None" = None,
        on_offline: Callable[[str], object] | None = None,
    ) -> "Checked":
        """Run what waits to be run and is trusted here; with a remote it is synced around that.

        Args:
            limit: How many at most.
            stop: Ends it: what runs is killed and tells nothing.
            on_start: Is told the version and the name of what begins.
            on_offline: Is told why the remote could not be reached; then what is here is done.

        Raises:
            Denied: Nothing may be told of a model.
            Stopped: It was ended.
        """
        from regtui.registry import check_running

        return check_running.run_pending(
            self.context, limit=limit, stop=stop, on_start=on_start, on_offline=on_offline
        )

    def report_check(  # noqa: PLR0913 -- everything that is told of a run, by name
        self,
        reference: str,
        name: str,
        outcome: str,
        *,
        figures: Mapping[str, float] | None = None,
        log: str = "",
        runner: str | None = None,
    ) -> "CheckRunAnswer":
        """Tell how a check of a version ended that was run elsewhere.

        Args:
            reference: The version.
            name: Of the check; there need be no definition of it.
            outcome: `passed`, `failed`, `error` or `timeout`.
            figures: What was measured, by name.
            log: What it printed; of a long one beginning and end are kept.
            runner: Where it ran; None for here.

        Raises:
            NotFound: There is no such version.
            BadInput: Something is malformed.
            Denied: This person tells nothing of this model.
        """
        from regtui.registry import check_runs

        return check_runs.report(
            self.context, reference, name, outcome, figures=figures, log=log, runner=runner
        )

    def check_runs(self, reference: str, name: str | None = None) -> "list[CheckRunAnswer]":
        """Return what checks of a version told, newest first; `name` for one of them.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference or the name is malformed.
        """
        from regtui.registry import check_runs

        return check_runs.check_runs(self.context, reference, name)

    def check_log(self, reference: str, name: str) -> "tuple[CheckRunAnswer, str]":
        """Return the last run of a check of a version, and what it printed.

        Args:
            reference: The version.
            name: Of the check, or the id of a run of it.

        Raises:
            NotFound: There is no such version, or no such run.
            BadInput: The reference or the name is malformed.
        """
        from regtui.registry import check_runs

        return check_runs.check_log(self.context, reference, name)
