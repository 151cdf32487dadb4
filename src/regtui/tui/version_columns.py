"""The columns of a list of versions: which there are, and what each shows."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from regtui.core.query.text import quote
from regtui.registry.answers import VersionAnswer
from regtui.registry.figures import age_text, number_text, size_text
from regtui.registry.production_marks import Marks
from regtui.tui.signs import signs, sparkline
from regtui.tui.widgets.virtual_table import Column, Painted

DEFAULT = (
    "number", "model", "aliases", "live", "metrics", "age", "author", "size", "state", "tags",
)  # fmt: skip
"""What is shown unless a person chose; `metrics` stands for those that matter here."""

SHOWN_METRICS = 3


class VersionRow(Struct, frozen=True, kw_only=True):
    """A version with what its row shows beside it.

    Attributes:
        version: The version.
        course: Values of the leading metric over the versions up to this one, by age.
        is_best: Whether it has the best value of its model's primary metric.
    """

    version: VersionAnswer
    course: tuple[float, ...] = ()
    is_best: bool = False


def row_id(row: VersionRow) -> str:
    """Return what a row is known by."""
    return row.version.id


def leading_metrics(
    versions: Iterable[VersionAnswer], primary: str | None, limit: int = SHOWN_METRICS
) -> list[str]:
    """Return the metrics that matter in a list: the primary one, then those that most have."""
    counts = Counter(name for version in versions for name in version.metrics)
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    found = ([primary] if primary else []) + [name for name in ordered if name != primary]
    return found[:limit]


def columns(
    chosen: Sequence[str], metrics: Sequence[str], *, one_model: bool, marks: Marks | None = None
) -> list[Column]:
    """Return the columns to show.

    Args:
        chosen: Their keys; `metrics` stands for the leading ones, `metric.NAME`, `param.NAME` and
            `tag.NAME` for one each. Keys that are unknown are left out.
        metrics: The leading metrics.
        one_model: Whether all versions are of one model, which then needs no column.
        marks: What is live and asked for; where nothing is, there is no column for it.
    """
    found: list[Column] = []
    for key in chosen:
        if key == "model" and one_model:
            continue
        if key == "live":
            found += [_live(marks)] if marks else []
        elif key == "metrics":
            found += [
                _metric(name, with_course=one_model and n == 0) for n, name in enumerate(metrics)
            ]
            if one_model and metrics:
                found.append(Column("course", "", 8, _course))
        elif "." in key and (made := _named(key)) is not None:
            found.append(made)
        elif key in PLAIN:
            found.append(PLAIN[key])
    return found or [PLAIN["number"]]


def unknown(chosen: Iterable[str]) -> list[str]:
    """Return the keys that are those of no column."""
    return [key for key in chosen if key not in {"metrics", *PLAIN} and _named(key) is None]


def choices(versions: Iterable[VersionAnswer]) -> dict[str, str]:
    """Return every column that these versions could show: heading by key."""
    found = {key: column.title or key for key, column in PLAIN.items()}
    found["metrics"] = "the metrics that matter"
    for version in versions:
        found |= {f"metric.{name}": f"metric {name}" for name in version.metrics}
        found |= {f"param.{name}": f"param {name}" for name in version.params}
        found |= {f"tag.{name}": f"tag {name}" for name in version.tags}
    return found


def _number(row: VersionRow) -> Painted:
    version = row.version
    text = version.short_id if version.number is None else f"@{version.number}"
    return (text + signs().best, "accent") if row.is_best else text + " "


def _model(row: VersionRow) -> Painted:
    return row.version.model, "primary"


def _aliases(row: VersionRow) -> Painted:
    version = row.version
    names = [
        name + (signs().conflict if name in version.contested else "") for name in version.aliases
    ]
    return " ".join(names), "error" if version.contested else "accent"


def _state(row: VersionRow) -> Painted:
    state = row.version.state
    return ("", "") if state == "captured" else (state, "warning")


def _tags(row: VersionRow) -> Painted:
    return pairs(row.version.tags), "dim"


def _course(row: VersionRow) -> Painted:
    return sparkline(list(row.course)), "primary"


def pairs(tags: Mapping[str, str]) -> str:
    """Return tags as one line."""
    return " ".join(f"{name}={value}" if value else name for name, value in sorted(tags.items()))


PLAIN: dict[str, Column] = {
    "number": Column("number", "Version", 8, _number, "right", sort="number"),
    "model": Column("model", "Model", 18, _model, sort="model", stretch=2),
    "aliases": Column("aliases", "Aliases", 12, _aliases, stretch=1),
    "live": Column("live", "Live", 12, lambda _: "", stretch=1),
    "age": Column(
        "age", "Age", 5, lambda r: (age_text(r.version.created), "dim"), "right", "created"
    ),
    "created": Column(
        "created", "Created", 16, lambda r: r.version.created[:16].replace("T", " "), sort="created"
    ),
    "author": Column("author", "Author", 8, lambda r: r.version.author, sort="author"),
    "size": Column("size", "Size", 9, lambda r: size_text(r.version.size), "right", sort="size"),
    "files": Column("files", "Files", 5, lambda r: str(r.version.files), "right", sort="files"),
    "state": Column("state", "State", 8, _state, sort="state"),
    "tags": Column("tags", "Tags", 10, _tags, stretch=2),
    "description": Column(
        "description", "Description", 12, lambda r: r.version.description or "", stretch=3
    ),
    "source": Column("source", "Source", 12, lambda r: (r.version.source or "", "dim"), stretch=2),
    "id": Column("id", "Id", 11, lambda r: (r.version.short_id, "dim")),
    "digest": Column("digest", "Digest", 12, lambda r: (r.version.digest[:12], "dim")),
}


def _live(marks: Marks) -> Column:
    def paint(row: VersionRow) -> Painted:
        return live_text(marks.live.get(row.version.id, ()), marks.asked.get(row.version.id, 0))

    return Column("live", "Live", 12, paint, stretch=1)


def live_text(environments: Sequence[str], asked: int) -> Painted:
    """Return where a version is live, and how many requests are open for it."""
    parts = [f"{signs().unknown}{asked}"] if asked else []
    parts += [f"{signs().live} {', '.join(environments)}"] if environments else []
    return " ".join(parts), "success" if environments else "warning"


def _metric(name: str, *, with_course: bool = False) -> Column:
    def paint(row: VersionRow) -> Painted:
        value = row.version.metrics.get(name)
        if value is None:
            return ""
        if isinstance(value, str):
            return value, "error"
        text = f"{value:.4g}"  # in a list, differences matter more than digits
        return (text, "success") if row.is_best and with_course else text

    return Column(
        f"metric.{name}",
        name,
        max(8, min(len(name), 12)),
        paint,
        "right",
        f"metric.{_quoted(name)}",
    )


def _named(key: str) -> Column | None:
    kind, _, name = key.partition(".")
    if not name:
        return None
    if kind == "metric":
        return _metric(name)
    if kind == "param":
        return Column(
            key, name, 10, lambda row: _plain(row.version.params.get(name)), "right",
            f"param.{_quoted(name)}",
        )  # fmt: skip
    if kind == "tag":
        return Column(key, name, 10, lambda row: row.version.tags.get(name, ""))
    return None


def _plain(value: object) -> str:
    if isinstance(value, float) and not isinstance(value, bool) and math.isfinite(value):
        return number_text(value)
    return "" if value is None else str(value)


def _quoted(name: str) -> str:
    is_plain = all(char.isalnum() or char in "_-/" for char in name)
    return name if is_plain else quote(name)
