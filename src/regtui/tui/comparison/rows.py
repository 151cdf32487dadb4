"""Rows: several versions as one table, a column each, a section for each kind of value.

Every value is judged against the same row of one column, the baseline. Metrics are better or worse
by their direction, and the best of all columns is marked; everything else is the same, changed,
added or removed. Facts of the version itself (when, by whom) are not judged: they are no result.

Of files and tensors only those are rows that are not the same in all columns; their heading counts
the others. They come later than the values, so their cells may say that they are still compared.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from regtui.core import encoding
from regtui.registry.answers import VersionAnswer
from regtui.registry.diff import metric_change
from regtui.registry.figures import number_text, size_text
from regtui.registry.side_by_side import Side, Sides
from regtui.tui.comparison.content import Change, Content, Verdict

Contents = Sequence[Content | str | None]
"""By column: the content, why it could not be compared, or None while it is."""


class Cell(Struct, frozen=True, gc=False):
    """What a version has in a row.

    Attributes:
        text: The value; empty for none.
        verdict: What it is to the baseline's.
        change: The difference to the baseline, of a metric.
        more: What there is to say beside it.
        is_best: Whether it is the best of all columns.
        brief: The value in few characters, where that is another text.
    """

    text: str = ""
    verdict: Verdict = ""
    change: str = ""
    more: str = ""
    is_best: bool = False
    brief: str = ""


class Row(Struct, frozen=True, gc=False):
    """One line of the table.

    Attributes:
        section: Such as `metrics`.
        name: Of the value; empty for the heading of the section.
        cells: One a column.
        differs: Whether the columns are not all the same.
        direction: `max` or `min`, of a metric.
    """

    section: str
    name: str
    cells: tuple[Cell, ...]
    differs: bool = True
    direction: str = ""

    @property
    def is_heading(self) -> bool:
        """Whether it is the heading of its section."""
        return not self.name

    @property
    def id(self) -> str:
        """What the row is known by."""
        return f"{self.section}\0{self.name}"


def rows_of(sides: Sides, baseline: int, contents: Contents) -> list[Row]:
    """Return all rows.

    Args:
        sides: The versions.
        baseline: Place of the one that the others are compared with.
        contents: How the files and tensors of each differ from the baseline's.
    """
    columns = sides.sides
    found = _section("version", _facts(columns))
    found += _section("metrics", _metrics(sides, baseline))
    groups: tuple[tuple[str, Callable[[Side], Mapping[str, Any]]], ...] = (
        ("params", lambda side: side.version.params),
        ("tags", lambda side: side.version.tags),
        ("inputs", lambda side: side.version.inputs),
        ("context", lambda side: side.context),
        ("packages", lambda side: side.packages),
    )
    for section, of in groups:
        found += _section(section, _values(section, [of(side) for side in columns], baseline))
    return found + _content("files", baseline, contents) + _content("tensors", baseline, contents)


def differing(rows: Iterable[Row]) -> list[Row]:
    """Return the rows whose columns are not all the same, with the headings above them."""
    found: list[Row] = []
    heading: Row | None = None
    for row in rows:
        if row.is_heading:
            heading = row
            if row.differs:  # it says something by itself
                found.append(row)
                heading = None
        elif row.differs:
            if heading is not None:
                found.append(heading)
                heading = None
            found.append(row)
    return found


def place_of(rows: Sequence[Row], wanted: Row | None) -> int | None:
    """Return where a row of the same value stands; None where it doesn't."""
    if wanted is None:
        return None
    return next(
        (
            place
            for place, row in enumerate(rows)
            if row.name == wanted.name and row.section == wanted.section
        ),
        None,
    )


def titles(columns: Sequence[VersionAnswer]) -> list[str]:
    """Return what columns are called: by number alone where all are of one model."""
    is_one_model = len({version.model for version in columns}) == 1
    return [
        f"@{version.number}"
        if is_one_model and version.number is not None
        else version.reference
        for version in columns
    ]  # fmt: skip


def value_text(value: Any) -> str:
    """Return a value of params, context and the like as one line."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return " ".join(value_text(one) for one in value)
    return " ".join(str(value).split())


def _section(section: str, rows: list[Row]) -> list[Row]:
    """Return a section with its heading, which counts; nothing where it is empty."""
    if not rows:
        return []
    columns = range(len(rows[0].cells))
    cells = tuple(Cell(_counts(row.cells[place].verdict for row in rows)) for place in columns)
    return [Row(section, "", cells, differs=False), *rows]


def _counts(verdicts: Iterable[Verdict], same: int = 0) -> str:
    """Return how many are what, such as `+1 ~2 -3 =40`; empty where nothing is judged."""
    signs = {"better": "~", "worse": "~", "changed": "~", "added": "+", "removed": "-",
             "moved": ">", "unknown": "?", "same": "="}  # fmt: skip
    counts = dict.fromkeys("+~->?=", 0)
    for verdict, count in Counter(verdicts).items():
        if verdict:
            counts[signs[verdict]] += count
    counts["="] += same
    return " ".join(f"{sign}{count:,}" for sign, count in counts.items() if count)


def _facts(columns: Sequence[Side]) -> list[Row]:
    found = []
    for name, text in FACTS.items():
        cells = tuple(Cell(text(side.version)) for side in columns)
        if any(cell.text for cell in cells):
            found.append(Row("version", name, cells, differs=_differ(cell.text for cell in cells)))
    return found


FACTS: Mapping[str, Callable[[VersionAnswer], str]] = {
    "description": lambda version: value_text(version.description),
    "aliases": lambda version: " ".join(version.aliases),
    "state": lambda version: version.state,
    "created": lambda version: version.created[:16].replace("T", " "),
    "author": lambda version: version.author,
    "size": lambda version: size_text(version.size),
    "files": lambda version: f"{version.files:,}",
}
"""What every version has."""


def _metrics(sides: Sides, baseline: int) -> list[Row]:
    return [_metric(sides.sides, name, direction, baseline)
            for name, direction in sides.directions.items()]  # fmt: skip


def _metric(columns: Sequence[Side], name: str, direction: str, baseline: int) -> Row:
    values = [side.version.metrics.get(name) for side in columns]
    steps = [side.version.steps.get(name) for side in columns]
    best = _best(values, direction)
    entries = [{"value": value, "step": step} for value, step in zip(values, steps, strict=True)]
    cells = [
        _metric_cell(
            entry,
            None if place == baseline else entries[baseline],
            direction,
            is_best=best is not None and entry["value"] == best,
        )
        for place, entry in enumerate(entries)
    ]
    return Row(
        "metrics", name, tuple(cells), differs=_differ(map(_spelling, entries)), direction=direction
    )


def _metric_cell(
    entry: Mapping[str, Any], before: Mapping[str, Any] | None, direction: str, *, is_best: bool
) -> Cell:
    """Return a metric beside that of the baseline; None where it is the baseline's own."""
    value = entry["value"]
    step = "" if entry["step"] is None else f"step {entry['step']}"
    verdict: Verdict = ""
    delta = percent = ""
    if before is not None:
        verdict = _presence(before["value"], value)
        if verdict == "changed":
            change = metric_change(before, entry, direction)
            verdict = {True: "better", False: "worse", None: "changed"}[change["better"]]  # type: ignore[assignment]
            delta = "" if change["delta"] is None else f"{change['delta']:+.3g}"
            percent = "" if change["percent"] is None else f"{change['percent']:+.3g} %"
        elif verdict == "same" and before["step"] != entry["step"]:
            verdict = "changed"
    more = ", ".join(part for part in (percent, step) if part)
    brief = f"{value:.4g}" if isinstance(value, float | int) else ""
    return Cell(number_text(value), verdict, delta, more, is_best, brief)


def _best(values: Iterable[float | str | None], direction: str) -> float | str | None:
    """Return the best of the values; None where there is nothing to choose from."""
    known = [value for value in values if value is not None and value != "NaN"]
    if len(known) < 2 or len({encoding.untag_float(value) for value in known}) < 2:  # noqa: PLR2004
        return None
    choose = min if direction == "min" else max
    return choose(known, key=encoding.untag_float)


def _values(section: str, columns: Sequence[Mapping[str, Any]], baseline: int) -> list[Row]:
    names = sorted({name for column in columns for name in column})
    show = _input if section == "inputs" else value_text
    found = []
    for name in names:
        values = [column.get(name) for column in columns]
        cells = tuple(
            Cell(show(value), "" if place == baseline else _presence(values[baseline], value))
            for place, value in enumerate(values)
        )
        found.append(Row(section, name, cells, differs=_differ(map(_spelling, values))))
    return found


def _presence(before: Any, after: Any) -> Verdict:
    """Return what a plain value is to the baseline's."""
    if before is None or after is None:
        if before is None and after is None:
            return ""
        return "added" if before is None else "removed"
    return "same" if _spelling(before) == _spelling(after) else "changed"


def _spelling(value: Any) -> bytes:
    """Return what values are compared by: Python holds True and 1 to be equal."""
    return encoding.encode(value)


def _differ(values: Iterable[Any]) -> bool:
    return len(set(values)) > 1


def _input(value: Any) -> str:
    if value is None:
        return ""
    return str(value["uri"]) + (f" {value['digest'][:12]}" if value.get("digest") else "")


def _content(section: str, baseline: int, contents: Contents) -> list[Row]:
    """Return files or tensors that are not the same in all columns, with a heading."""
    is_files = section == "files"
    groups = [
        (content.files if is_files else content.tensors) if isinstance(content, Content) else {}
        for content in contents
    ]
    heading = Row(
        section,
        "",
        tuple(
            Cell() if place == baseline else Cell(_stage(content, group.values(), is_files))
            for place, (content, group) in enumerate(zip(contents, groups, strict=True))
        ),
        differs=any(
            not isinstance(content, Content) or (content.partial and not is_files)
            for place, content in enumerate(contents)
            if place != baseline
        ),
    )
    rows = _content_rows(section, baseline, groups)
    is_empty = not rows and not any(cell.text for cell in heading.cells)
    return [] if is_empty else [heading, *rows]


def _stage(content: Content | str | None, changes: Iterable[Change], is_files: bool) -> str:
    if content is None:
        return "comparing …"
    if isinstance(content, str):
        return content
    same = content.same_files if is_files else content.same_tensors
    text = _counts((change.verdict for change in changes), same)
    return text + " and more" if content.partial and not is_files else text


def _content_rows(section: str, baseline: int, groups: Sequence[Mapping[str, Change]]) -> list[Row]:
    before: dict[str, str] = {}
    for group in groups:
        before |= {name: change.before for name, change in group.items() if change.before}
    cells = _Cells()
    found = []
    for name in sorted(set().union(*groups)):
        text = before.get(name, "")
        missing = cells.same if text else cells.nothing
        line = [
            missing if (change := group.get(name)) is None else cells.of(change) for group in groups
        ]
        line[baseline] = cells.plain(text)
        found.append(Row(section, name, tuple(line)))
    return found


class _Cells:
    """Cells of changes: equal ones are one, for most of a hundred thousand are the same few."""

    same = Cell("", "same")
    nothing = Cell()

    def __init__(self) -> None:
        self._changes: dict[int, Cell] = {}
        self._plain: dict[str, Cell] = {}

    def of(self, change: Change) -> Cell:
        """Return the cell of a change, which lives longer than this."""
        found = self._changes.get(id(change))
        if found is None:
            is_hidden = change.verdict == "changed" and change.before == change.after
            more = "of other values" if is_hidden else ""
            found = self._changes[id(change)] = Cell(change.after, change.verdict, more=more)
        return found

    def plain(self, text: str) -> Cell:
        """Return the cell of what the baseline has."""
        return self._plain.get(text) or self._plain.setdefault(text, Cell(text))
