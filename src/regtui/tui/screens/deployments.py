"""The fourth screen: what is live where, since when, by whom, and whether it is heard of.

Models stand below each other, environments side by side. What is told of the cell under the cursor
stands below; opening it shows there what was in its environment when, and going back leaves that.
What runs is few enough to be read as a whole, of what has ended the newest is.
"""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rich.text import Text
from textual import on
from textual.containers import Container
from textual.widget import Widget

from regtui.core.errors import RegtuiError
from regtui.registry import Registry
from regtui.registry.answers_production import DeploymentAnswer, EnvironmentAnswer
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.background import in_background, start
from regtui.tui.deployment_view import Place, blocks, columns_of, places
from regtui.tui.key_names import key_of
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.widgets.deployment_tables import DeploymentGrid, TimelineTable
from regtui.tui.widgets.document import Block, DocumentView
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from regtui.tui.acts.deploying import Act

EVENTS = 500
"""Deployments that a timeline lists, the newest ones."""

LOOK = 30.0
"""Seconds after which health is looked at again: what is silent says nothing of that."""

SETTLE = 0.3
"""Seconds that the cursor stands on a cell before its usage is asked for."""

ON_RUNNING = frozenset({"rollback", "stop", "state"})
"""Actions on what has not ended."""

ON_ONE = frozenset({"deploy", "go", "copy"})
"""Actions on any deployment."""


class DeploymentsScreen(RegtuiScreen):
    """What is live where."""

    NAME = "deployments"
    SCOPES = ("deployments",)
    BINDINGS = bindings("deployments")
    CSS_PATH = "../styles/deployments.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._environments: list[EnvironmentAnswer] | None = None
        self._has_looked = False

    def body(self) -> Iterable[Widget]:
        """Return the grid, and what is told of the cell under the cursor."""
        with Container(id="deployments-body"):
            yield DeploymentGrid(id="running")
            yield DocumentView(id="deployment")
            yield TimelineTable(id="timeline")

    def on_mount(self) -> None:
        """Go to the grid, and look at health now and then."""
        self.set_focus(self.grid)
        self.set_interval(LOOK, self._look)

    def on_screen_resume(self) -> None:
        """Show what came while another screen was shown."""
        self.registry_changed()

    @property
    def grid(self) -> DeploymentGrid:
        """What runs where."""
        return self.query_one(DeploymentGrid)

    @property
    def timeline(self) -> TimelineTable:
        """What was where when."""
        return self.query_one(TimelineTable)

    @property
    def running(self) -> Sequence[DeploymentAnswer]:
        """What runs in the cell under the cursor, the newest first."""
        row: Place | None = self.grid.current
        return () if row is None else row.cells.get(self.grid.environment or "", ())

    @property
    def current(self) -> DeploymentAnswer | None:
        """The deployment under the cursor: of the timeline where that is looked at."""
        if self.is_on_timeline:
            return self.timeline.current
        return self.running[0] if self.running else None

    @property
    def is_on_timeline(self) -> bool:
        """Whether the timeline is looked at."""
        return self.has_class("-timeline") and self.focused is self.timeline

    # What it shows

    def registry_changed(self) -> None:
        """Show what there is now."""
        start(self, self._read, group="deployments")

    def _look(self) -> None:
        if self.is_current:
            self.registry_changed()

    async def _read(self) -> None:
        def look(registry: Registry) -> tuple[list[EnvironmentAnswer], list[DeploymentAnswer]]:
            return registry.environments(), registry.deployments()

        found = await self.read(look, lane="grid")
        if found is None:
            return
        self._environments, running = found
        grid = self.grid
        grid.empty = self._nothing()
        names, rows = columns_of(self._environments, running), places(running)
        grid.show_environments(names)
        show_again(grid, rows, lambda row: row.key)
        if not self._has_looked and rows:
            self._has_looked = True
            grid.choose_column(next(n for n, name in enumerate(names) if name in rows[0].cells))
        if self.has_class("-timeline"):
            await self._read_timeline()
        self._show_detail()

    def _nothing(self) -> str:
        if not self._environments:
            key = key_of(self.regtui, "deployments.environment")
            return f"there is no environment yet; {key} makes one"
        key = key_of(self.regtui, "versions.deploy")
        return f"nothing is deployed; {key} on a version records that it is"

    async def _read_timeline(self, *, stay: bool = True) -> None:
        name = self.grid.environment
        if name is None:
            return
        found = await self.read(
            lambda registry: registry.deployments(environment=name, ended=True, limit=EVENTS),
            lane="timeline",
        )
        if found is not None and name == self.grid.environment:
            table = self.timeline
            table.border_title = Text(f"history of {name}")
            table.empty = f"nothing was ever in {name}"
            show_again(table, found, lambda one: one.id, stay=stay)

    @on(VirtualTable.Highlighted)
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_detail()

    @on(DeploymentGrid.ColumnChosen)
    def _turned(self, event: DeploymentGrid.ColumnChosen) -> None:
        event.stop()
        if self.has_class("-timeline"):
            start(self, self._read_timeline, group="timeline")
        self._show_detail()

    def on_descendant_focus(self) -> None:
        """Offer what can be done with what the cursor is on now."""
        self.refresh_bindings()

    def _show_detail(self) -> None:
        start(self, self._tell, group="detail")
        self.refresh_bindings()

    async def _tell(self) -> None:
        running, name = self.running, self.grid.environment
        shown = blocks(running)
        if not running and self.grid.current is not None and name is not None:
            shown = [Block(Text(f"{self.grid.current.called} is not in {name}", "label"))]
        await self.query_one(DocumentView).show(shown, stay=True)
        status = self.regtui.status
        told = [one for one in running if one.usage]
        if told and (status.remote is None or status.is_signed_in):
            start(self, self._tell_usage, running, told, group="usage")

    async def _tell_usage(
        self, running: Sequence[DeploymentAnswer], told: Sequence[DeploymentAnswer]
    ) -> None:
        """Tell how many requests came over the last day, once somebody looks at the cell.

        With a server this asks it; where it does not answer, nothing more is told.
        """
        await asyncio.sleep(SETTLE)
        registry = self.regtui.registry

        def ask() -> dict[str, list[float]]:
            found = {one.id: registry.usage(one.deployment, since="24h") for one in told}
            return {name: [float(b.requests) for b in one.buckets] for name, one in found.items()}

        with suppress(RegtuiError, OSError):
            courses = await in_background(ask)
            if [one.id for one in self.running] == [one.id for one in running]:
                await self.query_one(DocumentView).show(blocks(running, courses), stay=True)

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "deployments" or not self.is_mounted:
            return None
        one = self.current
        if action.name in ON_RUNNING | ON_ONE and one is None:
            return "there is no deployment under the cursor"
        if action.name in ON_RUNNING and one is not None and one.until is not None:
            return f"it is {one.state.replace('_', ' ')} already"
        if action.name == "rollback" and one is not None and one.state != "live":
            return f"it is {one.state}, and only what is live is rolled back"
        return None

    def do_previous(self) -> None:
        """Look at the environment on the left."""
        self.grid.choose_column(self.grid.column - 1)

    def do_next(self) -> None:
        """Look at the environment on the right."""
        self.grid.choose_column(self.grid.column + 1)

    def do_deploy(self) -> None:
        """Deploy the version under the cursor."""
        from regtui.tui.acts.deploying import deploy_again

        self._run(deploy_again)

    def do_rollback(self) -> None:
        """Go back to what was live before."""
        from regtui.tui.acts.deploying import roll_back

        self._run(roll_back)

    def do_stop(self) -> None:
        """End the deployment."""
        from regtui.tui.acts.deploying import stop

        self._run(stop)

    def do_state(self) -> None:
        """Take the deployment to another state."""
        from regtui.tui.acts.deploying import change_state

        self._run(change_state)

    def do_environment(self) -> None:
        """Make an environment."""
        from regtui.tui.acts.deploying import make_environment

        start_act(self, make_environment)

    def do_go(self) -> None:
        """Go to the version."""
        from regtui.tui.acts.deploying import go

        self._run(go)

    def do_copy(self) -> None:
        """Copy the short name."""
        if self.current is not None:
            self.app.copy_to_clipboard(self.current.deployment)
            self.notify(f"copied {self.current.deployment}", timeout=3)

    def do_back(self) -> None:
        """Leave the timeline; else go back as everywhere."""
        if self.has_class("-timeline"):
            self.remove_class("-timeline")
            self.set_focus(self.grid)
            self.refresh_bindings()
        else:
            self.regtui.do_back()

    @on(VirtualTable.Opened, "#running")
    def _open(self, event: VirtualTable.Opened) -> None:
        """Show what was in the environment when."""
        event.stop()
        start(self, self._open_timeline, group="timeline")

    async def _open_timeline(self) -> None:
        await self._read_timeline(stay=False)
        self.add_class("-timeline")
        self.set_focus(self.timeline)
        self.refresh_bindings()

    @on(VirtualTable.Opened, "#timeline")
    def _open_version(self, event: VirtualTable.Opened) -> None:
        """Go to the version."""
        event.stop()
        self.do_go()

    def _run(self, act: "Act") -> None:
        if self.current is not None:
            start_act(self, act, self.current)
