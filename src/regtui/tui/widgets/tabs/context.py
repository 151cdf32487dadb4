"""Context: where the version was found, and the run there: git, command, packages, machine."""

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_compare import PlaceAnswer
from regtui.registry.surroundings import kept_packages
from regtui.tui.place_facts import place_facts
from regtui.tui.widgets.fact_table import FactTable
from regtui.tui.widgets.tabs.base import TableTab, exact
from regtui.tui.widgets.virtual_table import VirtualTable


class ContextTab(TableTab):
    """Facts of every place, which fold."""

    NAME = "context"

    def compose(self) -> ComposeResult:
        """Compose the table."""
        yield FactTable()

    @property
    def table(self) -> FactTable:
        """The facts."""
        return self.query_one(FactTable)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version; the cursor stays on the fact."""
        places = await self.read(lambda registry: _look(registry, version))
        self.table.empty = "nothing is known of where it was made"
        self.table.show_facts(place_facts(places))

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self.table.empty = note
        self.table.show_facts([])

    @on(VirtualTable.Opened)
    def _opened(self, event: VirtualTable.Opened) -> None:
        if event.row.value:
            self.app.copy_to_clipboard(event.row.value)
            self.app.notify(f"copied {event.row.value[:200]}", timeout=4, markup=False)


def _look(registry: Registry, version: VersionAnswer) -> list[PlaceAnswer]:
    """Return the places with their packages, which are kept as a text of their own."""
    found = []
    for place in registry.places(exact(version)):
        packages = kept_packages(registry.context, place.context.get("packages"))
        context = place.context if packages is None else {**place.context, "packages": packages}
        found.append(replace(place, context=context))
    return found
