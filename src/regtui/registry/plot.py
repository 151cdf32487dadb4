"""Plot: the points of a metric, of versions or over the versions of models.

A version that holds a series of the metric gives a curve over its steps. Where none of them does,
the metric's values are drawn over the versions themselves.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from regtui.core import encoding
from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.registry.answers_compare import Curve, PlotAnswer, VersionName, version_name
from regtui.registry.context import Context
from regtui.registry.lookups import model_names
from regtui.registry.references import find_model, find_version, parse
from regtui.registry.series import read_series, split_key
from regtui.replica.database import Connection

SHOWN = 5
"""Names of metrics that an error lists."""


class _Version(Struct, frozen=True):
    document: Document
    name: VersionName

    def series(self) -> list[tuple[str | None, str, str]]:
        """Return run, tag and digest of its series."""
        entries = self.document.entries("series").items()
        return [(*split_key(key), digest) for key, digest in sorted(entries)]


def plot(context: Context, references: Sequence[str], metric: str | None = None) -> PlotAnswer:
    """Return the points of a metric.

    Args:
        context: The registry.
        references: Versions, or models: one line over all captured versions of each.
        metric: Its name; None for the primary metric of the first one's model.

    Raises:
        NotFound: There is no such model or version, or none of them has the metric.
        BadInput: A reference is malformed, models and versions are mixed, or no metric is chosen.
    """
    kinds = {parse(reference).kind == "model" for reference in references}
    if not kinds:
        raise BadInput("there is nothing to plot", "name versions or models")
    if len(kinds) > 1:
        raise BadInput("models and versions can't be plotted together", "name either kind")
    with context.reading() as connection:
        if kinds == {True}:
            return _over_versions(connection, references, metric)
        return _of_versions(connection, references, metric)


def _over_versions(
    connection: Connection, references: Sequence[str], metric: str | None
) -> PlotAnswer:
    models = dict(find_model(connection, reference) for reference in references)
    chosen = _chosen(metric, next(iter(models.values())), references[0])
    rows = connection.execute(
        "select v.model, v.number, v.id::varchar, t.value from base.version v "
        "join base.metric t on t.version = v.key "
        "where v.model in (select unnest(?::bigint[])) and v.state = 'captured' and t.name = ? "
        "order by v.model, v.number nulls last, v.key",
        [list(models), chosen],
    ).fetchall()
    lines, missing = [], []
    for key, document in models.items():
        name = str(document.value("name"))
        own = [(number, identity, value) for model, number, identity, value in rows if model == key]
        if own:
            lines.append(_line(name, own))
        else:
            missing.append(name)
    if not lines:
        raise _unknown(chosen, _metrics_of(connection, list(models)))
    return PlotAnswer(metric=chosen, x="number", lines=lines, missing=missing)


def _line(model: str, points: list[tuple[int | None, str, float]]) -> Curve:
    """Return the line of a model; versions without a number yet stand behind the others."""
    x: list[int] = []
    for number, _, _ in points:
        x.append(number if number is not None else x[-1] + 1 if x else 1)
    return Curve(
        name=model,
        model=model,
        version=None,
        run=None,
        x=x,
        y=[encoding.tag_float(value) for _, _, value in points],
        versions=[_reference(model, number, identity) for number, identity, _ in points],
    )


def _reference(model: str, number: int | None, identity: str) -> str:
    if number is not None:
        return f"{model}@{number}"
    return ":" + identity.replace("-", "")[:10]


def _of_versions(
    connection: Connection, references: Sequence[str], metric: str | None
) -> PlotAnswer:
    documents = [find_version(connection, reference)[1] for reference in references]
    documents = list({one.id: one for one in documents}.values())
    names = model_names(connection, {one.facts["model"] for one in documents})
    versions = [_Version(one, version_name(one, names[one.facts["model"]])) for one in documents]
    first = find_model(connection, versions[0].name.model)[1] if metric is None else None
    chosen = _chosen(metric, first, versions[0].name.model)
    curves = _curves(connection, versions, chosen)
    if not curves:
        return _values(versions, chosen)
    drawn = {line.version for line in curves}
    rest = [one for one in versions if one.name.reference not in drawn]
    points = [line for one in rest if (line := _point(one, chosen)) is not None]
    drawn |= {line.version for line in points}
    return PlotAnswer(
        metric=chosen,
        x="step",
        lines=curves + points,
        missing=[one.name.reference for one in rest if one.name.reference not in drawn],
    )


def _curves(connection: Connection, versions: list[_Version], metric: str) -> list[Curve]:
    """Return the series of a metric, one line a version and run, in the order of the versions."""
    wanted = [
        (version, run, digest)
        for version in versions
        for run, tag, digest in version.series()
        if tag == metric
    ]
    if not wanted:
        return []
    found = read_series(connection, {digest for _, _, digest in wanted})
    several = len(wanted) > len({version.name.id for version, _, _ in wanted})
    return [
        Curve(
            name=version.name.reference + (f" {run}" if several and run else ""),
            model=version.name.model,
            version=version.name.reference,
            run=run,
            x=list(found[digest].steps),
            y=[encoding.tag_float(value) for value in found[digest].values],
            versions=None,
        )
        for version, run, digest in wanted
        if digest in found
    ]


def _point(version: _Version, metric: str) -> Curve | None:
    """Return a version's value at its step, to stand beside the curves of others."""
    value = version.document.entries("metrics").get(metric)
    if value is None or value.get("step") is None:
        return None
    return Curve(
        name=version.name.reference,
        model=version.name.model,
        version=version.name.reference,
        run=None,
        x=[value["step"]],
        y=[value["value"]],
        versions=None,
    )


def _values(versions: list[_Version], metric: str) -> PlotAnswer:
    """Return one line over the versions themselves: by number where they are of one model."""
    have = [one for one in versions if metric in one.document.entries("metrics")]
    if not have:
        raise _unknown(metric, {n for one in versions for n in _names(one)})
    by_number = len({one.name.model for one in have}) == 1 and all(
        one.name.number is not None for one in have
    )
    if by_number:
        have.sort(key=lambda one: one.name.number or 0)
    line = Curve(
        name=have[0].name.model if by_number else metric,
        model=have[0].name.model,
        version=None,
        run=None,
        x=[(one.name.number or 0) if by_number else at for at, one in enumerate(have, start=1)],
        y=[one.document.entries("metrics")[metric]["value"] for one in have],
        versions=[one.name.reference for one in have],
    )
    return PlotAnswer(
        metric=metric,
        x="number" if by_number else "version",
        lines=[line],
        missing=[one.name.reference for one in versions if one not in have],
    )


def _names(version: _Version) -> set[str]:
    return {*version.document.entries("metrics"), *(tag for _, tag, _ in version.series())}


def _metrics_of(connection: Connection, models: list[int]) -> set[str]:
    rows = connection.execute(
        "select distinct t.name from base.metric t join base.version v on v.key = t.version "
        "where v.model in (select unnest(?::bigint[])) and v.state = 'captured'",
        [models],
    ).fetchall()
    return {row[0] for row in rows}


def _chosen(metric: str | None, model: Document | None, name: str) -> str:
    if metric is not None:
        return metric
    primary = None if model is None else model.value("primary_metric")
    if primary is None:
        raise BadInput(
            f"{name!r} has no primary metric, so one has to be named", "such as --metric loss"
        )
    return str(primary)


def _unknown(metric: str, known: Iterable[str]) -> NotFound:
    from difflib import get_close_matches

    names = sorted(known)
    near = get_close_matches(metric, names, n=SHOWN, cutoff=0.5)
    hint = "they have no metrics at all"
    if near:
        hint = f"did you mean {', '.join(near)}?"
    elif names:
        hint = f"there are {', '.join(names[:SHOWN])}" + (", …" if len(names) > SHOWN else "")
    return NotFound(f"none of them has the metric {metric!r}", hint)
