"""How the demo's models came into production: by rules, on evidence, and once back again."""

from functools import partial
from pathlib import Path
from typing import Any

from regtui.demo.people import HOUR, Team
from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica, wall_clock

MODEL = "nlp/sentiment"

HOURS = 24
"""Of how many hours it is told what was served."""

POLICY = {
    "name": "production",
    "models": "nlp/*",
    "alias": "production",
    "description": "What customers see",
    "approvals": 1,
    "four_eyes": True,
    "checks": ["files-intact", "no-regression"],
    "metadata": ["card.license", "description"],
    "safe_files": True,
    "rollback": "free",
    "break_glass": True,
}

LIVE = {
    "name": "live",
    "models": "nlp/*",
    "environment": "production",
    "complete": True,
    "soak": {"environment": "staging", "for": "12h"},
    "rollback": "free",
}

CHECKS: dict[str, dict[str, Any]] = {
    "files-intact": {
        "builtin": "files-intact",
        "description": "The stored bytes are what they were",
    },
    "no-regression": {
        "builtin": "metric-regression",
        "against": "production",
        "metrics": ["f1"],
        "tolerance": 0.02,
        "on": ["request"],
        "description": "f1 is not worse than what is there",
    },
    "card": {"builtin": "card-complete", "needs": ["license", "language"]},
}


def produce(team: Team) -> None:
    """Bring the sentiment model into production, go back once, and leave a request open."""
    ann, ben = team.ann, team.ben
    for name, definition in CHECKS.items():
        ann.put_check(name, "nlp/*", definition)
    ann.put_environment("staging", {"kind": "staging", "protected": False})
    ann.put_environment(
        "production", {"kind": "production", "description": "Three boxes behind one address"}
    )
    ann.set_alias(f"{MODEL}@3", "production")
    team.calendar.later(2)
    ben.put_policies([POLICY, LIVE])
    _deploy(team, 3)
    _promote(team, 4, "More examples", "The errors that are left are hard for people, too")
    _deploy(team, 4)
    team.calendar.later(30)
    _promote(team, 5, "A smaller rate", "Fine by me")
    _deploy(team, 5)
    team.calendar.later(6)
    ben.roll_back(MODEL, "production", reason="Long reviews time out")
    ben.revert(f"{MODEL}@production")
    ben.add_comment(f"{MODEL}@5", "Back to @4 until long reviews are fast enough")
    team.calendar.later(20)
    asked = ann.request_promotion(
        f"{MODEL}@6", "production", reason="Same weights as @5, better calibrated"
    )
    ann.run_checks(f"{MODEL}@6", ["files-intact"])
    ben.add_comment(f"request:{asked.request}", "Has it been measured on long reviews?")


def _promote(team: Team, number: int, reason: str, said: str) -> None:
    version = f"{MODEL}@{number}"
    asked = team.ann.request_promotion(version, "production", reason=reason)
    team.ann.run_checks(version)
    team.calendar.later(3)
    team.ben.review(asked.request, "approve", said)


def _deploy(team: Team, number: int) -> None:
    """Let a version live in staging for a while, then bring it to production."""
    version = f"{MODEL}@{number}"
    team.ann.deploy(version, "staging")
    team.calendar.later(14)
    team.ben.deploy(version, "production", values={"url": "https://sentiment.example.org"})
    team.calendar.later(3)


def serve(team: Team, home: Path) -> None:
    """Tell of the last day of what is live: more requests by day, and slow ones now and then."""
    now = wall_clock()
    (live,) = team.ben.deployments(environment="production")
    for hours in range(HOURS, -1, -1):
        moment = now - hours * HOUR
        box = Registry(Context(Replica(home, partial(int, moment)), "api", uuid7(moment)))
        busy = 20 + 15 * ((HOURS - hours) % 24 > 8)  # noqa: PLR2004 -- the hours of work
        latencies = [0.012 + 0.0015 * (n % 7) for n in range(busy)] + [0.18] * (busy // 12)
        box.beat(live.deployment, errors=busy // 30, latencies=latencies)
