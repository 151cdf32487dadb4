"""Deployments: where the version runs, and where it ran."""

from textual import on
from textual.app import ComposeResult

from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_production import DeploymentAnswer
from regtui.registry.figures import age_text
from regtui.tui.deployment_view import health_sign, place_text
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import TableTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable


class DeploymentsTab(TableTab):
    """A table of deployments, newest first; opening one goes to the screen of them."""

    NAME = "deployments"

    _shown = ""

    def compose(self) -> ComposeResult:
        """Compose the table."""
        yield VirtualTable[DeploymentAnswer](_COLUMNS, row_id=lambda one: one.id)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version."""
        found = await self.read(lambda registry: registry.deployments(exact(version), ended=True))
        key = key_of(self.regtui, "versions.deploy")
        self.table.empty = f"it was deployed nowhere yet; {key} records that it is"
        show_again(self.table, found, lambda one: one.id, stay=self._shown == version.id)
        self._shown = version.id

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._shown = ""
        super().clear(note)

    @on(VirtualTable.Opened)
    def _open(self, event: VirtualTable.Opened) -> None:
        event.stop()
        self.regtui.do_deployments()


def _sign(one: DeploymentAnswer) -> Painted:
    return health_sign(one)


def _place(one: DeploymentAnswer) -> Painted:
    return one_line(place_text(one)), "primary" if one.until is None else ""


def _state(one: DeploymentAnswer) -> Painted:
    is_told = one.state == "live" and one.health in {"fresh", "stale", "silent"}
    word = f"live {one.health}" if is_told else one.state.replace("_", " ")
    return word, health_sign(one)[1]


def _since(one: DeploymentAnswer) -> Painted:
    return (one.since or one.created)[:16].replace("T", " "), "dim"


def _for(one: DeploymentAnswer) -> Painted:
    return "" if one.since is None else age_text(one.since, one.until), "dim"


def _author(one: DeploymentAnswer) -> Painted:
    return one_line(one.by)


def _why(one: DeploymentAnswer) -> Painted:
    if one.break_glass:
        return f"{signs().conflict} past its gates: {one_line(one.break_glass)}", "error"
    return one_line(one.reason or "")


_COLUMNS = (
    Column("sign", "", 1, _sign),
    Column("place", "Where", 12, _place, stretch=1),
    Column("state", "State", 11, _state),
    Column("for", "For", 4, _for, "right"),
    Column("by", "By", 6, _author),
    Column("why", "Because", 8, _why, stretch=2),
    Column("since", "Since", 16, _since),
)
