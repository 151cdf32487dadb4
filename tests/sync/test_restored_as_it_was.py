"""After a restore, when everybody has synced, everything is as it was, whoever came back first.

People with two machines each work on aliases, requests, deployments and checks; the server is put
back to a backup of some time in between, and nobody does anything but sync.
"""

import json
import os
import random
from pathlib import Path
from pprint import pformat
from typing import Any

import pytest

from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from tests.sync.test_cases import back_up, close_healing, put_back
from tests.sync.test_production import POLICY, put_policies, weights
from tests.sync.world import Person, World, signed_in

SEEDS = int(os.environ.get("REGTUI_SEEDS", "36"))
FAST = 4
STEPS = 26
MODEL = "nlp/bert"

ACTS = (
    "alias", "remove", "promote", "review", "apply", "withdraw", "deploy", "step", "check", "edit",
    "describe", "archive", "capture", "delete", "describe version", "write", "own", "resolve",
    "dataset", "undo",
)  # fmt: skip


class Team:
    """Three maintainers with two machines each."""

    def __init__(self, world: World, folder: Path, seed: int) -> None:
        self.world, self.folder, self.random = world, folder, random.Random(seed)
        for name in ("ann", "ben", "carl"):
            world.grant(name, "maintainer", "*")
        self.people = [
            signed_in(world, name, f"{name}{n}") for name in ("ann", "ben", "carl") for n in (0, 1)
        ]
        self.trail: list[str] = []
        ann = self.people[0]
        for content in ("one", "two", "three"):
            ann.registry.capture(weights(folder, content), model=MODEL)
            ann.sync()
        ann.registry.set_alias(f"{MODEL}@1", "production")
        for environment in ("production", "test"):
            ann.registry.put_environment(environment, {"protected": True})
        ann.sync()
        checks = ["smoke"] if self.random.random() < 0.3 else []
        put_policies(ann, [{**POLICY, "approvals": 1, "rollback": "gated", "checks": checks}])
        self.sync_all()

    def sync_all(self, rounds: int = 2) -> None:
        for _ in range(rounds):
            for person in self.random.sample(self.people, len(self.people)):
                person.sync()

    def work(self) -> None:
        """Let somebody do something on one machine, having seen the newest or not."""
        person = self.random.choice(self.people)
        if self.random.random() < 0.85:
            person.sync()
        act = self.random.choice(ACTS)
        try:
            self._act(person.registry, act)
        except RegtuiError as error:  # it may be refused at once
            act += f": {error.message[:50]}"
        self.trail.append(f"{person.home} {act}")
        person.sync()
        if person.registry.outbox():  # or by the server
            person.registry.discard(None)

    def _act(self, registry: Registry, act: str) -> None:  # noqa: C901, PLR0912, PLR0915 -- one an act
        r = self.random
        version = f"{MODEL}@{r.randrange(1, 4)}"
        requests = [one.request for one in registry.promotions()]
        running = [one.deployment for one in registry.deployments()]
        if act == "alias":
            registry.set_alias(version, r.choice(["champion", "best"]))
        elif act == "remove":
            registry.remove_alias(f"{MODEL}@champion")
        elif act == "promote":
            target = r.choice(["production", "production", "champion"])
            registry.request_promotion(version, target, auto=r.random() < 0.7)
        elif act == "review" and requests:
            said = r.choice(["approve", "approve", "reject", "none"])
            registry.review(r.choice(requests), said, "why")
        elif act == "apply" and requests:
            registry.apply_promotion(r.choice(requests))
        elif act == "withdraw" and requests and r.random() < 0.4:
            registry.withdraw_promotion(r.choice(requests))
        elif act == "deploy":
            where, target = r.choice(["production", "test"]), r.choice(["eu", "us"])
            registry.deploy(version, where, target=target, pending=r.random() < 0.3)
        elif act == "step" and running:
            registry.transition(
                r.choice(running), r.choice(["live", "draining", "stopped", "failed"])
            )
        elif act == "check":
            registry.report_check(version, "smoke", outcome=r.choice(["passed", "failed"]))
        elif act == "edit":
            value = None if r.random() < 0.3 else str(r.randrange(9))
            registry.edit(version, {f"tags/{r.choice('ab')}": value})
        elif act == "describe":
            registry.edit(MODEL, {"description": str(r.randrange(99))})
        elif act == "archive":
            registry.change_state("version", version, r.choice(["archive", "restore"]))
        elif act == "delete":
            registry.change_state("version", version, r.choice(["delete", "restore"]))
        elif act == "describe version":
            registry.edit(version, {"description": str(r.randrange(99))})
        elif act == "write":
            card = registry.card(MODEL)
            lines = (card or "").split("\n")
            lines.insert(r.randrange(len(lines) + 1), str(r.randrange(99)))
            registry.write_card(MODEL, "\n".join(lines), seen=card)
        elif act == "own":
            registry.edit(MODEL, {f"owners/{r.choice('xy')}": r.choice([True, None])})
        elif act == "resolve" and registry.conflicts():
            conflict = r.choice(registry.conflicts())
            if r.random() < 0.5:
                registry.resolve(conflict.id, "accepted")
            else:
                chosen = str(r.choice(conflict.candidates).id)
                registry.resolve(conflict.id, "candidate", candidate=chosen)
        elif act == "dataset" and r.random() < 0.3:
            registry.remove_dataset("squad")
        elif act == "dataset":
            registry.put_dataset("squad", {"uri": f"s3://{r.randrange(9)}"})
        elif act == "undo":
            registry.undo()
        elif act == "capture":
            registry.capture(weights(self.folder, f"c{r.randrange(5)}"), model=MODEL)


def state(person: Person) -> dict[str, Any]:
    """Return what holds of everything, without what tells only how it came to be."""
    found: dict[str, Any] = {}
    for identity, body in person.documents.items():
        document = json.loads(body)
        values = {
            path: register["v"]
            for path, register in document["fields"].items()
            if path != "evidence"
            and not path.startswith("holders/")
            # What was taken away after a restore is told as such.
            and register["v"] is not None
        }
        ended = values.get("resolution")
        if isinstance(ended, dict):
            values["resolution"] = ended | {"before": None}  # what stood may not be back yet
        facts = dict(document["facts"])
        if document["kind"] == "promotion" and values["state"] != "open":
            facts.pop("stood", None)  # it says whether an open one may move
        found[f"{document['kind']} {identity}"] = (values, facts)
    return found


@pytest.mark.parametrize(
    "seed",
    [
        seed if seed < FAST else pytest.param(seed, marks=pytest.mark.slow)
        for seed in range(SEEDS // 3)
    ],
)
def test_everything_is_as_it_was_when_everybody_has_come_back(
    world: World, tmp_path: Path, seed: int
) -> None:
    team = Team(world, tmp_path, seed)
    moments = team.random.randrange(10), 10 + team.random.randrange(8)
    backups = []
    for step in range(STEPS):
        if step in moments:
            backups.append(back_up(world, f"backup{step}"))
        team.work()
    team.sync_all()
    before = state(team.people[0])
    first, second = backups
    if seed % 2:  # twice, the second time before everybody has come back
        put_back(world, second, told=True)
        for person in team.random.sample(team.people, team.random.randrange(5)):
            person.sync()
    put_back(world, first, told=True)
    team.sync_all(4)
    close_healing(world)
    team.sync_all()
    after = state(team.people[0])
    different = {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }
    assert different == {}, f"{moments}: {'; '.join(team.trail)}\n{pformat(different, width=150)}"
    assert [one.code for person in team.people for one in person.registry.outbox()] == []
    assert all(person.documents == team.people[0].documents for person in team.people)
