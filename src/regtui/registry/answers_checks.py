"""Answers about checks and their runs, in the shapes that scripts rely on (`docs/scripting.md`)."""

from typing import Any

from msgspec import Struct


class CheckAnswer(Struct, frozen=True, kw_only=True):
    """How versions are tried.

    Attributes:
        check: Its name.
        models: The models that it is about: `*`, a prefix such as `nlp/*`, or one.
        id: UUID.
        definition: What it does, as it was put (`regtui.core.policies.Check`).
        digest: Of the definition, by which it is trusted.
        trusted: Whether it runs here: its command is trusted on this machine, or it has none.
        changed: Since when it is so.
        created: When it was made.
        author: Who made it.
        pending: Whether the remote has still to take it.
    """

    check: str
    models: str
    id: str
    definition: dict[str, Any]
    digest: str
    trusted: bool
    changed: str
    created: str
    author: str
    pending: bool

    @property
    def does(self) -> str:
        """Its command, or the name of what is built in."""
        return str(self.definition.get("run") or self.definition.get("builtin") or "")


class CheckRunAnswer(Struct, frozen=True, kw_only=True):
    """How a check of a version ended.

    Attributes:
        id: UUID.
        check: Name of the check.
        model: Name of the version's model.
        number: The version's number; None until an authority has given one.
        version_id: UUID of the version.
        short_id: `:` and the leading hex digits of that id.
        outcome: `passed`, `failed`, `timeout`, or `error` where it could say neither.
        figures: What it measured, by name; NaN and infinities as tagged strings.
        stale: Whether the check was changed, or removed, since.
        counts: Whether policies go by it: a reporter's or an admin's does.
        runner: Where it ran.
        author: Who told it.
        started: When it began, by the clock of where it ran.
        seconds: How long it took.
        told: When it was told.
        log: Digest of what it printed; None without anything.
        pending: Whether the remote has still to take it.
    """

    id: str
    check: str
    model: str
    number: int | None
    version_id: str
    short_id: str
    outcome: str
    figures: dict[str, float | str]
    stale: bool
    counts: bool
    runner: str
    author: str
    started: str
    seconds: float
    told: str
    log: str | None
    pending: bool

    @property
    def reference(self) -> str:
        """The shortest name that means this version for ever."""
        return self.short_id if self.number is None else f"{self.model}@{self.number}"

    @property
    def passed(self) -> bool:
        """Whether it says that the version is what it should be."""
        return self.outcome == "passed"


class Checked(Struct, frozen=True, kw_only=True):
    """What a run of checks gave.

    Attributes:
        runs: How each ended, in the order in which they ran.
        untrusted: Names of checks that did not run, for nobody trusts their commands here.
        more: How many more wait than were run.
        refused: How many of the reports the server refused; they are in the outbox.
    """

    runs: list[CheckRunAnswer]
    untrusted: list[str]
    more: int = 0
    refused: int = 0

    @property
    def passed(self) -> bool:
        """Whether all that ran have passed."""
        return all(one.passed for one in self.runs)


class TrustedAnswer(Struct, frozen=True, kw_only=True):
    """A definition that may run on this machine.

    Attributes:
        digest: Of the definition.
        since: When it was trusted.
        checks: What is defined so now, as `name (models)`.
    """

    digest: str
    since: str
    checks: list[str]
