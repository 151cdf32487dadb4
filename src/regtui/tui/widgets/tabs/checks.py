"""Checks: what was found out about the version, and running what holds for its model."""

from msgspec import Struct
from textual import on
from textual.app import ComposeResult

from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_checks import CheckAnswer, CheckRunAnswer
from regtui.registry.figures import age_text, number_text
from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tabs.base import TableTab, exact
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable


class CheckRow(Struct, frozen=True):
    """A run of a check, or a check that was not run on the version yet.

    Attributes:
        name: Of the check.
        run: How it ended; None where it was not run.
        check: The check as it is defined for the model; None where it is not any more.
    """

    name: str
    run: CheckRunAnswer | None
    check: CheckAnswer | None

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"check/{self.name}" if self.run is None else self.run.id


class ChecksTab(TableTab, Acting):
    """A table of runs, newest first, below the checks that were not run yet."""

    NAME = "checks"
    SCOPES = ("checks",)
    BINDINGS = bindings("checks")

    _version: VersionAnswer | None = None

    def compose(self) -> ComposeResult:
        """Compose the table."""
        yield VirtualTable[CheckRow](_COLUMNS, row_id=lambda row: row.key)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version."""
        rows = await self.read(lambda registry: _look(registry, version))
        is_same = self._version is not None and self._version.id == version.id
        self.table.empty = (
            f"no check holds for {version.model}, and none was told of it; "
            "`regtui check put FILE.toml` makes some"
        )
        self._version = version
        show_again(self.table, rows, lambda row: row.key, stay=is_same)
        self.refresh_bindings()

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._version = None
        super().clear(note)

    @property
    def _current(self) -> CheckRow | None:
        row: CheckRow | None = self.table.current
        return row

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if self._version is None:
            return "there is no version under the cursor"
        row = self._current
        if action.name == "run" and row is None:
            return "there is no check under the cursor"
        if action.name == "run" and row is not None and row.check is None:
            return f"{row.name} is not defined for this model: it runs elsewhere"
        return None

    def do_run(self) -> None:
        """Run the check under the cursor."""
        from regtui.tui.acts.checking import run_check

        row, version = self._current, self._version
        if row is not None and row.check is not None and version is not None:
            start_act(self, run_check, version, row.check)

    def do_all(self) -> None:
        """Run all checks that hold for the model."""
        from regtui.tui.acts.checking import run_all

        if self._version is not None:
            start_act(self, run_all, self._version)

    @on(VirtualTable.Opened)
    def _open(self, event: VirtualTable.Opened) -> None:
        """Show what the run printed."""
        event.stop()
        from regtui.tui.acts.checking import show_log

        if event.row.run is not None and self._version is not None:
            start_act(self, show_log, event.row.run)


def _look(registry: Registry, version: VersionAnswer) -> list[CheckRow]:
    """Return the checks that were not run yet, then the runs, newest first."""
    defined = {one.check: one for one in registry.checks(version.model)}
    runs = registry.check_runs(exact(version))
    ran = {one.check for one in runs}
    missing = [CheckRow(name, None, one) for name, one in defined.items() if name not in ran]
    return missing + [CheckRow(one.check, one, defined.get(one.check)) for one in runs]


def _sign(row: CheckRow) -> Painted:
    if row.run is None:
        return signs().waiting, "dim"
    if row.run.outcome == "passed":
        return signs().passed, "success"
    return signs().failed, "error"


def _name(row: CheckRow) -> Painted:
    return one_line(row.name), "primary"


def _outcome(row: CheckRow) -> Painted:
    if row.run is None:
        return "not run yet", "dim"
    return row.run.outcome, "success" if row.run.passed else "error"


def _figures(row: CheckRow) -> Painted:
    if row.run is None:
        return ("" if row.check is None else one_line(row.check.does)), "dim"
    return one_line(
        " ".join(f"{name}={number_text(value)}" for name, value in row.run.figures.items())
    )


def _notes(row: CheckRow) -> Painted:
    if row.run is None:
        is_free = row.check is None or row.check.trusted
        return ("" if is_free else "untrusted"), "warning"
    notes = ["stale"] if row.run.stale else []
    notes += [] if row.run.counts else ["does not count"]
    notes += ["not sent"] if row.run.pending else []
    return ", ".join(notes), "warning"


def _runner(row: CheckRow) -> Painted:
    return "" if row.run is None else one_line(row.run.runner), "dim"


def _took(row: CheckRow) -> Painted:
    return "" if row.run is None else f"{row.run.seconds:.3g}s", "dim"


def _age(row: CheckRow) -> Painted:
    return "" if row.run is None else age_text(row.run.told), "dim"


_COLUMNS = (
    Column("sign", "", 1, _sign),
    Column("check", "Check", 14, _name, stretch=1),
    Column("outcome", "Outcome", 11, _outcome),
    Column("age", "Age", 4, _age, "right"),
    Column("notes", "", 9, _notes, stretch=1),
    Column("figures", "Figures", 10, _figures, stretch=2),
    Column("runner", "On", 8, _runner),
    Column("took", "Took", 6, _took, "right"),
)
