"""Evidence: what gates look at, gathered from the registry."""

from typing import Any

from msgspec import Struct

from regtui.core.access import Actor
from regtui.core.card import card_field
from regtui.core.documents import Document
from regtui.core.governance.moves import Move
from regtui.core.governance.rule import ENTRIES_LIMIT, bounded, floats, roots_of
from regtui.core.policies import Policy, check_named
from regtui.core.view import View


class Case(Struct, frozen=True, kw_only=True):
    """One policy, and one move that it is about.

    Attributes:
        view: The registry right before the move.
        policy: What it asks.
        document: The policy's document.
        move: What is to move.
        model: Whose target it is.
        version: The version to be there; None where it is to be none.
        actor: Who moves it.
        now: Microseconds of the authority's clock.
    """

    view: View
    policy: Policy
    document: Document
    move: Move
    model: Document
    version: Document | None
    actor: Actor
    now: int

    @property
    def name(self) -> str:
        """The model's name."""
        return str(self.model.value("name"))


def last_run(view: View, model: Document, version: str, check: str) -> Document | None:
    """Return the last run of a check of a version that counts: a reporter's, of what it is now."""
    found = [
        one
        for one in view.about(version, "check_run")
        if one.facts["check"] == check and one.facts["counts"] and one.stream == model.id
    ]
    last = max(found, key=order_of_runs, default=None)
    return None if last is None or is_stale(view, model, last) else last


def order_of_runs(run: Document) -> tuple[bool, int, int]:
    """Order runs by when they were told: what waits to be sent is the newest.

    The number in the registry decides between equals only: after a restore runs come back in
    another order.
    """
    return run.seq == 0, int(run.facts["told"]), run.seq


def is_stale(view: View, model: Document, run: Document) -> bool:
    """Tell whether a check was changed since it was run."""
    check = str(run.facts["check"])
    definition = check_named(view.in_stream("registry", "check"), str(model.value("name")), check)
    return bool(
        run.facts["definition"] != (None if definition is None else definition.stamp("definition"))
    )


def outcomes(view: View, model: Document, version: str | None) -> dict[str, dict[str, Any]]:
    """Return the figures of the last runs that count of a version, by check."""
    if version is None:
        return {}
    runs = [one for one in view.about(version, "check_run") if one.facts["counts"]]
    names = {str(one.facts["check"]) for one in runs}
    found: dict[str, dict[str, Any]] = {}
    for name in sorted(names):
        run = last_run(view, model, version, name)
        if run is not None:
            outcome = str(run.facts["outcome"])
            figures: dict[str, Any] = dict(floats(run.facts["figures"]))
            found[name] = {**figures, "outcome": outcome, "passed": outcome == "passed"}
    return found


def values_of(case: Case) -> dict[str, Any]:
    """Return what a rule of a policy can speak of, by root."""
    current = None if case.move.current is None else case.view.document(case.move.current)
    declared = case.policy.trust == "declared"
    request = case.move.request
    return {
        "version": _version(case.version, declared=declared),
        "current": _version(current, declared=declared),
        "model": {
            "name": case.name,
            "description": case.model.value("description") or "",
            "tags": bounded(case.model.entries("tags")),
        },
        "request": {}
        if request is None
        else {"reason": request.value("reason") or "", "author": str(request.facts["author"])},
        "checks": outcomes(case.view, case.model, case.move.version),
        "current_checks": outcomes(case.view, case.model, case.move.current),
    }


def crowded(case: Case) -> str | None:
    """Return what its rule may read and has more entries than it is shown; None where it sees all.

    What nobody looked at could be what the rule would have refused.
    """
    rule = case.policy.rule or ""
    roots = roots_of(rule)
    current = None if case.move.current is None else case.view.document(case.move.current)
    for root, document in (("model", case.model), ("version", case.version), ("current", current)):
        for field in ("tags", "params", "metrics"):
            # By brackets a rule may name a field that nobody finds in its text.
            is_read = root in roots and (field in rule or "[" in rule)
            if is_read and document and len(document.entries(field)) > ENTRIES_LIMIT:
                return f"{root}.{field}"
    return None


def metadata_value(case: Case, path: str) -> Any:
    """Return what is filled in under a path that a policy asks for; None where nothing is."""
    field, _, key = path.partition(".")
    model, version = case.model, case.version
    if field == "model" and key.partition(".")[0] in {"card", "owners", "primary_metric"}:
        return metadata_value(case, key)
    if field == "card":
        digest = model.value("card")
        text = None if digest is None else case.view.text(str(digest))
        return (text or None) if not key else card_field(text, key)
    if field == "model":
        return model.value(key.replace(".", "/", 1))
    if field in {"owners", "primary_metric"}:
        return sorted(model.entries("owners")) if field == "owners" else model.value(field)
    if version is None:
        return None
    return version.value(f"{field}/{key}" if key else field)


def _version(version: Document | None, *, declared: bool) -> dict[str, Any]:
    if version is None:
        return {}
    params = version.entries("params")
    found: dict[str, Any] = {
        "id": version.id,
        "number": float(version.facts["number"] or 0),
        "digest": version.facts["digest"],
        "size": float(version.facts["size"]),
        "files": float(version.facts["files"]),
        "author": version.facts["author"],
        "description": version.value("description") or "",
        "tags": bounded(version.entries("tags")),
        "params": {
            **bounded({k: v for k, v in params.items() if isinstance(v, str | bool)}),
            **floats(params),
        },
    }
    if declared:
        metrics = version.entries("metrics")
        found["metrics"] = floats({name: one["value"] for name, one in metrics.items()})
    return found
