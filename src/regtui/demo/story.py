"""The story of the demo: models are trained, compared, named, discussed and replaced.

Each chapter trains the models of one name and does to the registry what a team does. Whatever a
screen shows was measured: metrics and curves come from the training, tensors and digests from the
files. What a chapter says of its models in cards and comments is true of them as well.
"""

import json
import os
import pickle
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from regtui.demo import data
from regtui.demo.learners import Course, Ridge, Softmax
from regtui.demo.model_files import write_safetensors
from regtui.demo.people import Team
from regtui.demo.production import produce
from regtui.registry import Registry
from regtui.registry.series import parse_series
from regtui.registry.watch_rules import WatchRule

DAYS = 45
"""How long the story takes."""


def tell(team: Team, folder: Path) -> Iterator[str]:
    """Tell the whole story; yield what each chapter is about before it is told.

    Args:
        team: Who acts.
        folder: Where the models are trained; each run in a folder of its own.
    """
    yield "nlp/sentiment"
    _sentiment(team, folder / "sentiment")
    produce(team)
    yield "vision/digits"
    _digits(team, folder / "digits")
    yield "forecast/sales"
    _sales(team, folder / "sales")
    if find_spec("sklearn") is not None:
        yield "vision/digits-forest"
        _forest(team, folder / "forest")
    yield "inbox/mystery"
    _mystery(team, folder / "mystery")
    yield "forecast/tuned"
    _tuned(team, folder.parent / "watched")


SENTIMENT_CARD = """---
license: apache-2.0
language: en
datasets: [reviews]
---
# Sentiment of reviews

Tells good reviews from bad ones: counts of {words} hashed words, one weight vector a class.

## Intended use

Sorting feedback for people to read. It was trained on made-up sentences, so use
it for nothing else.

## How it was trained

Stochastic gradient descent, {epochs} epochs. Versions from @4 on also see a second corpus; @6
learned only its biases on top of @5, so its weights are the same tensors.
"""


def _sentiment(team: Team, folder: Path) -> None:
    model = "nlp/sentiment"
    team.ann.create_model(
        model,
        {
            "description": "Reviews, good or bad",
            "card": SENTIMENT_CARD.format(words=data.WORDS, epochs="4 to 12"),
            "primary_metric": "f1",
            "direction": "max",
            "tags/task": "classification",
            "owners/ann": True,
        },
    )
    team.ann.put_dataset("reviews", {"uri": "s3://corpora/reviews-2026-09.parquet"})
    held_out = data.reviews(240, 99)
    learner: Softmax | None = None
    plans: list[tuple[int, int, float, float, bool]] = [
        (120, 4, 0.02, 0.0, False), (120, 8, 0.05, 0.0, False), (260, 8, 0.05, 0.001, False),
        (400, 8, 0.05, 0.001, False), (400, 12, 0.03, 0.0005, False), (400, 3, 0.02, 0.0, True),
    ]  # fmt: skip
    for number, (count, epochs, rate, decay, frozen) in enumerate(plans, start=1):
        if learner is None or not frozen:
            learner = Softmax(2, data.WORDS, seed=number)
        course = learner.train(
            data.reviews(count, 7 + (number > 3)),  # noqa: PLR2004 -- the second corpus
            held_out,
            epochs=epochs,
            rate=rate,
            decay=decay,
            frozen=frozen,
        )
        run = folder / f"run-{number}"
        run.mkdir(parents=True)
        write_safetensors(
            run / "model.safetensors",
            {"classifier.weight": learner.weights, "classifier.bias": learner.biases},
            run=run.name,
        )
        params = {"lr": rate, "epochs": epochs, "decay": decay, "examples": count, "frozen": frozen}
        who = team.watcher if number in {2, 3} else team.ann
        _capture(
            who,
            run,
            model,
            course,
            params,
            tags={"corpus": "reviews-b" if number > 3 else "reviews-a"},  # noqa: PLR2004
            parents=[f"{model}@{number - 1}"] if frozen else [],
            inputs={"reviews": "s3://corpora/reviews-2026-09.parquet"},
            description="Only the biases learned" if frozen else f"Sweep {number}",
        )
        team.calendar.later(60)
    team.ann.set_alias(f"{model}@2", "champion")
    team.calendar.later(20)
    team.ben.set_alias(f"{model}@4", "champion")
    team.ann.set_alias(f"{model}@5", "candidate")
    team.ben.add_comment(f"{model}@5", "More epochs at a smaller rate. Is it **worth** the time?")
    team.calendar.later(5)
    team.ann.add_comment(f"{model}@5", "See the curves: `val_loss` still falls at the end.")
    team.ann.change_state("version", f"{model}@1", "archive")
    small = Softmax(2, data.WORDS, seed=50)
    course = small.train(data.reviews(80, 8), held_out, epochs=5, rate=0.05)
    run = folder / "small"
    run.mkdir()
    write_safetensors(run / "model.safetensors", {"classifier.weight": small.weights})
    _capture(
        team.ann, run, f"{model}-small", course, {"examples": 80}, parents=[f"{model}@4"],
        description="Distilled from the champion",
    )  # fmt: skip


def _digits(team: Team, folder: Path) -> None:
    model = "vision/digits"
    held_out = data.digits(200, 98)
    for number, (rate, noise) in enumerate(
        [(0.005, 0.1), (0.02, 0.1), (0.05, 0.1), (0.05, 0.2)], 1
    ):
        learner = Softmax(10, data.PIXELS, seed=number)
        course = learner.train(
            data.digits(240, 5, noise=noise), held_out, epochs=2 + 2 * number, rate=rate
        )
        run = folder / f"run-{number}"
        run.mkdir(parents=True)
        write_safetensors(
            run / "model.safetensors",
            {"out.weight": learner.weights, "out.bias": learner.biases},
        )
        (run / "labels.txt").write_text("\n".join("0123456789"), encoding="utf-8")
        params = {"lr": rate, "noise": noise, "epochs": 2 + 2 * number}
        _capture(team.watcher, run, model, course, params, tags={"noise": str(noise)})
        team.calendar.later(30)
    team.ben.edit(
        model,
        {
            "description": "Digits of 5 by 7 pixels",
            "primary_metric": "accuracy",
            "direction": "max",
            "card": "# Digits\n\nReads one digit of 5 by 7 pixels, some of them flipped.\n",
        },
    )
    team.ben.set_alias(f"{model}@3", "champion")


def _sales(team: Team, folder: Path) -> None:
    model = "forecast/sales"
    weeks = data.sales(260, 3)
    for number, (penalty, epochs) in enumerate([(0.1, 6), (0.01, 12), (0.001, 24)], start=1):
        learner = Ridge(data.LAGS)
        course = learner.train(weeks[:200], weeks[200:], epochs=epochs, rate=0.01, penalty=penalty)
        run = folder / f"run-{number}"
        run.mkdir(parents=True)
        write_safetensors(run / "ridge.safetensors", {"coef": learner.weights})
        _capture(team.me, run, model, course, {"penalty": penalty, "epochs": epochs})
        team.calendar.later(26)
    team.me.edit(model, {"primary_metric": "val_mse", "direction": "min"})
    team.me.set_alias(f"{model}@3", "production")


def _forest(team: Team, folder: Path) -> None:
    """Train what scikit-learn trains, where it is installed."""
    import joblib
    from sklearn.ensemble import RandomForestClassifier

    model = "vision/digits-forest"
    pictures, held_out = data.digits(240, 5), data.digits(200, 98)
    for trees in (5, 20):
        forest = RandomForestClassifier(n_estimators=trees, max_depth=8, random_state=1)
        forest.fit([x for x, _ in pictures], [y for _, y in pictures])
        accuracy = float(forest.score([x for x, _ in held_out], [y for _, y in held_out]))
        run = folder / f"trees-{trees}"
        run.mkdir(parents=True)
        joblib.dump(forest, run / "forest.joblib", compress=3)
        team.watcher.capture(
            run, model=model, metrics={"accuracy": accuracy}, params={"trees": trees, "depth": 8}
        )
        team.calendar.later(3)


class _Payload:
    """Pickles to a call of `print`: as harmless as foreign code can be."""

    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this file ran code when it was loaded",)


def _mystery(team: Team, folder: Path) -> None:
    """Capture a file that would run code when it is loaded, to show that it is told apart."""
    folder.mkdir(parents=True)
    (folder / "weights.pkl").write_bytes(pickle.dumps(_Payload()))
    team.me.capture(
        folder,
        model="inbox/mystery",
        tags={"quarantine": ""},
        description="Came by mail; look at its files before you load it",
    )


def _tuned(team: Team, folder: Path) -> None:
    """Leave a folder of checkpoints to a watcher; the last one was never written to its end."""
    model = "forecast/tuned"
    run = folder / "tuned"
    run.mkdir(parents=True)
    said = {"model": model, "directions": {"val_mse": "min"}}
    (run / "regtui.json").write_text(json.dumps(said), encoding="utf-8")
    weeks = data.sales(260, 3)
    states = []
    for epochs in (2, 4, 8, 16):
        learner = Ridge(data.LAGS)
        course = learner.train(weeks[:200], weeks[200:], epochs=epochs, rate=0.02, penalty=0.001)
        file = run / f"step-{course.steps[-1]}.safetensors"
        states.append(file)
        write_safetensors(file, {"coef": learner.weights})
        (run / "metrics.csv").write_text(course.csv(), encoding="utf-8")
    unfinished = run / f"step-{course.steps[-1] + 200}.safetensors"
    unfinished.write_bytes(file.read_bytes()[:-8])
    for minutes, one in enumerate((unfinished, *reversed(states)), start=1):
        written = time.time() - 60 * minutes  # a state counts as later by its date
        os.utime(one, (written, written))
    rule = WatchRule(path=str(folder), keep="best 2, last 1")
    team.watcher.watch([rule], tell=lambda _: None, once=True)
    team.me.add_watch_rule(rule)


def _capture(
    registry: Registry,
    run: Path,
    model: str,
    course: Course,
    params: dict[str, Any],
    **more: Any,
) -> None:
    names = [name for name in course.values if name != "loss"]
    metrics = {name: (course.final(name), course.steps[-1]) for name in names}
    (run / "metrics.csv").write_text(course.csv(), encoding="utf-8")
    series = parse_series(course.csv())
    registry.capture(run, model=model, metrics=metrics, params=params, series=series, **more)
