"""What happens in a generated registry: who trains what, and what becomes of it.

People train in *bursts*, a few runs of one model in a row, which leave versions with metrics and
params; afterwards the best may get an alias, some get one more metric or a tag, and a bad one is
archived. Some models are busy, most are not. All follows from a seed.
"""

import datetime
import itertools
import math
import random
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from regtui.core import encoding
from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import model_id, name_key, user_id, version_id
from regtui.core.manifest import FileEntry, content_digest

START = datetime.datetime(2023, 1, 1, tzinfo=datetime.UTC)
SPAN = datetime.timedelta(days=730)

METRIC = "loss"
"""A metric that nearly every version has."""

WORD = "distilled"
"""A word in the description of some versions."""

VERSIONS_PER_MODEL = 500

PACE = 1_000
"""Microseconds between two operations, at least."""

_TEAMS = ("search", "ads", "vision", "speech", "nlp", "risk", "maps", "growth")
_TASKS: dict[str, tuple[str, ...]] = {
    "classify": ("accuracy", METRIC, "f1", "precision", "recall", "auc"),
    "rank": ("ndcg", METRIC, "mrr", "map", "recall", "latency_ms"),
    "generate": ("perplexity", METRIC, "bleu", "rouge_l", "accuracy", "tokens_s"),
    "forecast": ("rmse", METRIC, "mae", "mape", "r2", "coverage"),
    "detect": ("map", METRIC, "precision", "recall", "f1", "latency_ms"),
}
"""The metrics of each task; the first is the primary one."""

_SIZES = ("small", "base", "large", "turbo", "lite", "deep", "wide", "multi")
_PEOPLE = ("ann", "ben", "cho", "dia", "eli", "fay", "gus", "hal", "ida", "jon", "kai", "lou")
_NOTES = (
    "baseline again with the seeds of last week",
    "more data from the spring crawl",
    "longer warm-up, as ben proposed",
    f"{WORD} from the large one",
    "cleaned labels",
    "new tokenizer, vocabulary of 64k",
    "fixed the leak in the split",
)
_ENVIRONMENTS = ("prod", "staging", "dev")

Wanted = Mapping[str, Any]
"""Value by path."""


class Invented(Struct):
    """A model under way.

    Attributes:
        id: UUID.
        name: Such as `vision/detect/lite-3`.
        metrics: What its trainer reports, the primary one first.
        people: Who works on it, its owner first.
        versions: How many it has.
        recent: Its newest versions.
        named: Version by alias.
    """

    id: str
    name: str
    metrics: tuple[str, ...]
    people: tuple[Actor, ...]
    versions: int
    recent: deque[str]
    named: dict[str, str]

    @property
    def owner(self) -> Actor:
        """Who made it."""
        return self.people[0]

    @property
    def about(self) -> Wanted:
        """What is said of it."""
        team, task, _ = self.name.split("/")
        return {
            "primary_metric": self.metrics[0],
            "description": f"{task} for the {team} team",
            "tags/task": task,
            f"owners/{self.owner.id}": True,
        }


class Step(Struct, frozen=True):
    """An operation to come.

    Attributes:
        verb: `create` a model, `capture`, `edit`, `archive` or `name` a version.
        at: Microseconds.
        actor: Who does it.
        model: Id.
        version: Id; empty where a model is made.
        wanted: Value by path.
        digest: Of the content.
        files: The manifest.
        name: Of the model that is made or of the alias that is set.
    """

    verb: str
    at: int
    actor: Actor
    model: str
    version: str = ""
    wanted: Wanted = {}
    digest: str = ""
    files: tuple[FileEntry, ...] = ()
    name: str = ""


class Story:
    """Everything that happens until there are so many versions.

    Args:
        versions: How many.
        seed: What all follows from.
    """

    def __init__(self, versions: int, seed: int) -> None:
        self.start = int(START.timestamp() * 1e6)
        self._versions = versions
        self._rng = random.Random(seed)
        count = max(3, versions // VERSIONS_PER_MODEL)
        self._crew = [_person(name) for name in _PEOPLE[:count]]  # each owns a model
        self.models = [self._model(number) for number in range(count)]

    def creations(self) -> Iterator[list[Step]]:
        """Yield the making of the models, of one person each time, which writes him down too."""
        times = itertools.count(self.start, PACE)
        for person in self._crew:
            yield [
                Step("create", next(times), person, model.id, wanted=model.about, name=model.name)
                for model in self.models
                if model.owner is person
            ]

    def steps(self) -> Iterator[Step]:
        """Yield everything else, in the order of its times."""
        rng, left = self._rng, self._versions
        at = self.start + PACE * len(self.models)
        pace = SPAN / datetime.timedelta(microseconds=1) / max(self._versions, 1)
        weights = [rng.paretovariate(1.2) for _ in self.models]
        while left:
            model = rng.choices(self.models, weights)[0]
            actor = rng.choice(model.people)
            runs = min(left, rng.randint(1, 12))
            made: list[str] = []
            for run in range(runs):
                at += int(rng.expovariate(1 / pace)) + PACE
                step = self._run(model, actor, at, run)
                made.append(step.version)
                yield step
            left -= runs
            for step in self._afterwards(model, actor, at, made):
                at = step.at
                yield step

    def _model(self, number: int) -> Invented:
        rng = self._rng
        task = rng.choice(list(_TASKS))
        name = f"{rng.choice(_TEAMS)}/{task}/{rng.choice(_SIZES)}-{number}"
        owner = self._crew[number % len(self._crew)]
        people = (owner, *rng.sample(self._crew, 2))
        identity = model_id(name_key(name), 0)
        return Invented(identity, name, _TASKS[task], people, 0, deque(maxlen=40), {})

    def _run(self, model: Invented, actor: Actor, at: int, run: int) -> Step:
        files = self._files(model)
        digest = content_digest(files)
        version = version_id(model.id, digest)
        folder = f"/home/{actor.name}/runs/{model.name}/{model.versions}"
        place = {"host": f"gpu-{int(actor.id[-1], 16)}", "folder": folder, "name": "checkpoint"}
        key = encoding.digest(encoding.encode(place))[:16]
        wanted: dict[str, Any] = {
            **self._metrics(model),
            **self._params(run),
            **self._words(model),
            f"places/{key}": place | {"at": at, "author": actor.id},
        }
        model.versions += 1
        model.recent.append(version)
        return Step("capture", at, actor, model.id, version, wanted, digest, files)

    def _metrics(self, model: Invented) -> Wanted:
        rng = self._rng
        names = model.metrics[: rng.randint(3, len(model.metrics))]
        if rng.random() < 0.03:
            names = names[2:]
        step = rng.randint(1, 200) * 500 if rng.random() < 0.6 else None
        grown = 1 - math.exp(-model.versions / 200)
        wanted = {}
        for name in names:
            value = rng.gauss(0.6 + 0.3 * grown, 0.05)
            value = 1.5 - value if name == METRIC else value
            shown = "NaN" if rng.random() < 0.004 else round(value, 6)
            wanted[f"metrics/{name}"] = {"value": shown, "step": step}
        return wanted

    def _params(self, run: int) -> Wanted:
        rng = self._rng
        wanted: dict[str, Any] = {
            "params/lr": round(10 ** -rng.randint(2, 5) * rng.randint(1, 9), 6),
            "params/batch_size": 2 ** rng.randint(4, 10),
            "params/seed": run,
        }
        if rng.random() < 0.6:
            wanted["params/optimizer"] = rng.choice(("adamw", "sgd", "lion"))
        if rng.random() < 0.4:
            wanted["params/epochs"] = rng.randint(1, 50)
        return wanted

    def _words(self, model: Invented) -> Wanted:
        rng = self._rng
        wanted: dict[str, Any] = {}
        if rng.random() < 0.33:
            wanted["tags/env"] = rng.choice(_ENVIRONMENTS)
            if rng.random() < 0.3:
                wanted["tags/dataset"] = f"crawl-{rng.randint(2019, 2024)}"
        if rng.random() < 0.2:
            wanted["description"] = rng.choice(_NOTES)
        if model.recent and rng.random() < 0.15:
            wanted[f"parents/{model.recent[-1]}"] = True
        if rng.random() < 0.1:
            uri = f"s3://data/{model.name}/{rng.randint(1, 30)}"
            wanted["inputs/train"] = {"uri": uri, "digest": None}
        return wanted

    def _files(self, model: Invented) -> tuple[FileEntry, ...]:
        rng = self._rng
        weights = int(rng.lognormvariate(17, 1.5))
        files = [FileEntry("model.safetensors", weights, False, rng.randbytes(32).hex())]
        if rng.random() < 0.6:
            config = encoding.digest(f"{model.name} {model.versions // 50}".encode())
            files.append(FileEntry("config.json", 700, False, config))
        if rng.random() < 0.3:
            words = encoding.digest(model.name.encode())
            files.append(FileEntry("tokenizer.json", 1_800_000, False, words))
        return tuple(files)

    def _afterwards(
        self, model: Invented, actor: Actor, at: int, made: list[str]
    ) -> Iterator[Step]:
        rng = self._rng
        times = itertools.count(at + PACE, PACE)
        for alias, chance in (("candidate", 0.2), ("champion", 0.05)):
            if rng.random() < chance or alias not in model.named:
                model.named[alias] = rng.choice(made)
                yield Step("name", next(times), actor, model.id, model.named[alias], name=alias)
        for version in made:
            if rng.random() < 0.08:
                wanted: Wanted = {"metrics/human": {"value": rng.randint(1, 5), "step": None}}
                if rng.random() < 0.5:
                    wanted = {"tags/reviewed": "yes"}
                yield Step("edit", next(times), actor, model.id, version, wanted)
        held = set(model.named.values())
        for version in rng.sample(sorted(model.recent), min(len(made), len(model.recent))):
            if rng.random() < 0.05 and version not in held:
                model.recent.remove(version)
                yield Step("archive", next(times), actor, model.id, version)


def _person(name: str) -> Actor:
    return Actor(user_id(name), name, (Grant(Role.ADMIN, "*"),))
