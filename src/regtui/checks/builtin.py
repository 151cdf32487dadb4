"""The checks that are built in: what they find in what is known of a version.

They take values and tell an outcome, with a line for everything that is wrong; whoever runs them
has read the files, the card and the metrics (`regtui.registry.check_builtins`).
"""

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct

from regtui.checks.command import Ended
from regtui.core import encoding
from regtui.core.card import card_field
from regtui.formats.layout import HARMLESS
from regtui.formats.values import Facts

_DEGREES = {
    "dangerous": "would run foreign code when it is loaded",
    "needs-classes": "runs code of libraries when it is loaded",
    "unread": "is not understood, so nothing can be said of it",
}
_BESIDE = frozenset(
    {
        "arrow", "csv", "elf", "gif", "jpeg", "json", "mach-o", "markdown", "parquet", "pe", "png",
        "python", "script", "text", "toml", "unknown", "wasm", "xml", "yaml", "zip",
    }
)  # fmt: skip
"""Formats of what lies beside models."""

_LINES = 200


class Figure(Struct, frozen=True):
    """A metric of two versions.

    Attributes:
        name: Of the metric.
        direction: `max` or `min`, whichever is better.
        value: Of the version; None without one.
        other: Of the one to compare with; None without one.
    """

    name: str
    direction: str
    value: float | None
    other: float | None


def files_intact(files: int, damaged: Sequence[tuple[str, str]]) -> Ended:
    """Every stored byte is what it was.

    Args:
        files: How many were read.
        damaged: Which are not, each with what is wrong.
    """
    wrong = [f"{path}: {problem}" for path, problem in damaged]
    return _ended(wrong, f"{files} stored files are what they were")


def safe_files(files: Mapping[str, Facts]) -> Ended:
    """No file runs code when it is loaded.

    Args:
        files: What is known of each, by its path.
    """
    wrong = [
        f"{path}: {one.format}, {_DEGREES[one.safety]}{_names(one)}"
        for path, one in files.items()
        if one.safety not in HARMLESS
    ]
    told = "its file runs" if len(files) == 1 else f"its {len(files)} files run"
    return _ended(wrong, f"{told} no code when loaded")


def loads(files: Mapping[str, Facts]) -> Ended:
    """Every model file is whole, and can be read to its end.

    Args:
        files: What stands in each, by its path.
    """
    models = {path: one for path, one in files.items() if one.format not in _BESIDE}
    wrong = [f"{path}: {told}" for path, one in models.items() if (told := _unloadable(one))]
    wrong += [
        f"{path}: {one.problem}"
        for path, one in files.items()
        if path not in models and one.safety == "unread" and one.problem
    ]
    if not models and not wrong:
        wrong = ["there is no model file in it"]
    return _ended(wrong, f"{len(models)} model files can be read to their end")


def card_complete(card: str | None, needs: Sequence[str]) -> Ended:
    """The model has a card, with fields in its front matter.

    Args:
        card: The card; None without one.
        needs: The fields, as dotted paths.
    """
    if not card or not card.strip():
        return _ended(["there is no card; `regtui edit MODEL` writes one"], "")
    empty = [path for path in needs if card_field(card, path) in (None, "", [], {})]
    wrong = [f"{path} is empty" for path in empty]
    return _ended(wrong, f"the card has {', '.join(needs) if needs else 'a text'}")


def metric_regression(figures: Sequence[Figure], against: str, tolerance: float) -> Ended:
    """No metric is worse than that of another version.

    Args:
        figures: Of both versions.
        against: What the other one is called.
        tolerance: By how much they may be worse.
    """
    wrong, right = [], []
    for one in figures:
        told = f"{one.name} {_text(one.value)}, {against} has {_text(one.other)}"
        if one.value is None:
            wrong.append(f"{one.name} is not known of this version")
        elif math.isnan(one.value):
            wrong.append(f"{told}: not a number")
        elif one.other is None:
            right.append(f"{told}: nothing to compare with")
        elif not _holds(one, one.value, one.other, tolerance):
            wrong.append(f"{told}: worse by more than {tolerance:g} ({one.direction} is better)")
        else:
            right.append(told)
    ended = _ended(wrong, "")
    measured = {one.name: one.value for one in figures}
    measured |= {f"{one.name}_against": one.other for one in figures}
    return Ended(
        outcome=ended.outcome,
        reason=ended.reason,
        log="".join(f"{line}\n" for line in [*wrong, *right]),
        figures={k: encoding.tag_float(v) for k, v in measured.items() if v is not None},
    )


def _holds(one: Figure, value: float, other: float, tolerance: float) -> bool:
    """Tell whether a value is good enough; with a NaN on either side it is not."""
    return value <= other + tolerance if one.direction == "min" else value >= other - tolerance


def _ended(wrong: Sequence[str], right: str) -> Ended:
    if not wrong:
        return Ended(outcome="passed", log=f"{right}\n" if right else "")
    more = len(wrong) - _LINES
    lines = [*wrong[:_LINES], *([f"and {more} more"] if more > 0 else [])]
    reason = wrong[0] if len(wrong) == 1 else f"{wrong[0]}, and {len(wrong) - 1} more"
    return Ended(outcome="failed", reason=reason, log="".join(f"{one}\n" for one in lines))


def _unloadable(one: Facts) -> str:
    if one.complete is False:
        return f"{one.format}, cut off before its end"
    if one.safety == "unread":
        return f"{one.format}, {one.problem or 'not understood'}"
    return f"{one.format}, {one.problem}" if one.problem and one.safety != "dangerous" else ""


def _names(one: Facts) -> str:
    shown = ", ".join(one.globals[:3])
    return f" ({shown}{', …' if len(one.globals) > 3 else ''})" if shown else ""  # noqa: PLR2004


def _text(value: float | None) -> str:
    return "none" if value is None else f"{value:.6g}"
