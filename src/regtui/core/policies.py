"""Policies and checks as people write them: what a target asks of a version, and how it is tried.

A policy binds a scope of models and a target (an alias or an environment) to gates. A check says
how a version is tried: by a command, or by one of the checks that are built in. Both are kept
whole, as the value of one field, so a change of either is one change with one stamp.

Scopes are those of grants (`*`, a prefix such as `nlp/*`, or one model), and belong to what a
policy or check *is*: the same name in two scopes are two of them, and nobody learns from a name
that is taken what he may not see.
"""

import re
from typing import Any, Literal

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.access import Role, covers, in_scope, scope_key
from regtui.core.documents import Document
from regtui.core.errors import BadInput
from regtui.core.identity import alias_key, name_key

RULE_LIMIT = 2_000
"""Characters of a rule."""

MACROS_LIMIT = 2
"""Loops over lists in a rule: each multiplies the time that it takes."""

LIST_LIMIT = 100
"""Checks, fields or windows of one policy."""

DAY = 86_400_000_000
"""Microseconds."""

BUILTINS = ("files-intact", "safe-files", "card-complete", "metric-regression", "loads")
"""The checks that need no command."""

_UNITS = {"s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000, "d": DAY, "w": 7 * DAY}
_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d|w)")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ZONE = r"(?: ([+-](?:0[0-9]|1[0-4])):([0-5][0-9]))?"
_TIME = r"(mon|tue|wed|thu|fri|sat|sun) ([01][0-9]|2[0-3]):([0-5][0-9])"
_DATE = r"(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-([0-9]{2})"
_WEEKLY = re.compile(f"{_TIME} - {_TIME}{_ZONE}")
_DATED = re.compile(f"{_DATE} - {_DATE}{_ZONE}")
_MINUTE = 60_000_000
_WEEK = 7 * DAY
_FIRST_MONDAY = 4 * DAY
"""1970-01-05, in microseconds since 1970."""


class Soak(Struct, frozen=True, forbid_unknown_fields=True, rename={"time": "for"}):
    """How long a version has to have been live elsewhere.

    Attributes:
        environment: Where.
        time: How long, such as `24h`.
    """

    environment: str
    time: str


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a target asks of a version.

    Attributes:
        alias: The alias that it protects; None where it is about an environment.
        environment: The environment that it protects.
        description: What it is for.
        approvals: How many people have to approve.
        approver_role: The role that they need, when they approve and when it is applied.
        four_eyes: Whether the authors of version and request can't approve.
        checks: Names of the checks that have to have passed.
        max_age: How old their results may be, such as `14d`.
        metadata: What has to be filled in, such as `description`, `tags.task`, `card.license`.
        rule: A CEL expression that has to be true.
        trust: Whether figures of the rule come from checks, or also from editable metrics.
        safe_files: Whether the server's own look at the files must find nothing that runs code.
        complete: Whether all bytes have to be where it is decided.
        signed: Whether a signature of the content has to be there.
        clean_git: Whether it has to come from a commit without local changes.
        lineage: Whether parents or inputs have to be known.
        soak: Where it has to have been live before.
        freeze: Windows in which nothing moves: `fri 16:00 - mon 08:00`, `2026-12-20 - 2027-01-05`,
            with an offset such as `+01:00` where it is not UTC.
        break_glass: Whether an admin may pass all of it with a reason.
        rollback: `free` where going back to what was there before needs a maintainer and no gates.
    """

    alias: str | None = None
    environment: str | None = None
    description: str = ""
    approvals: int = 0
    approver_role: Literal["contributor", "approver", "maintainer", "admin"] = "approver"
    four_eyes: bool = False
    checks: list[str] = []
    max_age: str | None = None
    metadata: list[str] = []
    rule: str | None = None
    trust: Literal["checks", "declared"] = "checks"
    safe_files: bool = False
    complete: bool = False
    signed: bool = False
    clean_git: bool = False
    lineage: bool = False
    soak: Soak | None = None
    freeze: list[str] = []
    break_glass: bool = False
    rollback: Literal["free", "gated"] = "gated"

    @property
    def role(self) -> Role:
        """The role that approvers need."""
        return Role[self.approver_role.upper()]

    @property
    def target(self) -> tuple[str, str]:
        """What it protects: `alias` or `environment`, and its name in the form of identity."""
        if self.alias is not None:
            return "alias", alias_key(self.alias)
        return "environment", environment_key(self.environment or "")


class Check(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a version is tried.

    Attributes:
        run: The command; `{version}` stands for its reference, `{files}` for a fresh checkout.
        builtin: One of `BUILTINS` instead.
        on: When it is run: `capture`, `request`; by hand always.
        timeout: After how long it is stopped.
        memory: How much memory it may use, such as `4GiB`; None for as much as there is.
        against: For `metric-regression`: the alias to compare with.
        metrics: For `metric-regression`: which metrics; none for the primary one.
        tolerance: For `metric-regression`: by how much they may be worse.
        needs: For `card-complete`: fields of the card.
        description: What it is for.
    """

    run: str | None = None
    builtin: str | None = None
    on: list[Literal["capture", "request"]] = []
    timeout: str = "10m"
    memory: str | None = None
    against: str | None = None
    metrics: list[str] = []
    tolerance: float = 0.0
    needs: list[str] = []
    description: str = ""


def environment_key(name: str) -> str:
    """Return the identity form of an environment's name.

    Raises:
        BadInput: It is malformed.
    """
    return name_key(name, segments=False)


def definition_key(name: str) -> str:
    """Return the name of a policy or check, which is its identity within a scope.

    Raises:
        BadInput: It is malformed, or not in the form of identity.
    """
    if name_key(name, segments=False) != name:
        raise BadInput(f"the name {name!r} is not in lower case")
    return name


def policy_of(definition: Any) -> Policy:
    """Return the policy that a definition holds.

    Raises:
        BadInput: It is malformed, or names no target or two.
    """
    try:
        policy = msgspec.convert(definition, Policy, strict=True)
    except msgspec.ValidationError as error:
        hint = "docs/governance.md has an example"
        raise BadInput(f"the policy is malformed: {error}", hint) from None
    if (policy.alias is None) == (policy.environment is None):
        raise BadInput("a policy protects an alias or an environment", 'alias = "production"')
    _ = policy.target
    if not 0 <= policy.approvals <= LIST_LIMIT:
        raise BadInput(f"{policy.approvals} approvals are not in the range from 0 to {LIST_LIMIT}")
    _check_lists(policy)
    if policy.max_age is not None:
        duration(policy.max_age)
    if policy.soak is not None:
        environment_key(policy.soak.environment)
        duration(policy.soak.time)
    if policy.rule is not None:
        _check_rule(policy.rule)
    return policy


def check_times(policy: Policy) -> None:
    """Refuse times of no length, which bind nothing or let nothing pass; kept ones stay readable.

    Raises:
        BadInput: A policy has one.
    """
    for window in policy.freeze:
        weekly = _WEEKLY.fullmatch(window.strip().lower())
        if weekly is not None and _of_week(*weekly.groups()[:3]) == _of_week(*weekly.groups()[3:6]):
            raise BadInput(f"{window!r} ends when it begins", "such as `fri 16:00 - mon 08:00`")
    if policy.max_age is not None and duration(policy.max_age) == 0:
        raise BadInput("no check is as young as max_age asks", 'such as max_age = "14d"')
    if policy.soak is not None and duration(policy.soak.time) == 0:
        raise BadInput("a soak of no time asks for nothing", 'such as for = "24h"')


def target_of(definition: Any) -> tuple[str, str] | None:
    """Return what a policy protects even where the rest of it can't be read by this program.

    None where not even that can be told, as of a newer program's policy for several targets.
    """
    named = definition if isinstance(definition, dict) else {}
    found = [kind for kind in ("alias", "environment") if isinstance(named.get(kind), str)]
    if len(found) != 1:
        return None
    kind = found[0]
    try:
        return kind, (alias_key if kind == "alias" else environment_key)(named[kind])
    except BadInput:
        return None


def check_of(definition: Any) -> Check:
    """Return the check that a definition holds.

    Raises:
        BadInput: It is malformed, or has no command and no built-in check, or both.
    """
    try:
        check = msgspec.convert(definition, Check, strict=True)
    except msgspec.ValidationError as error:
        raise BadInput(
            f"the check is malformed: {error}", "docs/checks.md has an example"
        ) from None
    if (check.run is None) == (check.builtin is None):
        raise BadInput("a check has a command or a built-in one", 'run = "python smoke.py {files}"')
    if check.run is not None:
        _check_command(check.run)
    if check.builtin is not None and check.builtin not in BUILTINS:
        raise BadInput(f"there is no built-in check {check.builtin!r}", ", ".join(BUILTINS))
    if duration(check.timeout) == 0:
        raise BadInput("a check needs more time than none", 'such as timeout = "10m"')
    if check.memory is not None:
        bytes_of(check.memory)
    if check.against is not None:
        alias_key(check.against)
    return check


def duration(text: str) -> int:
    """Return the microseconds of a duration such as `10m`, `36h`, `14d`.

    Raises:
        BadInput: It is none.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise BadInput(f"{text!r} is no duration", "such as 30s, 10m, 24h, 14d, 2w")
    return int(found[1]) * _UNITS[found[2]]


def bytes_of(text: str) -> int:
    """Return the bytes of a size such as `512MiB` or `4GiB`.

    Raises:
        BadInput: It is none.
    """
    found = re.fullmatch(r"([0-9]{1,9}) ?(KiB|MiB|GiB|TiB)", text.strip())
    if found is None or int(found[1]) == 0:
        raise BadInput(f"{text!r} is no size", "such as 512MiB or 4GiB")
    return int(found[1]) << {"KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}[found[2]]


def is_frozen(window: str, now: int) -> bool:
    """Tell whether a moment lies in a window; the last day of one with dates belongs to it.

    Args:
        window: `fri 16:00 - mon 08:00` each week, or `2026-12-20 - 2027-01-05`; UTC, or with an
            offset such as `+01:00` at its end.
        now: Microseconds since 1970.

    Raises:
        BadInput: It is no window.
    """
    weekly = _WEEKLY.fullmatch(window.strip().lower())
    if weekly is not None:
        begin = _of_week(*weekly.groups()[:3])
        end = _of_week(*weekly.groups()[3:6])
        at = (now + _offset(weekly[7], weekly[8]) - _FIRST_MONDAY) % _WEEK
        return begin <= at < end if begin <= end else at >= begin or at < end
    dated = _DATED.fullmatch(window.strip())
    if dated is None:
        raise BadInput(
            f"{window!r} is no window",
            "such as `fri 16:00 - mon 08:00` or `2026-12-20 - 2027-01-05`",
        )
    numbers = [int(one) for one in dated.groups()[:6]]
    begin, end = _date(window, *numbers[:3]), _date(window, *numbers[3:]) + DAY
    if end <= begin:
        raise BadInput(f"{window!r} ends before it begins")
    return begin <= now + _offset(dated[7], dated[8]) < end


def applying(documents: list[Document], model: str) -> list[Document]:
    """Return the active policies or checks whose scope has a model, the widest scope first."""
    found = [
        one
        for one in documents
        if one.value("state") == "active" and in_scope(str(one.facts["models"]), model)
    ]
    return sorted(found, key=lambda one: (_width(str(one.facts["models"])), one.facts["name"]))


def protecting(documents: list[Document], model: str, kind: str, name: str) -> list[Document]:
    """Return the policies that protect an alias or environment of a model.

    One that does not say what it protects in words of this program may mean any target.
    """
    return [
        one
        for one in applying(documents, model)
        if target_of(one.value("definition")) in {(kind, name), None}
    ]


def check_named(documents: list[Document], model: str, name: str) -> Document | None:
    """Return the check of a name that holds for a model: that with the widest scope.

    Who may define checks for a part of what a policy is about can't put one of the same name, that
    always passes, in the place of the one that it means.
    """
    return next((one for one in applying(documents, model) if one.facts["name"] == name), None)


def meets(scope: str, other: str) -> bool:
    """Tell whether two scopes have anything in common."""
    return covers(scope, other) or covers(other, scope)


def checked_scope(scope: str) -> str:
    """Return a scope as it is kept.

    Raises:
        BadInput: It is none.
    """
    if scope_key(scope) != scope:
        raise BadInput(f"the scope {scope!r} is not in lower case")
    return scope


def definition_digest(definition: Any) -> str:
    """Return what tells two definitions apart."""
    return encoding.digest(encoding.encode(definition))


def _width(scope: str) -> int:
    return 0 if scope == "*" else len(scope) + (not scope.endswith("/*")) * 1_000


def _check_command(run: str) -> None:
    """Refuse a command that no machine could take apart."""
    import shlex

    try:
        words = shlex.split(run)
    except ValueError as error:
        message = f"the command of a check is malformed: {error}"
        raise BadInput(message, "look at its quotes") from None
    if not words or "\0" in run:
        raise BadInput("the command of a check is empty or holds a NUL")


def _check_lists(policy: Policy) -> None:
    for name in ("checks", "metadata", "freeze"):
        if len(getattr(policy, name)) > LIST_LIMIT:
            raise BadInput(f"{name} has more than {LIST_LIMIT} entries")
    for check in policy.checks:
        definition_key(check)
    for path in policy.metadata:
        _check_metadata(path)
    for window in policy.freeze:
        is_frozen(window, 0)


def _check_metadata(path: str) -> None:
    field, dot, key = path.partition(".")
    plain = field in {"description", "card", "owners", "primary_metric"} and (
        field == "card" or not dot
    )
    keyed = field in {"tags", "params", "metrics", "card", "model"} and bool(key)
    if not plain and not keyed:
        raise BadInput(
            f"{path!r} is no field that a policy can ask for",
            "description, tags.NAME, params.NAME, metrics.NAME, card.NAME, model.description …",
        )


def _check_rule(rule: str) -> None:
    from regtui.core.governance.rule import compiled, loops

    if not rule.strip() or len(rule) > RULE_LIMIT:
        raise BadInput(f"a rule has 1 to {RULE_LIMIT} characters")
    if len(loops(rule)) > MACROS_LIMIT:
        raise BadInput(f"a rule goes over lists at most {MACROS_LIMIT} times")
    compiled(rule)


def _of_week(day: str, hour: str, minute: str) -> int:
    return _DAYS.index(day) * DAY + (int(hour) * 60 + int(minute)) * _MINUTE


def _offset(hours: str | None, minutes: str | None) -> int:
    if hours is None or minutes is None:
        return 0
    sign = -1 if hours.startswith("-") else 1
    return sign * (abs(int(hours)) * 60 + int(minutes)) * _MINUTE


def _date(window: str, year: int, month: int, day: int) -> int:
    """Return the microseconds of a day's beginning (the calendar's arithmetic, from 1970)."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not 1 <= day <= lengths[month - 1]:
        raise BadInput(f"{window!r} names a day that there is not")
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    return (days + sum(lengths[: month - 1]) + day - 1) * DAY
