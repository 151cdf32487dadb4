"""What the files of a run say about one version: its metrics, parameters, curves and origins.

Readers answer `Findings`, the watcher merges those of all readers of a unit (`merged`) and makes
them fit the registry (`fitting`). Nothing here reads anything.

Names stay as the trainer writes them. NaN and infinities are values like others.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Final, Literal, TypeVar

from msgspec import Struct, structs

from regtui.capture.redaction import HIDDEN, redacted
from regtui.formats.values import Value

POINTS_LIMIT: Final = 50_000
"""Points of one curve; as text it then stays below what the registry keeps of a series (4 MiB)."""

CURVES_LIMIT: Final = 1_000
METRICS_LIMIT: Final = 2_000
PARAMS_LIMIT: Final = 2_000
TAGS_LIMIT: Final = 200
ORIGINS_LIMIT: Final = 100
"""Parents, and datasets."""

NAME_LIMIT: Final = 300
"""Characters of a name; the registry puts a run before some of them."""

TEXT_LIMIT: Final = 4_096
"""Characters of one parameter or tag."""

TEXTS_LIMIT: Final = 256 << 10
"""Characters of all parameters, or all tags, with their names: they go into one operation."""

DESCRIPTION_LIMIT: Final = 32 << 10
PROBLEMS_LIMIT: Final = 50

Direction = Literal["min", "max"]
ParentKind = Literal["base", "resumed", "equal-tensors"]
Measured = tuple[float, int | None]
"""A value and the step that it was taken at."""

_INTEGERS = 1 << 53  # beyond it, no reader of JSON agrees with another
_T = TypeVar("_T")


class Curve(Struct, frozen=True):
    """The values of one metric over the steps of a run.

    Attributes:
        steps: Increasing.
        values: One a step.
        times: Microseconds since the epoch, one a step; None where they are not known.
    """

    steps: tuple[int, ...]
    values: tuple[float, ...]
    times: tuple[int, ...] | None = None


class ParentHint(Struct, frozen=True):
    """What a version was made from, as the trainer names it.

    Attributes:
        reference: A path, a name on a hub, the name of another checkpoint of the run, or the hex
            digest of a file.
        kind: `base`: the weights that were fine-tuned; `resumed`: the state that the run went on
            from; `equal-tensors`: a version that shares weights.
    """

    reference: str
    kind: ParentKind


class Findings(Struct, frozen=True, kw_only=True):
    """What is known of one version; whatever no file tells is None or empty.

    Attributes:
        step: The step that the state was saved at.
        metrics: Value and step, by name.
        directions: Which way a metric is better, where the trainer says so.
        params: Flat; keys as the trainer names them, joined by dots.
        series: Curves up to the state, by name.
        tags: Short texts by key.
        parents: What it was made from.
        inputs: URI by name of a dataset.
        model: The name that it should be registered under.
        run: The name of its training run.
        description: Text for people.
        problems: What could not be read, one sentence each.
    """

    step: int | None = None
    metrics: dict[str, Measured] = {}
    directions: dict[str, Direction] = {}
    params: dict[str, Value] = {}
    series: dict[str, Curve] = {}
    tags: dict[str, str] = {}
    parents: tuple[ParentHint, ...] = ()
    inputs: dict[str, str] = {}
    model: str | None = None
    run: str | None = None
    description: str | None = None
    problems: tuple[str, ...] = ()


def merged(findings: Iterable[Findings]) -> Findings:
    """Return what several readers found, as one; who comes first counts where they disagree."""
    whole = Findings()
    for one in findings:
        whole = Findings(
            step=_first(whole.step, one.step),
            metrics=_joined(whole.metrics, one.metrics),
            directions=_joined(whole.directions, one.directions),
            params=_joined(whole.params, one.params),
            series=_joined(whole.series, one.series),
            tags=_joined(whole.tags, one.tags),
            parents=tuple(dict.fromkeys((*whole.parents, *one.parents))),
            inputs=_joined(whole.inputs, one.inputs),
            model=_first(whole.model, one.model),
            run=_first(whole.run, one.run),
            description=_first(whole.description, one.description),
            problems=tuple(dict.fromkeys((*whole.problems, *one.problems))),
        )
    return whole


def fitting(findings: Findings) -> Findings:
    """Return findings that the registry takes; what had to give way is a problem.

    Names lose their control characters and what is beyond `NAME_LIMIT`, texts what is beyond
    theirs, curves every so many points. Numbers that JSON can't say become texts in `params`.
    Secrets that can be recognised are hidden: trainers write their tokens into their arguments.
    """
    problems: list[str] = []
    metrics = _named("metrics", findings.metrics, METRICS_LIMIT, problems)
    series = _named("curves", findings.series, CURVES_LIMIT, problems)
    params = _named("parameters", findings.params, PARAMS_LIMIT, problems)
    tags = _named("tags", findings.tags, TAGS_LIMIT, problems)
    inputs = _named("datasets", findings.inputs, ORIGINS_LIMIT, problems)
    if len(findings.parents) > ORIGINS_LIMIT:
        problems.append(_left_out(len(findings.parents), "parents", ORIGINS_LIMIT))
    found = structs.replace(
        findings,
        step=_counted(findings.step),
        metrics={name: (value, _counted(step)) for name, (value, step) in metrics.items()},
        directions={_name(key): way for key, way in findings.directions.items()},
        series={name: thinned(curve) for name, curve in series.items()},
        params=_short(
            "parameters", {key: _plain(value) for key, value in params.items()}, problems
        ),
        tags=_short("tags", tags, problems),
        parents=findings.parents[:ORIGINS_LIMIT],
        inputs={key: redacted(_text(uri)) for key, uri in inputs.items()},
        description=_described(findings.description),
    )
    problems += [
        f"the curve {name!r} has {len(series[name].steps):,} points; {len(curve.steps):,} are kept"
        for name, curve in found.series.items()
        if len(curve.steps) < len(series[name].steps)
    ]
    shown = (*findings.problems, *problems)
    return structs.replace(found, problems=tuple(_text(one) for one in shown[:PROBLEMS_LIMIT]))


def thinned(curve: Curve, limit: int = POINTS_LIMIT) -> Curve:
    """Return a curve of at most `limit` points, evenly chosen; its last point stays."""
    count = len(curve.steps)
    if count <= limit:
        return curve
    stride = -(-count // limit)
    chosen = slice((count - 1) % stride, None, stride)
    times = None if curve.times is None else curve.times[chosen]
    return Curve(curve.steps[chosen], curve.values[chosen], times)


def until(curve: Curve, step: int | None) -> Curve:
    """Return a curve up to a step, that step included; the whole curve where it is None."""
    if step is None or not curve.steps or curve.steps[-1] <= step:
        return curve
    end = sum(1 for one in curve.steps if one <= step)
    times = None if curve.times is None else curve.times[:end]
    return Curve(curve.steps[:end], curve.values[:end], times)


def last_values(series: Mapping[str, Curve]) -> dict[str, Measured]:
    """Return the last point of each curve, as a metric."""
    return {
        name: (curve.values[-1], curve.steps[-1]) for name, curve in series.items() if curve.steps
    }


def _first(earlier: _T | None, later: _T | None) -> _T | None:
    return later if earlier is None else earlier


def _joined(earlier: Mapping[str, _T], later: Mapping[str, _T]) -> dict[str, _T]:
    """Return the entries of both, the earlier ones first; their values count."""
    return {**earlier, **later, **earlier}


def _named(kind: str, entries: Mapping[str, _T], limit: int, problems: list[str]) -> dict[str, _T]:
    """Return at most `limit` entries, under names that the registry takes."""
    named: dict[str, _T] = {}
    for name, value in entries.items():
        key = _name(name)
        if key and (len(named) < limit or key in named):
            named.setdefault(key, value)
    if len(entries) > limit:
        problems.append(_left_out(len(entries), kind, limit))
    return named


def _left_out(count: int, kind: str, kept: int) -> str:
    return f"it has {count:,} {kind}; {kept:,} are kept"


def _short(kind: str, entries: Mapping[str, _T], problems: list[str]) -> dict[str, _T]:
    """Return the entries, each text cut, whose texts together stay within the limit."""
    left = TEXTS_LIMIT
    kept: dict[str, _T] = {}
    for key, value in entries.items():
        short = _hidden(key, _text(value)) if isinstance(value, str) else value
        left -= len(key) + (len(short) if isinstance(short, str) else 8)
        if left < 0:
            problems.append(_left_out(len(entries), kind, len(kept)))
            break
        kept[key] = short  # type: ignore[assignment]
    return kept


def _hidden(name: str, text: str) -> str:
    """Return a text without secrets, nothing of it where its name says that it is one."""
    is_secret = text and redacted(f"{name}=x") != f"{name}=x"
    return HIDDEN if is_secret else redacted(text)


def _plain(value: Value) -> Value:
    """Return a value that JSON can say, with the numbers that it can't as texts."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _INTEGERS:
        return hex(value)[:NAME_LIMIT]
    return value


def _counted(step: int | None) -> int | None:
    return step if step is not None and abs(step) < _INTEGERS else None


def _name(text: str) -> str:
    printed = "".join(" " if ord(one) < 32 or 127 <= ord(one) < 160 else one for one in text)  # noqa: PLR2004
    return _text(printed.strip())[:NAME_LIMIT]


def _text(text: str) -> str:
    clean = text if text.isascii() else text.encode("utf-8", "replace").decode()
    return clean if len(clean) <= TEXT_LIMIT else clean[: TEXT_LIMIT - 1] + "…"


def _described(text: str | None) -> str | None:
    if text is None:
        return None
    return redacted(text.encode("utf-8", "replace").decode()[:DESCRIPTION_LIMIT])
