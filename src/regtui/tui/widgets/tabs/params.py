"""Params: what the version was made with, and what differs from the version before."""

from msgspec import Struct
from textual.app import ComposeResult

from regtui.registry.answers import VersionAnswer
from regtui.registry.standing import before
from regtui.replica.projection import param_text
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import one_line
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import TableTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

LONGEST = 300
"""Cells of a value that can be scrolled to."""


class Row(Struct, frozen=True, kw_only=True):
    """One param: its value here and in the version before; None for none."""

    name: str
    value: str | None
    before: str | None
    has_before: bool

    @property
    def is_other(self) -> bool:
        """Whether the version before had another one."""
        return self.has_before and self.value != self.before


class ParamsTab(TableTab):
    """A table of params."""

    NAME = "params"

    def compose(self) -> ComposeResult:
        """Compose the table."""
        yield VirtualTable[Row](row_id=lambda row: row.name)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version; the cursor stays on the param."""
        earlier = await self.read(lambda registry: before(registry.context, exact(version)))
        rows = _rows(version, earlier)
        key = key_of(self.regtui, "versions.edit")
        self.table.empty = f"no params: `regtui capture --param` and {key} in the list add some"
        self.table.show_columns(_columns(rows, earlier))
        show_again(self.table, rows, lambda row: row.name)


def _rows(version: VersionAnswer, earlier: VersionAnswer | None) -> list[Row]:
    then = {} if earlier is None else earlier.params
    return [
        Row(
            name=name,
            value=_text(version.params[name]) if name in version.params else None,
            before=_text(then[name]) if name in then else None,
            has_before=earlier is not None,
        )
        for name in sorted({*version.params, *then})
    ]


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else param_text(value)


def _columns(rows: list[Row], earlier: VersionAnswer | None) -> list[Column]:
    longest = max((len(row.value or "") for row in rows), default=8)
    columns = [
        Column("param", "Param", 14, _name, stretch=1),
        Column("value", "Value", min(max(longest, 10), 24), _value, stretch=1),
    ]
    if earlier is not None:
        number = earlier.short_id if earlier.number is None else f"@{earlier.number}"
        width = max((len(row.before or "") for row in rows if row.is_other), default=8)
        columns.append(
            Column("before", f"In {number}", min(max(width, 10), LONGEST), _before, stretch=1)
        )
    return columns


def _name(row: Row) -> Painted:
    return one_line(row.name), "dim" if row.value is None else ""


def _value(row: Row) -> Painted:
    if row.value is None:
        return "none", "dim"
    return one_line(row.value), "warning" if row.is_other else ""


def _before(row: Row) -> Painted:
    if not row.is_other:
        return ""
    return ("none" if row.before is None else one_line(row.before)), "dim"
