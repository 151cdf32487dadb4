"""What policies say in words, followed without the gates: an oracle for stories about production.

`objections` looks at an accepted operation and says for each protected target that it moved which
word of which policy was against it. What a reviewer had before him is told by `looked_at`, which
stories keep beside each review, so that digests of what was seen are not taken on trust either.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from regtui.core.access import Actor, Role
from regtui.core.documents import Document
from regtui.core.identity import deployment_id
from regtui.core.operations import Operation
from regtui.core.verdicts import Judged
from tests.core.registry_state import RegistryState

RANKS = {role.name.lower(): role for role in Role}
HOURS = {"1h": 3_600_000_000, "2h": 7_200_000_000}

Figures = dict[str, Any]
RULES: dict[str, Callable[[Mapping[str, Any]], bool]] = {
    "checks.smoke.f1 >= 0.5": lambda told: told["checks"]["f1"] >= 0.5,
    "version.metrics.f1 > 0.5": lambda told: told["metrics"]["f1"] > 0.5,
    'version.tags.task == "ner"': lambda told: bool(told["tags"]["task"] == "ner"),
}
"""Rules of stories, as Python says them; what is missing raises KeyError, and so fails."""


class Arrival(Struct, frozen=True):
    """A target that an operation moved."""

    kind: str
    name: str
    model: Document
    version: str | None
    document: Document
    before: Document | None
    request: Document | None
    actor: Actor
    applied: bool
    """Whether the request had been applied by an earlier operation."""


def objections(  # noqa: PLR0913, PLR0917 -- everything that a judgement has
    before: RegistryState,
    operation: Operation,
    judged: Judged,
    actor: Actor,
    now: int,
    saw: Mapping[str, Any],
) -> Iterator[str]:
    """Yield what the policies in force have against what an operation moved."""
    for options in arrivals(before, operation, judged, actor):
        one = options[0]
        if not protecting(before, one.model, one.kind, one.name) and not (
            one.kind == "environment" and says_protected(before, one.name)
        ):
            continue
        state = with_what_was_said(before, judged)
        against = [list(_against(state, option, operation, now, saw)) for option in options]
        if all(against):
            yield f"{one.kind} {one.name} moved: {against}"


def arrivals(
    before: RegistryState, operation: Operation, judged: Judged, actor: Actor
) -> Iterator[list[Arrival]]:
    """Yield what moved, each with every request by which it may have."""
    changed = {document.id: document for document, _ in judged.documents}
    applied = [
        one
        for one in changed.values()
        if one.kind == "promotion"
        and one.value("state") == "applied"
        and (before.document(one.id) is None or state_of(before, one.id) == "open")
    ]
    for document in changed.values():
        if document.kind not in {"alias", "deployment"}:
            continue
        old, model = before.document(document.id), before.documents[document.stream]
        if document.kind == "alias":
            if (None if old is None else old.value("version")) == document.value("version"):
                continue
            kind, name, version = "alias", key(document.facts["name"]), document.value("version")
        else:
            state = document.value("state")
            if state not in {"pending", "live"} or (
                old is not None and old.value("state") == state
            ):
                continue
            kind, version = "environment", str(document.facts["version"])
            name = key(document.facts["environment_name"])
        asked = [
            (one, False)
            for one in applied
            if (one.facts["target_kind"], key(one.facts["target"]), one.facts["version"])
            == (kind, name, version)
        ]
        if not asked and kind == "environment":
            asked = [(one, True) for one in let_in(before, document, name)]
        options: list[tuple[Document | None, bool]] = [*asked] or [(None, False)]
        yield [
            Arrival(
                kind, name, model, version, document, old, request,
                _acting(before, operation, request, actor, earlier=earlier), earlier,
            )
            for request, earlier in options
        ]  # fmt: skip


def let_in(before: RegistryState, deployment: Document, name: str) -> list[Document]:
    """Return the applied requests that let a version in and whose deployment still stands."""
    return [
        one
        for one in before.of_kind("promotion")
        if one.stream == deployment.stream
        and one.value("state") == "applied"
        and one.facts["version"] == deployment.facts["version"]
        and (one.facts["target_kind"], key(one.facts["target"])) == ("environment", name)
        and state_of(before, deployment_id(one.id)) in {"pending", "live", "draining"}
    ]


def _acting(
    before: RegistryState,
    operation: Operation,
    request: Document | None,
    actor: Actor,
    *,
    earlier: bool,
) -> Actor:
    """Return with whose rights something moves: with the requester's where it moves by itself."""
    if request is None or earlier or operation.kind == "promotion.apply":
        return actor
    return before.people[str(request.facts["author"])]


def with_what_was_said(before: RegistryState, judged: Judged) -> RegistryState:
    """Return the state with what an operation brought that gates look at, and nothing moved."""
    state = before.copy(final=True)
    state.people, state.stored = before.people, before.stored
    told = {"promotion", "check_run", "version", "model"}
    state.documents |= {one.id: one for one, _ in judged.documents if one.kind in told}
    return state


def _against(
    state: RegistryState, one: Arrival, operation: Operation, now: int, saw: Mapping[str, Any]
) -> Iterator[str]:
    name = str(one.model.value("name"))
    if rank(one.actor, name) < Role.MAINTAINER:
        yield "no maintainer"
    if one.kind == "alias":
        opened = [
            conflict
            for conflict in state.of_kind("conflict")
            if conflict.facts["of"] == one.document.id and conflict.value("resolution") is None
        ]
        if any(conflict.id != operation.entity for conflict in opened):
            yield "a conflict is open"
    for policy in protecting(state, one.model, one.kind, one.name):
        words = policy.value("definition")
        if words.get("rollback") == "free" and one.version in were_there(state, one):
            continue
        glass = _glass(one, operation)
        if glass is not None:
            if not (words.get("break_glass") and rank(one.actor, name) is Role.ADMIN):
                yield f"{policy.facts['name']}: no glass to break"
            continue
        for word in _of_policy(state, one, words, now, saw):
            yield f"{policy.facts['name']}: {word}"


def _of_policy(
    state: RegistryState, one: Arrival, words: Mapping[str, Any], now: int, saw: Mapping[str, Any]
) -> Iterator[str]:
    if any(frozen(window, now) for window in words.get("freeze", ())):
        yield "frozen"
    yield from _of_people(state, one, words, saw)
    if one.version is None:
        return
    yield from _of_checks(state, one, words, now)
    yield from _of_version(state, one, words)
    if "soak" in words and not soaked(state, one, words["soak"], now):
        yield "not soaked"


def _of_checks(
    state: RegistryState, one: Arrival, words: Mapping[str, Any], now: int
) -> Iterator[str]:
    for check in words.get("checks", ()):
        run = last_run(state, one.model, one.version, check)
        if run is None or run.facts["outcome"] != "passed":
            yield f"{check} has not passed"
        elif "max_age" in words and now - run.facts["told"] > HOURS[words["max_age"]]:
            yield f"{check} is too old"


def _of_version(state: RegistryState, one: Arrival, words: Mapping[str, Any]) -> Iterator[str]:
    version = state.documents[str(one.version)]
    for path in words.get("metadata", ()):
        if not filled(one.model, version, path):
            yield f"{path} is empty"
    if "rule" in words and not holds(state, one.model, version, words):
        yield "the rule does not hold"
    stored = state.stored.get(version.id)
    if words.get("complete") and not (stored and stored.complete):
        yield "incomplete"
    if words.get("safe_files") and not (stored and stored.safe):
        yield "not known to be safe"
    if words.get("lineage") and not (version.entries("parents") or version.entries("inputs")):
        yield "no lineage"


def _of_people(
    state: RegistryState, one: Arrival, words: Mapping[str, Any], saw: Mapping[str, Any]
) -> Iterator[str]:
    needed = RANKS[words.get("approver_role", "approver")]
    name, approving, rejecting = str(one.model.value("name")), set(), 0
    reviews = {} if one.request is None else state.documents[one.request.id].entries("reviews")
    for user, review in reviews.items():
        person = state.people[user]
        may = rank(person, name) >= needed and RANKS[review["role"]] >= needed
        if review["verdict"] == "reject":
            rejecting += may
        elif may and _stands(state, one, user, saw):
            approving.add(person.owner or user)
    if rejecting:
        yield "rejected"
    if len(approving) < words.get("approvals", 0):
        yield f"{len(approving)} approvals"
    if words.get("four_eyes"):
        made = set() if one.request is None else {one.request.facts["author"]}
        if one.version is not None:
            made.add(state.documents[one.version].facts["author"])
        others = approving - {state.people[user].owner or user for user in made}
        if len(others) < max(1, words.get("approvals", 0)):
            yield "only two eyes"


def _stands(state: RegistryState, one: Arrival, user: str, saw: Mapping[str, Any]) -> bool:
    """Tell whether everything is as the reviewer had it before him."""
    assert one.request is not None
    review = state.documents[one.request.id].fields[f"reviews/{user}"].by
    then, now = saw[review], looked_at(state, one.request)
    if one.applied and user not in saw.get(applied_key(one.request), ()):
        return False
    parts = ("version", "policies") if one.applied else tuple(now)
    return all(then[part] == now[part] for part in parts)


def applied_key(request: Document) -> str:
    """Return under which key it is kept whose reviews stood when a request was applied."""
    return f"applied {request.id}"


def standing(
    before: RegistryState, judged: Judged, one: Arrival, saw: Mapping[str, Any]
) -> set[str]:
    """Return whose reviews are about what is there, as a request is applied."""
    assert one.request is not None
    state = with_what_was_said(before, judged)
    reviews = state.documents[one.request.id].entries("reviews")
    return {user for user in reviews if _stands(state, one, user, saw)}


def looked_at(state: RegistryState, request: Document) -> dict[str, Any]:
    """Return what somebody has before him who looks at a request."""
    model, facts = state.documents[request.stream], request.facts
    kind, name, version = facts["target_kind"], key(facts["target"]), facts["version"]
    policies = protecting(state, model, kind, name)
    standing: Any = None
    if kind == "alias":
        aliases = [a for a in state.in_stream(model.id, "alias") if key(a.facts["name"]) == name]
        standing = [a.stamp("version") for a in aliases]
    else:
        standing = sorted(d.id for d in there(state, model, name) if d.value("state") == "live")
    read = []
    for policy in policies:
        words = policy.value("definition")
        runs = [last_run(state, model, version, check) for check in words.get("checks", ())]
        told = [None if r is None else (r.facts["outcome"], r.facts["definition"]) for r in runs]
        about = state.document(version or "")
        metadata = [
            (path, value_at(model, about, path)) for path in sorted(words.get("metadata", ()))
        ]
        read.append((told, metadata))
    return {
        "version": version,
        "target": standing,
        "policies": [(policy.id, policy.stamp("definition")) for policy in policies],
        "read": read,
    }


def protecting(state: RegistryState, model: Document, kind: str, name: str) -> list[Document]:
    found = [
        policy
        for policy in state.of_kind("policy")
        if policy.value("state") == "active"
        and covers(str(policy.facts["models"]), str(model.value("name")))
        and key(policy.value("definition").get(kind, "")) == name
    ]
    return sorted(found, key=lambda policy: policy.id)


def says_protected(state: RegistryState, name: str) -> bool:
    return any(
        one.facts["name"] == name and one.value("protected") is not False
        for one in state.of_kind("environment")
    )


def covers(scope: str, name: str) -> bool:
    return scope in {"*", name} or (scope.endswith("/*") and name.startswith(scope[:-1]))


def rank(actor: Actor, name: str) -> int:
    return max([-1, *(grant.role for grant in actor.grants if covers(grant.scope, name))])


def key(name: object) -> str:
    return str(name).lower()


def state_of(state: RegistryState, entity: str) -> str | None:
    document = state.document(entity)
    return None if document is None else str(document.value("state"))


def there(state: RegistryState, model: Document, name: str) -> list[Document]:
    return [
        one
        for one in state.in_stream(model.id, "deployment")
        if key(one.facts["environment_name"]) == name
    ]


def were_there(state: RegistryState, one: Arrival) -> set[str]:
    if one.kind == "alias":
        holders = [] if one.before is None else [*one.before.entries("holders").values()]
        return {holder["version"] for holder in holders} - {None}
    target = one.document.facts["target"]
    found = [
        other
        for other in there(state, one.model, one.name)
        if other.id != one.document.id and other.facts["target"] == target
    ]
    live = {str(other.facts["version"]) for other in found if other.value("state") == "live"}
    return {str(one.facts["version"]) for one in found if one.value("since") is not None} - live


def last_run(
    state: RegistryState, model: Document, version: str | None, check: str
) -> Document | None:
    """Return the last run that counts, if it was of the check as it is defined now."""
    runs = [
        run
        for run in state.of_kind("check_run")
        if run.facts["version"] == version and run.facts["check"] == check and run.facts["counts"]
    ]
    last = max(runs, key=lambda run: (run.seq or float("inf"), run.facts["told"]), default=None)
    defined = [
        one
        for one in state.of_kind("check")
        if one.facts["name"] == check
        and one.value("state") == "active"
        and covers(str(one.facts["models"]), str(model.value("name")))
    ]
    widest = min(defined, key=lambda one: ("*", "nlp/*").index(one.facts["models"]), default=None)
    stamp = None if widest is None else widest.stamp("definition")
    return last if last is not None and last.facts["definition"] == stamp else None


def value_at(model: Document, version: Document | None, path: str) -> Any:
    if path.startswith("model."):
        return model.value(path.removeprefix("model."))
    return None if version is None else version.value(path.replace(".", "/"))


def filled(model: Document, version: Document, path: str) -> bool:
    return bool(str(value_at(model, version, path) or "").strip())


def holds(
    state: RegistryState, model: Document, version: Document, words: Mapping[str, Any]
) -> bool:
    run = last_run(state, model, version.id, "smoke")
    trusts = words.get("trust") == "declared"
    metrics = version.entries("metrics") if trusts else {}
    told = {
        "checks": {} if run is None else numbers(run.facts["figures"]),
        "metrics": numbers({name: one["value"] for name, one in metrics.items()}),
        "tags": version.entries("tags"),
    }
    try:
        return RULES[words["rule"]](told)
    except KeyError:
        return False


def numbers(figures: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in figures.items() if not isinstance(value, str)}


def soaked(state: RegistryState, one: Arrival, words: Mapping[str, str], now: int) -> bool:
    return any(
        (other.value("until") or now) - other.value("since") >= HOURS[words["for"]]
        for other in there(state, one.model, key(words["environment"]))
        if other.facts["version"] == one.version
        and other.value("since") is not None
        and other.value("state") in {"live", "draining", "stopped"}
    )


def frozen(window: str, now: int) -> bool:
    """Tell whether it is between Friday afternoon and Monday morning: what stories freeze."""
    assert window == "fri 16:00 - mon 08:00"
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
    day, hour = moment.weekday(), moment.hour
    return day in {5, 6} or (day == 4 and hour >= 16) or (day == 0 and hour < 8)


def _glass(one: Arrival, operation: Operation) -> str | None:
    glass: str | None = getattr(operation.body, "break_glass", None)
    if operation.kind == "deployment.transition" and one.before is not None:
        glass = (one.before.value("evidence") or {}).get("break_glass")
    return glass
