"""Gates: each looks at one policy and one move, and answers pass, fail or *unknown here*.

A gate is a function in `GATES` with a test of when it applies; a new one is one function and one
line. Whatever it answers, it says why in one sentence. Only the server knows who may do what and
what bytes it holds: elsewhere those gates are unknown.
"""

from collections.abc import Callable, Iterator

from msgspec import Struct

from regtui.core.access import REQUIRED, Actor, Role, has_role
from regtui.core.documents import Document, Review
from regtui.core.governance import reviewing
from regtui.core.governance.evidence import (
    Case,
    crowded,
    is_stale,
    last_run,
    metadata_value,
    values_of,
)
from regtui.core.governance.moves import in_environment
from regtui.core.governance.rule import DECLARE, ENTRIES_LIMIT, evaluate, undeclared
from regtui.core.governance.signing import is_signature
from regtui.core.identity import environment_id
from regtui.core.policies import DAY, duration, environment_key, is_frozen
from regtui.core.view import View
from regtui.core.wording import count_text

NOT_COUNTED = "it did not count when the request was applied"
"""Why an approval does not count of which nothing was noted then."""

NOT_KNOWN = "nobody knows any more whether it counted when the request was applied: ask again"
"""The same where nothing is noted at all: no gate was asked, or the server was put back since."""

MAY_REVIEW = REQUIRED["promotion.review"]
"""The role that a review needs, whatever it says."""

_HOUR, _MINUTE = 3_600_000_000, 60_000_000
"""Microseconds."""


class GateResult(Struct, frozen=True):
    """A gate's answer.

    Attributes:
        gate: Its name, such as `approvals` or `check:smoke`.
        passed: None where only another authority can tell.
        reason: One sentence with the evidence.
        policy: Name of the policy that asks; empty where every target has the gate.
        evidence: Id of what it looked at, such as a check run; None where that is no entity.
    """

    gate: str
    passed: bool | None
    reason: str
    policy: str = ""
    evidence: str | None = None


class Approval(Struct, frozen=True):
    """What one person says to a request, and whether it counts.

    Attributes:
        user: Id.
        review: It.
        counts: Whether it does; None where nobody here knows what he may do.
        reason: Why not.
        principal: Id of the person behind it: a service account counts as its owner of then.
    """

    user: str
    review: Review
    counts: bool | None
    reason: str
    principal: str


def answers(case: Case, parts: dict[str, str]) -> Iterator[GateResult]:
    """Yield the answer of each gate of a policy, in order.

    Args:
        case: The policy and the move.
        parts: What a review is bound to, as it is now.
    """
    policy = case.policy
    if policy.freeze:
        yield freeze(case)
    standing = approvals_of(case, parts)
    if policy.approvals:
        yield approvals(case, standing)
    if policy.four_eyes:
        yield four_eyes(case, standing)
    if case.move.version is not None:
        yield from answers_of_version(case)


def answers_of_version(case: Case) -> Iterator[GateResult]:
    """Yield the answers of those gates that look at the version, and at no request or moment."""
    for name in case.policy.checks:
        yield check(case, name)
    for path in case.policy.metadata:
        yield metadata(case, path)
    for applies, gate in _OF_VERSIONS:
        if applies(case):
            yield gate(case)


def approvals_of(case: Case, parts: dict[str, str]) -> list[Approval]:
    """Return what people said to the request, each with whether it counts now."""
    request = case.move.request
    if request is None:
        return []
    return [
        _standing(case, user, Review(**value), dismissed_review(request, user, parts))
        for user, value in sorted(request.entries("reviews").items())
    ]


def dismissed_review(request: Document, user: str, parts: dict[str, str]) -> str | None:
    """Return why what somebody said to a request does not count any more; None where it does.

    What did not count when the request was applied never does.
    """
    seen = request.entries("reviews")[user]["seen"]
    if request.value("state") != "applied":
        return reviewing.dismissed(seen, parts)
    counted: dict[str, str] | None = (request.value("evidence") or {}).get("approvals")
    if counted is None:
        return NOT_KNOWN
    return counted.get(user, NOT_COUNTED) or reviewing.dismissed(seen, parts, applied=True)


def _standing(case: Case, user: str, review: Review, why: str | None) -> Approval:
    person = case.view.person(user)
    principal = review.owner or _principal(case, user)
    if why is not None and review.verdict == "approve":
        return Approval(user, review, False, why, principal)
    # Who may review may say no, whatever role a policy wants approvals to come from.
    role = case.policy.role if review.verdict == "approve" else MAY_REVIEW
    if Role[review.role.upper()] < role:
        told = f"was {review.role}, not {role.name.lower()}"
        return Approval(user, review, False, told, principal)
    counts = _still_may(person, case.name, role)
    told = {
        True: "",
        False: f"is no {role.name.lower()} any more",
        None: "whether he still may is known to the server",
    }[counts]
    return Approval(user, review, counts, told, principal)


def _still_may(person: Actor | None, model: str, role: Role) -> bool | None:
    """Tell whether somebody has a role by now; None where nobody here knows."""
    return None if person is None else has_role(person, model, role)


def approvals(case: Case, standing: list[Approval]) -> GateResult:
    """As many people as asked have approved what is there now."""
    needed = case.policy.approvals
    given = [one for one in standing if one.review.verdict == "approve"]
    sure = {one.principal for one in given if one.counts}
    perhaps = {one.principal for one in given if one.counts is not False}
    told = _given(sure, perhaps, needed)
    lost = [one.reason for one in given if one.counts is False]
    if case.move.request is None:
        told += "; `regtui promote` asks for them"
    elif lost:
        told += f"; {len(lost)} not counted: {lost[0]}"
    passed = True if len(sure) >= needed else None if len(perhaps) >= needed else False
    return GateResult("approvals", passed, told, evidence=_request_id(case))


def _given(sure: set[str], perhaps: set[str], needed: int, whose: str = "") -> str:
    """Return how many approvals there are, with those that only the server can count."""
    told = f"{len(perhaps)} of {count_text(needed, 'approval')}{whose}"
    return told if sure == perhaps else f"{told}; the server knows which still count"


def rejection(request: Document | None, model: str, view: View) -> GateResult | None:
    """Return that somebody who may says no, and did not take it back; None where nobody does.

    This holds for each request, whether policies protect its target or not.

    Args:
        request: What is asked, if anything.
        model: Name of the model.
        view: The registry.
    """
    if request is None:
        return None
    rejected = [
        (_still_may(view.person(user), model, MAY_REVIEW), review["text"])
        for user, review in sorted(request.entries("reviews").items())
        if review["verdict"] == "reject" and Role[review["role"].upper()] >= MAY_REVIEW
    ]
    texts = [text for counts, text in rejected if counts is not False]
    if not texts:
        return None
    told = f"rejected by {len(texts)}"
    if any(texts):
        told += ": " + "; ".join(text for text in texts if text)
    sure = any(counts for counts, _ in rejected)
    return GateResult("rejection", False if sure else None, told, evidence=request.id)


def four_eyes(case: Case, standing: list[Approval]) -> GateResult:
    """Those who approve are not those who made the version or the request."""
    needed = max(1, case.policy.approvals)
    authors = _authors(case)
    given = [
        one
        for one in standing
        if one.review.verdict == "approve" and _principal(case, one.user) not in authors
    ]
    sure = {one.principal for one in given if one.counts} - authors
    perhaps = {one.principal for one in given if one.counts is not False} - authors
    told = _given(sure, perhaps, needed, " by others than the authors")
    passed = True if len(sure) >= needed else None if len(perhaps) >= needed else False
    return GateResult("four_eyes", passed, told, evidence=_request_id(case))


def check(case: Case, name: str) -> GateResult:
    """A check has passed on this version, told by a reporter, as it is defined now, lately."""
    gate, version = f"check:{name}", case.version
    if version is None:
        return GateResult(gate, False, f"{name} has no version to run on")
    run = last_run(case.view, case.model, version.id, name)
    if run is None:
        return GateResult(gate, False, _why_no_run(case, version, name))
    outcome = run.facts["outcome"]
    if outcome != "passed":
        return GateResult(gate, False, f"{name} ended as {outcome}", evidence=run.id)
    age = case.now - int(run.facts["told"])
    limit = case.policy.max_age
    if limit is not None and age > duration(limit):
        told = f"{name} passed {_age(age)} ago, more than {limit}"
        return GateResult(gate, False, told, evidence=run.id)
    return GateResult(gate, True, f"{name} passed", evidence=run.id)


def _why_no_run(case: Case, version: Document, name: str) -> str:
    runs = [one for one in case.view.about(version.id, "check_run") if one.facts["check"] == name]
    if any(is_stale(case.view, case.model, one) for one in runs if one.facts["counts"]):
        return f"{name} was changed since it was run"
    if runs:
        return f"{name} was run by somebody who is no reporter"
    return f"{name} was not run yet; `regtui check run` does"


def metadata(case: Case, path: str) -> GateResult:
    """Something is filled in."""
    value = metadata_value(case, path)
    blank = isinstance(value, str) and not value.strip()
    blank = blank or (isinstance(value, list | dict | set | bytes) and not value)
    filled = value is not None and not blank
    told = f"{path} is {'filled in' if filled else 'empty'}"
    return GateResult(f"metadata:{path}", filled, told)


def rule(case: Case) -> GateResult:
    """An expression is true."""
    expression = case.policy.rule or ""
    many = crowded(case)
    if many is not None:
        told = f"{many} has more than {ENTRIES_LIMIT:,} entries, and a rule sees no more"
        return GateResult("rule", False, told)
    passed, told = evaluate(expression, values_of(case))
    metrics = None if passed or case.policy.trust == "declared" else undeclared(expression)
    if metrics is not None:
        told = f"the rule reads {metrics}, which anybody may edit; {DECLARE}"
    return GateResult("rule", passed, told)


def complete(case: Case) -> GateResult:
    """All bytes of the version are where it is decided."""
    version = case.version
    found = None if version is None else case.view.contents(version).complete
    told = {
        True: "all files are stored",
        False: "files are missing; `regtui sync --artifacts all` sends them",
        None: "the server knows which files it has",
    }[found]
    return GateResult("complete", found, told)


def safe_files(case: Case) -> GateResult:
    """No file of the version runs code when it is loaded."""
    if case.version is None:
        return GateResult("safe_files", False, "there is no version to look at")
    found = case.view.contents(case.version)
    default = {
        True: "no file runs code",
        False: "a file runs code",
        None: "the server looks at the files",
    }
    return GateResult("safe_files", found.safe, found.reason or default[found.safe])


def signed(case: Case) -> GateResult:
    """Somebody's replica that may act signed the content."""
    version = case.version
    digest = "" if version is None else str(version.facts["digest"])
    unknown = False
    for replica, signature in (version.entries("signatures") if version else {}).items():
        key = case.view.public_key(replica)
        unknown = unknown or key is None
        if key is not None and is_signature(key, digest, str(signature)):
            return GateResult("signed", True, f"signed by the replica {replica[:8]}")
    if unknown:
        return GateResult("signed", None, "the server knows whose key it is")
    return GateResult("signed", False, "it is not signed; `regtui sign` does")


def clean_git(case: Case) -> GateResult:
    """It was captured from a commit without local changes."""
    places = case.version.entries("places").values() if case.version else ()
    told = [(one.get("context") or {}).get("git") for one in places]
    states = [one for one in told if one and isinstance(one, dict)]
    clean = next((one for one in states if one.get("commit") and not one.get("dirty")), None)
    if clean is not None:
        return GateResult("clean_git", True, f"made from the commit {str(clean['commit'])[:10]}")
    why = "made from a commit with local changes" if states else "no git commit is known"
    return GateResult("clean_git", False, why)


def lineage(case: Case) -> GateResult:
    """It is known what the version was made from."""
    version = case.version
    parents = version.entries("parents") if version else {}
    inputs = version.entries("inputs") if version else {}
    told = f"{count_text(len(parents), 'parent')} and {count_text(len(inputs), 'input')} known"
    return GateResult("lineage", bool(parents or inputs), told)


def soak(case: Case) -> GateResult:
    """It has been live elsewhere for long enough."""
    asked = case.policy.soak
    if asked is None or case.version is None:
        return GateResult("soak", False, "there is no version to wait for")
    there = in_environment(
        case.view, case.model.id, environment_id(environment_key(asked.environment))
    )
    times = [
        (int(one.value("until") or case.now) - int(one.value("since")), one)
        for one in there
        if one.facts["version"] == case.version.id
        and one.value("since") is not None
        and one.value("state") not in {"failed", "rolled_back"}
    ]
    longest = max(times, key=lambda one: one[0], default=None)
    if longest is None:
        return GateResult("soak", False, f"it was not live in {asked.environment}")
    told = f"live in {asked.environment} for {_age(longest[0])} of {asked.time}"
    return GateResult("soak", longest[0] >= duration(asked.time), told, evidence=longest[1].id)


def freeze(case: Case) -> GateResult:
    """Nothing moves in a window."""
    window = next((one for one in case.policy.freeze if is_frozen(one, case.now)), None)
    told = "no freeze now" if window is None else f"nothing moves from {window}"
    return GateResult("freeze", window is None, told)


_OF_VERSIONS: tuple[tuple[Callable[[Case], bool], Callable[[Case], GateResult]], ...] = (
    (lambda case: case.policy.rule is not None, rule),
    (lambda case: case.policy.complete, complete),
    (lambda case: case.policy.safe_files, safe_files),
    (lambda case: case.policy.signed, signed),
    (lambda case: case.policy.clean_git, clean_git),
    (lambda case: case.policy.lineage, lineage),
    (lambda case: case.policy.soak is not None, soak),
)
"""The gates that look at a version, each with when it applies."""


def _age(age: int) -> str:
    """Return some microseconds in the largest unit of which there are two."""
    for length, unit in ((DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if age >= 2 * length:
            return count_text(age // length, unit)
    return count_text(age // 1_000_000, "second")


def _authors(case: Case) -> set[str]:
    """Return who made the version and the request: the people behind accounts, then and now."""
    made = [one for one in (case.move.request, case.version) if one is not None]
    authors = {str(one.facts["author"]) for one in made}
    owners = {str(one.facts["owner"]) for one in made if one.facts.get("owner") is not None}
    return {_principal(case, one) for one in authors} | owners


def _principal(case: Case, user: str) -> str:
    person = case.view.person(user)
    return user if person is None or person.owner is None else person.owner


def _request_id(case: Case) -> str | None:
    return None if case.move.request is None else case.move.request.id


__all__ = [
    "Approval",
    "GateResult",
    "answers",
    "approvals_of",
    "dismissed_review",
    "rejection",
]
