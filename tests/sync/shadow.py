"""A second model of who may do what, written for the tests alone, from the log of grants."""

from typing import Any

from regtui.core.identity import dataset_id, model_id
from tests.sync.edits import MODELS

RANKS = {"viewer": 1, "contributor": 2, "maintainer": 3, "admin": 4}
"""Roles that the simulated runs give, from the least."""

HEAVY = {"version.archive", "version.delete", "version.restore", "promotion.review"}
"""Kinds for which a contributor does not suffice."""


class Grants:
    """Who has which role in what, after the operations of the access stream so far."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str], str] = {}

    def take(self, operation: dict[str, Any]) -> None:
        """Take an operation of the access stream."""
        if not operation["kind"].startswith("grant."):
            return
        body = operation["body"]
        role = body["set"]["role"].get("to")
        place = (body["to"], body["scope"])
        if role is None:
            self._held.pop(place, None)
        else:
            self._held[place] = role

    def allows(self, operation: dict[str, Any]) -> bool:
        """Tell whether an operation on a model or dataset was allowed at this point of the log."""
        about = {operation["stream"], operation["entity"], operation["body"].get("of")}
        name = next(one for one in MODELS if about & {model_id(one, 0), dataset_id(one)})
        roles = [
            RANKS[role]
            for (user, scope), role in self._held.items()
            if user == operation["actor"] and scope in {"*", name}
        ]
        resolves = operation["kind"] == "conflict.resolve"
        heavy = operation["kind"] in HEAVY or (resolves and "state" in operation["body"]["set"])
        return max(roles, default=0) >= (3 if heavy else 2)
