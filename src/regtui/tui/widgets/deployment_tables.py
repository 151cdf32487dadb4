"""The lists of the deployments screen: what runs where, and what was where when."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from textual import events
from textual.message import Message

from regtui.registry.answers_production import DeploymentAnswer
from regtui.registry.figures import age_text
from regtui.tui.deployment_view import Place, cell_text, health_sign
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

NAME_WIDTH = 18
WIDTH = 18


class DeploymentGrid(VirtualTable[Place]):
    """Rows of models, columns of environments; the column that is looked at is marked."""

    @dataclass
    class ColumnChosen(Message):
        """Another environment is looked at."""

        column: int

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(row_id=lambda row: row.key, empty="reading …", id=id)
        self.fixed = 1
        self.column = 0
        """The environment that is looked at, from 0."""
        self._names: list[str] = []

    @property
    def environment(self) -> str | None:
        """Name of the environment that is looked at; None without any."""
        return self._names[self.column] if self.column < len(self._names) else None

    def show_environments(self, names: Sequence[str]) -> None:
        """Show columns of these environments; the one that is looked at stays so."""
        before = self.environment
        self._names = list(names)
        self.column = self._names.index(before) if before in self._names else 0
        self._show_columns()

    def choose_column(self, column: int) -> None:
        """Look at another environment."""
        column = min(max(column, 0), len(self._names) - 1)
        if column == self.column or column < 0:
            return
        self.column = column
        self._show_columns()
        self._bring_into_sight()
        self.post_message(self.ColumnChosen(column))

    def do_left(self) -> None:
        """Look at the environment on the left."""
        self.choose_column(self.column - 1)

    def do_right(self) -> None:
        """Look at the environment on the right."""
        self.choose_column(self.column + 1)

    def on_click(self, event: events.Click) -> None:
        """Look at the environment that was clicked on."""
        found = self.column_at(event.x - self.gutter.left)
        if found is not None and found.key.isdigit():
            self.choose_column(int(found.key))

    def _show_columns(self) -> None:
        shown = [
            Column(
                str(place),
                f" {name}",
                WIDTH,
                partial(_cell, name=name, is_chosen=place == self.column),
                stretch=1,
                title_style="accent" if place == self.column else "",
            )
            for place, name in enumerate(self._names)
        ]
        first = Column("model", "Model", NAME_WIDTH, _model, stretch=1, keeps_end=True)
        self.show_columns([first, *shown])

    def _bring_into_sight(self) -> None:
        place = self.column + self.fixed
        start = self.cells_before(place) - self.held
        end = self.cells_before(place + 1) - self.held
        room = self.scrollable_content_region.width - self.held
        left = round(self.scroll_x)
        if start < left or end - start > room:
            self.scroll_to(x=start, animate=False, force=True)
        elif end > left + room:
            self.scroll_to(x=end - room, animate=False, force=True)


class TimelineTable(VirtualTable[DeploymentAnswer]):
    """What was deployed in one environment, newest first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_TIMELINE, row_id=lambda one: one.id, empty="reading …", id=id)


def _model(row: Place) -> Painted:
    return one_line(row.called), "primary"


def _cell(row: Place, *, name: str, is_chosen: bool) -> Painted:
    text, style = cell_text(row.cells.get(name, ()))
    return (signs().mark if is_chosen else " ") + text, style


def _sign(one: DeploymentAnswer) -> Painted:
    return health_sign(one)


def _since(one: DeploymentAnswer) -> Painted:
    return (one.since or one.created)[:16].replace("T", " "), "dim"


def _version(one: DeploymentAnswer) -> Painted:
    return one_line(one.version), "primary" if one.until is None else ""


def _target(one: DeploymentAnswer) -> Painted:
    return one_line(one.target)


def _state(one: DeploymentAnswer) -> Painted:
    state = one.state.replace("_", " ")
    if one.state == "live" and one.health in {"fresh", "stale", "silent"}:
        state = f"live {one.health}"
    return state, health_sign(one)[1]


def _for(one: DeploymentAnswer) -> Painted:
    """Return how long it was there, or is."""
    return age_text(one.since, one.until) if one.since is not None else "", "dim"


def _author(one: DeploymentAnswer) -> Painted:
    return one_line(one.by)


def _why(one: DeploymentAnswer) -> Painted:
    if one.break_glass:
        return f"{signs().conflict} past its gates: {one_line(one.break_glass)}", "error"
    why = one_line(one.reason or "")
    if one.rollback_of is not None:
        return f"went back{': ' + why if why else ''}", "warning"
    approved = f"approved by {', '.join(one.approved_by)}" if one.approved_by else ""
    return ", ".join(part for part in (why, approved) if part), ""


_TIMELINE = (
    Column("sign", "", 1, _sign),
    Column("since", "Since", 16, _since),
    Column("for", "For", 4, _for, "right"),
    Column("version", "Version", 14, _version, stretch=1, keeps_end=True),
    Column("target", "On", 5, _target),
    Column("state", "State", 11, _state),
    Column("by", "By", 5, _author),
    Column("why", "Because", 8, _why, stretch=2),
)
