"""Learners: small models trained in plain Python, the same on every machine.

They learn for real (their curves are what happened), in a tenth of a second each, and need no
library. Everything random comes from a seed.
"""

import math
from collections.abc import Callable, Sequence
from operator import mul
from random import Random

from msgspec import Struct

Vector = list[float]
Example = tuple[Vector, int]


class Course(Struct, frozen=True):
    """What was measured while a model learned: a value by metric for each step."""

    steps: list[int]
    values: dict[str, list[float]]

    def final(self, name: str) -> float:
        """Return the last value of a metric."""
        return self.values[name][-1]

    def csv(self) -> str:
        """Return it as CSV, with a column `step`."""
        lines = [",".join(["step", *self.values])]
        for place, step in enumerate(self.steps):
            row = [f"{values[place]:.6g}" for values in self.values.values()]
            lines.append(",".join([str(step), *row]))
        return "\n".join(lines) + "\n"


class Softmax:
    """One weight vector a class, trained by stochastic gradient descent.

    Args:
        classes: How many classes.
        size: Length of an example.
        seed: What its first weights and the order of examples follow from.
    """

    def __init__(self, classes: int, size: int, seed: int) -> None:
        self._random = Random(seed)  # noqa: S311 -- no secret
        self.weights = [[self._random.gauss(0, 0.01) for _ in range(size)] for _ in range(classes)]
        self.biases = [0.0] * classes

    def train(  # noqa: PLR0913 -- what a trainer is usually told, by name
        self,
        examples: Sequence[Example],
        held_out: Sequence[Example],
        *,
        epochs: int,
        rate: float,
        decay: float = 0.0,
        frozen: bool = False,
    ) -> Course:
        """Learn from examples; return what was measured at each epoch.

        Args:
            examples: To learn from.
            held_out: To measure on.
            epochs: How often each example is seen.
            rate: The learning rate.
            decay: How much weights shrink at each step.
            frozen: Whether only the biases learn.
        """
        order = list(examples)
        course = Course([], {"loss": [], "val_loss": [], "accuracy": [], "f1": []})
        for epoch in range(1, epochs + 1):
            self._random.shuffle(order)
            lost = sum(self._learn(x, y, rate, decay, frozen=frozen) for x, y in order)
            course.steps.append(epoch * len(order))
            course.values["loss"].append(lost / len(order))
            for name, value in self.measure(held_out).items():
                course.values[name].append(value)
        return course

    def measure(self, examples: Sequence[Example]) -> dict[str, float]:
        """Return loss, accuracy and macro F1 on examples."""
        hits: list[tuple[int, int]] = []
        lost = 0.0
        for x, y in examples:
            shares = self._shares(x)
            lost -= math.log(max(shares[y], 1e-9))
            hits.append((shares.index(max(shares)), y))
        accuracy = sum(guess == truth for guess, truth in hits) / len(hits)
        scores = [_f1(hits, label) for label in range(len(self.biases))]
        return {
            "val_loss": lost / len(examples),
            "accuracy": accuracy,
            "f1": sum(scores) / len(scores),
        }

    def _learn(self, x: Vector, y: int, rate: float, decay: float, *, frozen: bool) -> float:
        shares = self._shares(x)
        for label, share in enumerate(shares):
            slope = rate * (share - (label == y))
            self.biases[label] -= slope
            if not frozen and abs(slope) > 1e-4:  # noqa: PLR2004 -- what is learned well is left
                keep = 1 - rate * decay
                weights = self.weights[label]
                self.weights[label] = [
                    w * keep - slope * v for w, v in zip(weights, x, strict=True)
                ]
        return -math.log(max(shares[y], 1e-9))

    def _shares(self, x: Vector) -> Vector:
        pairs = zip(self.weights, self.biases, strict=True)
        scores = [sum(map(mul, weights, x)) + bias for weights, bias in pairs]
        top = max(scores)
        powers = [math.exp(score - top) for score in scores]
        whole = sum(powers)
        return [power / whole for power in powers]


class Ridge:
    """Linear regression by gradient descent with a penalty on large weights."""

    def __init__(self, size: int) -> None:
        self.weights = [0.0] * size
        self.bias = 0.0

    def train(
        self,
        examples: Sequence[tuple[Vector, float]],
        held_out: Sequence[tuple[Vector, float]],
        *,
        epochs: int,
        rate: float,
        penalty: float,
    ) -> Course:
        """Learn from examples; return what was measured at each epoch."""
        course = Course([], {"mse": [], "val_mse": [], "mae": []})
        for epoch in range(1, epochs + 1):
            for x, y in examples:
                off = self.guess(x) - y
                self.bias -= rate * off
                self.weights = [
                    w - rate * (off * v + penalty * w) for w, v in zip(self.weights, x, strict=True)
                ]
            course.steps.append(epoch * len(examples))
            course.values["mse"].append(_mean(self._offs(examples), lambda off: off * off))
            course.values["val_mse"].append(_mean(self._offs(held_out), lambda off: off * off))
            course.values["mae"].append(_mean(self._offs(held_out), abs))
        return course

    def guess(self, x: Vector) -> float:
        """Return the value for an example."""
        return float(sum(map(mul, self.weights, x))) + self.bias

    def _offs(self, examples: Sequence[tuple[Vector, float]]) -> list[float]:
        return [self.guess(x) - y for x, y in examples]


def _mean(values: Sequence[float], of: Callable[[float], float]) -> float:
    return math.fsum(map(of, values)) / len(values)


def _f1(hits: Sequence[tuple[int, int]], label: int) -> float:
    right = sum(guess == truth == label for guess, truth in hits)
    wrong = sum((guess == label) != (truth == label) for guess, truth in hits)
    return 2.0 * right / (2.0 * right + wrong) if right else 0.0
