"""Listing: by what versions are sorted, and which columns they show. Both are kept."""

from typing import TYPE_CHECKING

from regtui.registry.answers import VersionAnswer
from regtui.tui.acts.asking import ask
from regtui.tui.screens.columns import ColumnsChooser
from regtui.tui.screens.models import ModelsScreen
from regtui.tui.screens.prompt import Choice, Chooser
from regtui.tui.signs import signs
from regtui.tui.version_columns import DEFAULT, choices, columns

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp
    from regtui.tui.widgets.virtual_table import Column


async def choose_sort(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Choose what to sort by; the same again turns the order."""
    screen = _screen(app)
    if screen is None:
        return
    titles = choices([*screen.versions_here, *versions])
    found: dict[str, Column] = {}
    for key in titles:
        column = next(iter(columns([key], [], one_model=False)))
        if key != "metrics" and column.sort and column.sort not in {c.sort for c in found.values()}:
            found[key] = column
    by, descending = screen.versions.sorted_by or ("", False)
    arrow = signs().descending if descending else signs().ascending
    listed = [
        Choice(key, titles[key], f"{arrow} now; again turns it" if column.sort == by else "")
        for key, column in found.items()
    ]
    answer = await ask(app, Chooser("Sort by", listed))
    if answer is not None:
        screen.sort_by(found[answer])


async def choose_columns(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Choose which columns are shown, and in what order."""
    screen = _screen(app)
    if screen is None:
        return
    titles = choices([*screen.versions_here, *versions])
    chosen = app.config.columns or DEFAULT
    answer = await ask(app, ColumnsChooser(titles, chosen, DEFAULT))
    if answer is None:
        return
    app.keep(columns=[] if answer == list(DEFAULT) else answer)
    screen.show_columns()


def _screen(app: "RegtuiApp") -> ModelsScreen | None:
    return next((s for s in app.screen_stack if isinstance(s, ModelsScreen)), None)
