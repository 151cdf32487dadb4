"""Metrics: what each is, against the best, the version before and the leading alias; its curve.

The curve is that of the metric under the cursor: of all runs of which the version holds a series,
else its values over the versions of the model. In a room too small for axes it is a sparkline.
"""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult

from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_compare import Curve, PlotAnswer
from regtui.registry.courses import course
from regtui.registry.standing import Place, Standing, standing
from regtui.tui.background import start
from regtui.tui.differences import difference, metric_of, value_text
from regtui.tui.key_names import key_of
from regtui.tui.reader import Superseded
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.curves import Curves
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import TALL, WIDE, TableTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

SPAN = 400
"""Versions that a curve over versions shows at most."""

KEPT = 32
"""Plots that are kept, so that moving between metrics reads each once."""


class Row(Struct, frozen=True, kw_only=True):
    """One metric.

    Attributes:
        name: What it is called.
        place: How its value stands; None where there is only a series of it.
        step: Of the value.
        before: What the version before has.
        holder: What the version has that the leading alias points to.
        is_primary: Whether it decides which version is best.
        has_curve: Whether there is a series of it.
    """

    name: str
    place: Place | None
    step: int | None
    before: float | None
    holder: float | None
    is_primary: bool
    has_curve: bool


class MetricsTab(TableTab):
    """Table and curve."""

    NAME = "metrics"
    DEFAULT_CSS = """
    MetricsTab {
        layout: vertical;
        & VirtualTable { height: 1fr; }
        & Curves { height: 1; padding: 0 1; }
        &.-tall VirtualTable { height: auto; max-height: 45%; min-height: 4; }
        &.-tall Curves { height: 1fr; }
        &.-wide { layout: horizontal; }
        &.-wide VirtualTable { width: 5fr; max-width: 72; height: 1fr; max-height: 100%; }
        &.-wide Curves { width: 4fr; height: 1fr; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._standing: Standing | None = None
        self._plots: dict[str, PlotAnswer] = {}

    def compose(self) -> ComposeResult:
        """Compose table and curve."""
        yield VirtualTable[Row](row_id=lambda row: row.name)
        yield Curves()

    @property
    def curves(self) -> Curves:
        """The picture."""
        return self.query_one(Curves)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version; the cursor stays on the metric."""
        found = await self.read(lambda registry: standing(registry.context, exact(version)))
        self._standing = found
        self._plots.clear()
        rows = _rows(found)
        key = key_of(self.regtui, "versions.edit")
        self.table.empty = f"no metrics yet: {key} in the list of versions adds some"
        self.table.show_columns(_columns(found, rows))
        show_again(self.table, rows, lambda row: row.name)  # which tells what is under the cursor

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._standing = None
        super().clear(note)
        self.curves.clear()

    def smooth(self) -> None:
        """Smooth the curves more, then not at all."""
        self.curves.smooth()
        self._tell_look()

    def zoom(self, by: int) -> None:
        """Show less of the curves' beginning, or more."""
        self.curves.zoom(by)
        self._tell_look()

    def _tell_look(self) -> None:
        self.app.notify(f"curves: {self.curves.look or 'as they are'}", timeout=2)

    @on(VirtualTable.Highlighted)
    def _other_metric(self, event: VirtualTable.Highlighted) -> None:
        if self._standing is None or event.row is None:
            self.curves.clear()
        else:
            start(self, self._follow, group="curve")

    def on_resize(self, event: events.Resize) -> None:
        """Put table and picture where there is room for them."""
        is_wide = event.size.width >= WIDE
        self.set_class(is_wide, "-wide")
        self.set_class(not is_wide and event.size.height >= TALL, "-tall")

    async def _follow(self) -> None:
        try:
            await self._show_curve()
        except Superseded:
            return
        except RegtuiError as error:
            self.curves.clear(error.message)

    async def _show_curve(self) -> None:
        found, row = self._standing, self.table.current
        if found is None or row is None:
            return
        answer = self._plots.get(row.name)
        if answer is None:
            answer = await self.read(lambda registry: _plot(registry, found, row), lane="curve")
            if self._standing is not found:
                return
            while len(self._plots) >= KEPT:
                self._plots.pop(next(iter(self._plots)))
            self._plots[row.name] = answer
        if answer.lines:
            self.curves.show(answer)
        else:
            self.curves.clear("no curve: this is the only version with the metric")


def _rows(found: Standing) -> list[Row]:
    version = found.version
    places = {place.metric: place for place in found.places}
    names = [*places, *(name for name in found.curves if name not in places)]
    before = {} if found.before is None else found.before.metrics
    is_other = found.holder is not None and found.holder.id != version.id
    holder = found.holder.metrics if found.holder is not None and is_other else {}
    return [
        Row(
            name=name,
            place=places.get(name),
            step=version.steps.get(name),
            before=metric_of(before, name),
            holder=metric_of(holder, name),
            is_primary=name == found.primary,
            has_curve=name in found.curves,
        )
        for name in names
    ]


def _plot(registry: Registry, found: Standing, row: Row) -> PlotAnswer:
    version = found.version
    if row.has_curve:
        return registry.plot([exact(version)], row.name)
    points = [] if version.number is None else course(registry.context, version, row.name, SPAN)
    lines: list[Curve] = []
    if len(points) > 1:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        lines = [_line(version.model, version, xs, ys)]
        own = version.number
        if own is not None and own in xs:
            lines.append(_line(version.reference, version, [own, own], [min(ys), max(ys)]))
    return PlotAnswer(metric=row.name, x="number", lines=lines, missing=[])


def _line(name: str, version: VersionAnswer, x: list[int], y: Sequence[float]) -> Curve:
    return Curve(
        name=name, model=version.model, version=None, run=None, x=x, y=list(y), versions=None
    )


def _columns(found: Standing, rows: Sequence[Row]) -> list[Column]:
    figures = [cell_len(paint(row)[0]) for row in rows for paint in (_value, _best)]
    width = min(max(figures, default=8), 13)
    columns = [
        Column("metric", "Metric", 10, _name, stretch=1),
        Column("value", "Value", width, _value, "right"),
    ]
    other = found.before
    if other is not None:
        title = "on " + (other.short_id if other.number is None else f"@{other.number}")
        columns.append(Column("before", title, 10, _before, "right"))
    holder = found.holder
    if holder is not None and holder.id not in {found.version.id, other.id if other else ""}:
        columns.append(Column("holder", f"on {found.alias}"[:12], 10, _holder, "right"))
    columns += [
        Column("best", "Best", width, _best, "right"),
        Column("step", "Step", 7, lambda row: "" if row.step is None else str(row.step), "right"),
    ]
    return columns


def _name(row: Row) -> Painted:
    return one_line(row.name), "primary" if row.is_primary else ""


def _value(row: Row) -> tuple[str, str]:
    place = row.place
    if place is None:
        return "curve", "dim"
    star = signs().best if place.is_best and place.of > 1 else " "
    return value_text(place.value) + star, "accent" if place.is_best and place.of > 1 else ""


def _before(row: Row) -> Painted:
    return "" if row.place is None else difference(row.place.value, row.before, row.place.direction)


def _holder(row: Row) -> Painted:
    return "" if row.place is None else difference(row.place.value, row.holder, row.place.direction)


def _best(row: Row) -> tuple[str, str]:
    return ("" if row.place is None else value_text(row.place.best)), "dim"
