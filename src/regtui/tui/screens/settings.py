"""The eighth screen: the server and who may do what there, and what a person chose in this app.

The server alone knows people, grants and tokens, so a tab of those asks it when somebody looks: in
a thread, with what was there before in sight meanwhile, or with the reason why there is no answer.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any

from textual import on
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Static

from regtui.core.errors import RegtuiError
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.starting import start_act
from regtui.tui.background import in_background, start
from regtui.tui.key_names import key_of
from regtui.tui.reader import Superseded
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.settings_tabs import BY_ID, TABS, Setting, app_rows, columns_of, server_rows
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tab_line import TabLine, TabTitle
from regtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

Act = Callable[..., Awaitable[object]]

HINTS = {
    "server": "{sign} signs in or out · {approve} lets another machine in · {sync} syncs now",
    "people": "{add} adds somebody · {edit} renames · {remove} disables or enables",
    "teams": "{add} makes a team · {edit} changes its members · {remove} deletes or restores it",
    "grants": "{add} gives a role · {edit} gives another one · {remove} takes it away",
    "tokens": "{add} makes a token · {remove} revokes it",
    "replicas": "{approve} lets another machine in · {remove} stops one from syncing, for good",
    "policies": "{add} writes a policy · {edit} changes it · {try} tries it · {remove} removes it",
    "app": "{edit} changes the setting or key · {remove} takes the usual one again",
}
"""What can be done on each tab; the names in braces are actions."""


class SettingsScreen(RegtuiScreen):
    """The server, and this app."""

    NAME = "settings"
    SCOPES = ("settings",)
    BINDINGS = bindings("settings")
    CSS_PATH = "../styles/settings.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._rows: dict[str, list[Setting]] = {}
        self._problems: dict[str, str] = {}

    def body(self) -> Iterable[Widget]:
        """Return the tabs, the list of the chosen one, and what can be done there."""
        with Vertical(id="settings-body"):
            yield TabLine([TabTitle(tab.id, tab.title, tab.short) for tab in TABS])
            yield VirtualTable[Setting](row_id=lambda row: row.id, id="settings")
            yield Static("", id="settings-hint", markup=False)

    def on_mount(self) -> None:
        """Go to the list, and follow what the app knows of the server."""
        self.set_focus(self.table)
        self.watch(self.app, "status", self._status_changed)
        self._show()

    def on_screen_resume(self) -> None:
        """Ask again for what may have changed while another screen was shown."""
        self._look()

    @property
    def table(self) -> VirtualTable[Setting]:
        """The list."""
        return self.query_one("#settings", VirtualTable)

    @property
    def tabs(self) -> TabLine:
        """The tabs."""
        return self.query_one(TabLine)

    @property
    def current(self) -> Setting | None:
        """The row under the cursor."""
        return self.table.current

    # What it shows

    def registry_changed(self) -> None:
        """Show what was committed, where the tab is about that."""
        if BY_ID[self.tabs.chosen].is_here:
            self._look()

    def _status_changed(self) -> None:
        if self.is_mounted and self.tabs.chosen in {"server", "app"}:
            self._show()

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        self._show(stay=False)
        self._look()

    @on(VirtualTable.Highlighted)
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self.refresh_bindings()

    def _look(self) -> None:
        """Ask the server for what the chosen tab shows."""
        tab = BY_ID[self.tabs.chosen]
        if tab.ask is not None and (tab.is_here or self.regtui.status.is_signed_in):
            start(self, self._ask, tab.id, group="ask")
        else:
            self._show()

    async def _ask(self, name: str) -> None:
        """Ask for the rows of a tab; what is wrong stands where they would."""
        ask, registry = BY_ID[name].ask, self.regtui.registry
        if ask is None:
            return
        try:
            # What the registry knows is read where all reading is, and does not hold up others.
            read = self.regtui.reader.read(ask) if BY_ID[name].is_here else None
            self._rows[name] = await (read or in_background(lambda: ask(registry)))
        except Superseded:
            return
        except RegtuiError as error:
            self._rows.pop(name, None)
            key = key_of(self.regtui, "settings.again")
            self._problems[name] = f"{error.message}; {key} asks again"
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self.regtui.show_error(error)
            return
        if name == self.tabs.chosen:
            self._show()

    def _show(self, *, stay: bool = True) -> None:
        """Show what is known of the chosen tab."""
        app, name = self.regtui, self.tabs.chosen
        tab = BY_ID[name]
        if name == "server":
            rows = server_rows(app.status.remote)
            key = key_of(app, "settings.sign")
            nothing = f"no server decides about this registry; {key} connects to one"
        elif name == "app":
            rows, nothing = app_rows(app.config, app.theme), ""
        else:
            rows, nothing = self._rows.get(name, []), self._nothing(name)
        table = self.table
        table.show_columns(columns_of(tab))
        table.empty = nothing
        show_again(table, rows, lambda row: row.id, stay=stay)
        names = ("add", "edit", "remove", "sign", "approve", "try")
        keys = {one: key_of(app, f"settings.{one}") for one in names}
        hint = HINTS[name].format(sync=key_of(app, "app.sync"), **keys)
        self.query_one("#settings-hint", Static).update(hint)
        self.refresh_bindings()

    def _nothing(self, name: str) -> str:
        tab = BY_ID[name]
        if not tab.is_here and not self.regtui.status.is_signed_in:
            return f"nobody is signed in; {key_of(self.regtui, 'settings.sign')} signs in"
        if name in self._problems and name not in self._rows:
            return self._problems[name]
        if name not in self._rows:
            return "reading …" if tab.is_here else "asking the server …"
        return tab.nothing.format(add=key_of(self.regtui, "settings.add"))

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "settings" or not self.is_mounted:
            return None
        tab, status = self.tabs.chosen, self.regtui.status
        if action.name in {"add", "edit", "remove", "try"}:
            if action.name not in self._acts(tab):
                return f"there is nothing to {action.text.lower()} on this tab"
            if action.name != "add" and self.current is None:
                return "there is nothing under the cursor"
            is_asked = BY_ID[tab].ask is not None and not BY_ID[tab].is_here
            if is_asked and not status.is_signed_in:
                return "sign in first"
        if action.name == "approve" and not status.is_signed_in:
            return "sign in first"
        return None

    @staticmethod
    def _acts(tab: str) -> dict[str, Act]:
        """Return what adding, editing and removing mean on a tab."""
        from regtui.tui.acts import access, people, policies, preferences

        acts: dict[str, dict[str, Act]] = {
            "people": {
                "add": people.add_user,
                "edit": people.rename_user,
                "remove": people.turn_user,
            },
            "teams": {
                "add": people.add_team,
                "edit": people.edit_team,
                "remove": people.turn_team,
            },
            "grants": {
                "add": access.add_grant,
                "edit": access.change_grant,
                "remove": access.remove_grant,
            },
            "tokens": {"add": access.add_token, "remove": access.revoke_token},
            "replicas": {"remove": access.revoke_replica},
            "policies": {
                "add": policies.add_policy,
                "edit": policies.edit_policy,
                "remove": policies.remove_policy,
                "try": policies.try_policy,
            },
            "app": {"edit": preferences.change, "remove": preferences.reset},
        }
        return acts.get(tab, {})

    def _do(self, name: str) -> None:
        tab = self.tabs.chosen
        act = self._acts(tab).get(name)
        if act is None:
            return
        given = () if name == "add" or self.current is None else (self.current.of,)
        if tab == "app":
            given = (self.current,) if self.current is not None else ()
        start_act(self, self._do_and_look, act, given)

    async def _do_and_look(self, app: "RegtuiApp", act: Act, given: tuple[Any, ...]) -> None:
        await act(app, *given)
        if self.is_attached:
            self._look()

    def do_next(self) -> None:
        """Go to the next tab."""
        self.tabs.move(1)

    def do_previous(self) -> None:
        """Go to the tab before."""
        self.tabs.move(-1)

    def do_again(self) -> None:
        """Ask the server again."""
        self._rows.pop(self.tabs.chosen, None)
        self._problems.pop(self.tabs.chosen, None)
        self._show()
        self._look()

    def do_add(self) -> None:
        """Add what the tab shows."""
        self._do("add")

    def do_edit(self) -> None:
        """Change what is under the cursor."""
        self._do("edit")

    def do_remove(self) -> None:
        """Take away what is under the cursor."""
        self._do("remove")

    def do_try(self) -> None:
        """Try what is under the cursor."""
        self._do("try")

    def do_sign(self) -> None:
        """Sign in, or out."""
        from regtui.tui.acts.signing_in import get_ready, sign_out

        act: Act = sign_out if self.regtui.status.is_signed_in else get_ready
        start_act(self, self._do_and_look, act, ())

    def do_forget(self) -> None:
        """Forget a server that was not joined."""
        from regtui.tui.acts.signing_in import forget_server

        start_act(self, self._do_and_look, forget_server, ())

    def do_approve(self) -> None:
        """Let a machine in that shows a code."""
        from regtui.tui.acts.access import approve_machine

        start_act(self, self._do_and_look, approve_machine, ())

    @on(VirtualTable.Opened)
    def _open(self, event: VirtualTable.Opened) -> None:
        event.stop()
        if "edit" in self._acts(self.tabs.chosen) and not self.regtui.read_only:
            self.do_edit()
