"""Production in the sample: policies, environments, requests, and what runs where."""

import atexit
import shutil
import tempfile
from pathlib import Path

import pytest

from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica import ids
from tests.tui.sample import DAY, NOW, Clock, counted, opened, registry_at

POLICY = {
    "name": "production",
    "models": "nlp/*",
    "alias": "production",
    "approvals": 1,
    "four_eyes": True,
    "break_glass": True,
    "metadata": ["card.license", "description"],
}

_made: list[Path] = []
"""The folder to copy, once it is made."""


def produced(home: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Bring versions of the sample into production, and ask for others to follow."""
    monkeypatch.setattr(ids, "os", counted())
    # The app reads by a context of its own, which else acts for whoever runs the tests.
    monkeypatch.setattr(Context, "actor", opened(home).context.actor)
    if not _made:  # once: to do all that takes a second
        folder = Path(tempfile.mkdtemp(prefix="regtui-test-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        _produce(Path(shutil.copytree(home, folder / "home")))
        _made.append(folder / "home")
    shutil.rmtree(home)
    shutil.copytree(_made[0], home)
    return opened(home)


def _produce(home: Path) -> None:
    clock = Clock(NOW - 6 * DAY, DAY // 24)
    ann, ben, cleo = (registry_at(home, clock, name) for name in ("ann", "ben", "cleo"))
    ann.put_policies([POLICY])
    first = ann.request_promotion("nlp/sentiment@3", "production", reason="the first good one")
    cleo.review(first.request, "approve")
    second = ben.request_promotion("nlp/sentiment@5", "production", reason="f1 is 0.05 higher")
    cleo.review(second.request, "approve", "looks right on the long reviews")
    third = ann.request_promotion("nlp/sentiment@6", "production", reason="warm start, f1 0.91")
    cleo.review(third.request, "reject", "latency went up; is that known?")
    ann.add_comment(f"request:{third.id}", "Known: 18.5 ms, **fine** for the batch jobs.")
    fourth = ben.request_promotion("nlp/sentiment@4", "production")
    ben.withdraw_promotion(fourth.request)
    ben.request_promotion("nlp/sentiment@3", "production", reason="latency matters more")
    ann.put_environment("staging", {"kind": "staging", "protected": False})
    ann.put_environment("production", {"kind": "production", "protected": True, "expect": "5m"})
    ann.put_environment("edge", {"kind": "edge"})
    ben.deploy("nlp/sentiment@3", "production", values={"reason": "the first that is good enough"})
    ben.deploy("nlp/sentiment@4", "production")
    ann.roll_back("nlp/sentiment", "production", reason="worse on long reviews")
    ann.deploy("nlp/sentiment@5", "production", values={"url": "https://api.test/sentiment"})
    ann.deploy("nlp/sentiment@6", "production", beside=True, values={"reason": "a canary"})
    ann.deploy("nlp/sentiment@6", "staging")
    ben.deploy("vision/digits@3", "edge", target="eu-1")
    ben.deploy("vision/digits@2", "edge", target="us-1", pending=True)
