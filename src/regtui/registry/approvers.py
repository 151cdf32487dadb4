"""Who approved what moved, by what was noted then: an approval that did not count never does."""

from collections.abc import Mapping
from typing import Any

from regtui.core.documents import Document


def approvers(request: Document | None, evidence: Mapping[str, Any] | None) -> list[str]:
    """Return the ids of those whose approval counted as something moved.

    Args:
        request: The request that it follows from; None without one.
        evidence: What was noted beside it; where no gate was asked there is nothing.
    """
    noted: dict[str, str] | None = (evidence or {}).get("approvals")
    if noted is not None:
        return [user for user, why in noted.items() if not why]
    # Of one that moved nothing no approval counted.
    moved = request is not None and request.value("state") == "applied"
    said = request.entries("reviews") if request is not None and moved else {}
    return [user for user, review in said.items() if review["verdict"] == "approve"]


def why_not_counted(user: str, evidence: Mapping[str, Any] | None) -> str:
    """Return why what somebody said did not count as something moved; empty where it did."""
    noted: dict[str, str] = (evidence or {}).get("approvals", {})
    return noted.get(user, "")
