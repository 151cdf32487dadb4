"""The app: its screens, its way to the registry, and what all screens share.

It holds no registry open. Reading goes through `Reader`, writing through `act`, both in threads;
what they give comes back to this thread, the only one that touches widgets. Twice a second or so it
looks at the time and size of the database file: what other processes committed shows by itself.
"""

import asyncio
import contextlib
import gc
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import msgspec
from textual.dom import DOMNode
from textual.driver import Driver
from textual.filter import LineFilter
from textual.reactive import reactive
from textual.screen import Screen
from textual.worker import WorkerFailed

from regtui.core.errors import BadInput, Busy, NotFound, RegtuiError
from regtui.registry import Registry, open_registry
from regtui.tui import signs, themes
from regtui.tui.acting import READ_ONLY, Acting
from regtui.tui.actions import BY_ID, bindings, keymap
from regtui.tui.acts.asking import may_change
from regtui.tui.acts.starting import start_act
from regtui.tui.ahead import Ahead
from regtui.tui.ascii_filter import AsciiFilter
from regtui.tui.background import in_background, start
from regtui.tui.config import AppConfig
from regtui.tui.leaving import HUNG_UP, is_hung_up, on_signals
from regtui.tui.palette import ActionProvider
from regtui.tui.reader import Reader, Superseded
from regtui.tui.registry_status import Status, look, short_path
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.screens.models import ModelsScreen
from regtui.tui.syncing import Syncing
from regtui.tui.typing_ahead import TypingAhead
from regtui.tui.version_columns import unknown

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from regtui.registry.answers import VersionAnswer

MANY = 100
"""Unforeseen errors after which the app gives up: it would only go round in circles."""

COLLECTING = (5_000, 10, 10)
"""When garbage is looked for while the app runs: widgets and what they paint go in circles."""

LOOK = 0.3
"""Seconds between two looks at the database file."""

LOOK_AT_WATCHERS = 0.5
"""Seconds between two looks at what watchers report."""

LEAVING = 5.0
"""Seconds that the end of the app waits for the disk to take what was chosen."""

T = TypeVar("T")


def _compare_screen() -> Screen[Any]:
    from regtui.tui.screens.compare import CompareScreen

    return CompareScreen()


def _reviews_screen() -> Screen[Any]:
    from regtui.tui.screens.reviews import ReviewsScreen

    return ReviewsScreen()


def _deployments_screen() -> Screen[Any]:
    from regtui.tui.screens.deployments import DeploymentsScreen

    return DeploymentsScreen()


def _watch_screen() -> Screen[Any]:
    from regtui.tui.screens.watch import WatchScreen

    return WatchScreen()


def _conflicts_screen() -> Screen[Any]:
    from regtui.tui.screens.conflicts import ConflictsScreen

    return ConflictsScreen()


def _settings_screen() -> Screen[Any]:
    from regtui.tui.screens.settings import SettingsScreen

    return SettingsScreen()


def _activity_screen() -> Screen[Any]:
    from regtui.tui.screens.activity import ActivityScreen

    return ActivityScreen()


class RegtuiApp(Acting, TypingAhead):
    """The registry on a terminal.

    Args:
        registry: What to show.
        config: What the person chose; None reads their `config.toml`.
        read_only: Whether nothing may be changed.
        debug: Whether an error that nobody foresaw ends the app with its traceback.
        ahead: The first rows of this registry, on their way.
    """

    TITLE = "regtui"
    SCOPES = ("app",)
    BINDINGS = bindings("app")
    MODES: ClassVar[dict[str, Any]] = {
        "models": ModelsScreen,
        "compare": _compare_screen,
        "reviews": _reviews_screen,
        "deployments": _deployments_screen,
        "watch": _watch_screen,
        "conflicts": _conflicts_screen,
        "activity": _activity_screen,
        "settings": _settings_screen,
    }
    DEFAULT_MODE = "models"
    # Of the first screen: styles of a screen's own make all of them be read again.
    CSS_PATH = Path(__file__).with_name("styles") / "models.tcss"
    COMMANDS: ClassVar[set[Any]] = {ActionProvider}
    COMMAND_PALETTE_BINDING = "ctrl+p"
    HORIZONTAL_BREAKPOINTS = [
        (0, "-narrow"),
        (100, "-medium"),
        (150, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [
        (0, "-tiny"),
        (16, "-short"),
        (36, "-tall"),
    ]
    ESCAPE_TO_MINIMIZE = False

    status: reactive[Status] = reactive(Status())

    def __init__(
        self,
        registry: Registry | None = None,
        *,
        config: AppConfig | None = None,
        read_only: bool = False,
        debug: bool = False,
        ahead: Ahead | None = None,
    ) -> None:
        self._raises = debug
        self.registry = open_registry(via="app") if registry is None else registry
        self.config = AppConfig() if config is None else config
        self.read_only = read_only
        self.signs = signs.choose(ascii_only=self.config.ascii)
        self._ascii_filters = [AsciiFilter()] if self.signs is signs.ASCII else []
        self.reader = Reader(self.registry.context, alive=self._refuse_gone)
        self.changes = 0
        """How often screens had to be told that the registry changed: who was not shown asks."""
        self.compared: list[VersionAnswer] = []
        """What the compare screen compares."""
        self.syncing = Syncing(self)
        self._ahead = ahead
        self._written = None if ahead is None else ahead.written
        """How the database was when it was looked at last."""
        self._is_shown = False
        self._has_looked = self._has_changed = False
        self._watchers_stamp: tuple[object, ...] = ()
        self._watchers_looked = 0.0
        self._writing = asyncio.Lock()
        self._told_unforeseen = 0
        self._warned: dict[str, float] = {}
        """Until when each message shows."""
        self.next_home: str | None = None
        """The registry to open when this app has ended."""
        self._started = self.registry.context.replica.home.exists()
        # Else Textual would filter colours as if this theme had its own, and paint black on black.
        super().__init__(ansi_color=True if themes.is_colorless() else None)
        for theme in themes.THEMES:
            self.register_theme(theme)
        self.theme = themes.chosen(self.config.theme, set(self.available_themes))
        self.stylesheet.set_variables(self.get_css_variables())  # before any style is read
        self.status = Status(
            home=short_path(self.registry.home),
            person=self.registry.context.actor.name,
            read_only=read_only,
        )
        self._problems = [self.config.problem] if self.config.problem else []
        self._problems += self.config.ignored
        if self.config.theme not in {None, *self.available_themes}:
            self._problems.append(
                f"{self.config.file.name}: there is no theme {self.config.theme!r}"
            )
        for column in unknown(self.config.columns):
            self._problems.append(f"{self.config.file.name}: there is no column {column!r}")
        try:
            self.set_keymap(keymap(self.config.keys))
        except BadInput as error:
            self._problems.append(f"{self.config.file.name}: {error.message}")
            self.config.keys = {}  # the usual ones work, so they are those that are shown

    # How it starts and ends

    def on_mount(self) -> None:
        """Begin to look at the registry."""
        self._is_shown = True
        on_signals(self._end)
        self.set_class(self.signs is signs.ASCII, "-ascii")
        self.set_interval(LOOK, self._look)
        self.set_interval(LOOK_AT_WATCHERS, self.look_at_watchers)
        self.call_after_refresh(self._settle)

    def get_driver_class(self) -> type[Driver]:
        """Return what reads the terminal: whatever it sends, the app goes on."""
        from textual.drivers.linux_driver import LinuxDriver

        found = super().get_driver_class()
        if found is not LinuxDriver:
            return found
        from regtui.tui.driver import TolerantDriver

        return TolerantDriver

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every line goes through before it is painted."""
        return [*super().get_line_filters(), *self._ascii_filters]

    def get_css_variables(self) -> dict[str, str]:
        """Return the colours of the theme, none of them left open."""
        variables = super().get_css_variables()
        return variables | themes.solid(variables) | themes.cursors()

    def refresh_css(self, animate: bool = True) -> None:
        """Read all styles anew; before anything is shown they were read with these colours."""
        if self._is_shown:
            super().refresh_css(animate)

    def _end(self, code: int) -> None:
        self.exit(return_code=code)

    async def on_unmount(self) -> None:
        """Let what runs end with the app, and what was chosen be written."""
        await self.syncing.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LEAVING):
                await in_background(self.config.write)
        self.reader.close()

    def _settle(self) -> None:
        """Go from starting to running, once the first paint is done.

        While modules are loaded no garbage is looked for; from now on it is, but not among them.
        """
        gc.freeze()
        gc.set_threshold(*COLLECTING)
        for problem in self._problems:
            self.notify(problem, severity="warning", timeout=10)
        start(self, self._look, group="look")  # who is signed in, what waits
        self.syncing.begin()

    # The registry

    async def act(self, verb: Callable[[Registry], T]) -> T | None:
        """Run a verb that writes, in a thread; None where it failed, which is shown."""
        if self.read_only:
            self.notify(READ_ONLY, severity="warning")
            return None
        async with self._writing:
            try:
                self._refuse_gone()
                answer = await asyncio.to_thread(verb, self.registry)
            except Exception as error:  # noqa: BLE001 -- shown, whatever it is
                self.show_error(error)
                return None
        await self._look()
        return answer

    def keep(self, done: str = "", **chosen: Any) -> None:
        """Keep choices in `config.toml`; they hold at once, whatever the disk does.

        Args:
            done: What to tell when they are written; empty for nothing.
            chosen: Values by the name of the attribute of `AppConfig`.
        """
        self.config.choose(**chosen)
        start(self, self._keep, done, group="keep", together=True)

    async def _keep(self, done: str) -> None:
        problem = await in_background(self.config.write)
        if problem is not None:
            self.notify(problem, severity="warning")
        elif done:
            self.notify(done)

    def take_ahead(self, query: str) -> Ahead | None:
        """Return the rows that were read ahead, once, where they are those of the query."""
        ahead, self._ahead = self._ahead, None
        return ahead if ahead is not None and ahead.query == query else None

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: "SeverityLevel" = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 -- widgets pass True on without being asked
    ) -> None:
        """Show a message, never as markup: names and values of people stand in it.

        What is wrong is not shown once more while it is still there: a key that repeats would hide
        the screen behind it.
        """
        now = time.monotonic()
        if severity != "information" and now < self._warned.get(message, 0.0):
            return
        shown = self.NOTIFICATION_TIMEOUT if timeout is None else timeout
        self._warned = {text: until for text, until in self._warned.items() if until > now}
        self._warned[message] = now + shown
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    def show_error(self, error: BaseException, *, quiet: bool = False) -> None:
        """Show what went wrong, and what to do about it.

        Args:
            error: What was raised.
            quiet: Whether it only goes into the title line.
        """
        if isinstance(error, RegtuiError):
            text = error.message + (f"\n{error.hint}" if error.hint else "")
        elif isinstance(error, OSError):
            text = f"the system refused it: {error.strerror or error}"
        else:
            text = f"something unforeseen happened ({type(error).__name__}: {error})"
        line = text.splitlines()[0]
        self.status = msgspec.structs.replace(self.status, message=line[:60])
        if not quiet:
            severity = "warning" if isinstance(error, Busy) else "error"
            self.notify(text, title="", severity=severity, timeout=8, markup=False)  # type: ignore[arg-type]

    def _handle_exception(self, error: Exception) -> None:
        """Show what nobody foresaw, and go on: a person's work must not end with a traceback."""
        if self._raises or not self.is_running or self._told_unforeseen > MANY:
            super()._handle_exception(error)
            return
        self._told_unforeseen += 1
        self.show_error(error.error if isinstance(error, WorkerFailed) else error)

    def _refuse_gone(self) -> None:
        """Refuse to make a new registry in the place of one that went away meanwhile."""
        if self._started and not self.registry.context.replica.home.exists():
            raise NotFound(
                f"the registry {self.registry.home} is gone",
                "bring its folder back, or leave and restore a backup",
            )

    async def look_again(self) -> None:
        """Look at the registry though nobody committed anything: at what lies beside it."""
        await self._look(anyway=True)

    async def _look(self, *, anyway: bool = False) -> None:
        """Look whether somebody committed something, and show it; end where nobody sees it."""
        if not self.is_headless and is_hung_up():
            self._end(HUNG_UP)
            return
        try:
            now = self.registry.context.replica.home.written()
        except OSError as error:
            self.show_error(error, quiet=True)
            return
        is_new = now != self._written or not self._has_looked
        if not (is_new or anyway or self.status.message):
            return
        if self._written is not None and now != self._written:
            self._has_changed = True
        self._written = now
        try:
            status = await self.reader.read(look, lane="status")
        except Superseded:
            return
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self.show_error(error, quiet=self.status.message != "")
            return
        self._told_unforeseen = 0
        before, is_first = self.status, not self._has_looked
        self._started = self._has_looked = True
        self.status = msgspec.structs.replace(
            status,
            person=status.person or self.registry.context.actor.name,
            read_only=self.read_only,
            watched=before.watched,
            syncing=before.syncing,
        )
        if not is_first:  # else the start would ask the network
            self.syncing.status_changed(before, self.status)
        if self._has_changed:
            self._tell_change()

    def look_at_watchers(self) -> None:
        """Look what watchers report, and show it."""
        start(self, self._look_at_watchers, group="watchers")

    async def _look_at_watchers(self) -> None:
        from regtui.capture import reports
        from regtui.registry.watch_status import status_stamp

        home = self.registry.home
        now = await asyncio.to_thread(status_stamp, home)
        is_old = time.monotonic() - self._watchers_looked >= reports.BEAT
        if now == self._watchers_stamp and not is_old:
            return
        self._watchers_stamp, self._watchers_looked = now, time.monotonic()
        found = await asyncio.to_thread(reports.reports, home)
        watched = len({report.root for report in found} - {""})
        self.status = msgspec.structs.replace(self.status, watched=watched)
        for screen in self.screen_stack:
            if isinstance(screen, RegtuiScreen):
                screen.watchers_changed()

    def _tell_change(self) -> None:
        self._has_changed = False
        self.changes += 1
        for screen in self.screen_stack:
            if isinstance(screen, RegtuiScreen):
                screen.registry_changed()

    # What keys do

    def offer_first_steps(self) -> None:
        """Offer what one does first, on a registry that holds nothing yet."""
        from regtui.tui.acts.first_steps import first_steps

        start(self.screen, first_steps, self, group="act", together=True)

    async def open_demo(self) -> None:
        """Make the demo, unless it is there, and leave for it: `next_home` says where it is."""
        from regtui.demo.make import make_demo

        self.notify("training a few small models …", timeout=10)
        try:
            made = await asyncio.to_thread(make_demo)
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self.show_error(error)
        else:
            self.next_home = made.home
            self.exit()

    def do_models(self) -> None:
        """Go to the models."""
        self.switch_mode("models")

    async def do_compare(self) -> None:
        """Go to the comparison; of what is marked, where something is."""
        from regtui.tui.acts.comparing import compare

        marks = self.screen.versions.marks if isinstance(self.screen, ModelsScreen) else {}
        if len(marks) > 1:
            await compare(self, [row.version for row in marks.values()])
        else:
            await self.switch_mode("compare")

    def do_reviews(self) -> None:
        """Go to the promotion requests."""
        self.switch_mode("reviews")

    def do_deployments(self) -> None:
        """Go to what is live where."""
        self.switch_mode("deployments")

    def do_watch(self) -> None:
        """Go to the watched folders."""
        self.switch_mode("watch")

    def do_conflicts(self) -> None:
        """Go to conflicts, and to what waits for the server."""
        self.switch_mode("conflicts")

    def do_activity(self) -> None:
        """Go to what was done."""
        self.switch_mode("activity")

    def do_settings(self) -> None:
        """Go to the settings."""
        self.switch_mode("settings")

    def do_sync(self) -> None:
        """Sync now; again stops it. Where nobody is signed in, do that first."""
        if not self._has_looked:
            self.notify("the registry is still being read", severity="warning", timeout=2)
        elif self.status.is_signed_in:
            start(self, self.syncing.now, group="sync", together=True)
        else:
            from regtui.tui.acts.signing_in import get_ready

            start_act(cast("RegtuiScreen", self.screen_stack[0]), get_ready)

    async def compare(self, versions: "list[VersionAnswer]") -> None:
        """Compare versions on the compare screen."""
        self.compared = versions
        await self.switch_mode("compare")
        from regtui.tui.screens.compare import CompareScreen

        if isinstance(self.screen, CompareScreen):
            self.screen.show_versions(versions)

    async def go_to(self, reference: str) -> None:
        """Go to a version, or to a model by its name, on the models screen."""
        await self.switch_mode("models")
        if isinstance(self.screen, ModelsScreen):
            self.screen.go_to(reference)

    def do_help(self) -> None:
        """Show what can be done here."""
        from regtui.tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.screen))

    def do_palette(self) -> None:
        """Find any action by its name."""
        self.action_command_palette()

    async def do_undo(self) -> None:
        """Take back this person's last change."""
        from regtui.tui.acts.history import undo_last

        await undo_last(self)

    async def do_redo(self) -> None:
        """Take back this person's last undo."""
        answer = await self.act(lambda registry: registry.redo())
        if answer is not None:
            from regtui.tui.acts.history import tell_taken_back

            tell_taken_back(self, "redid", answer, "regtui redo")

    def tell_done(self, what: str, lines: list[str], command: str) -> None:
        """Tell what was done, how to take it back, and the command that does the same."""
        text = f"{what} {'; '.join(lines[:3])}{' …' if len(lines) > 3 else ''}"  # noqa: PLR2004
        self.notify(f"{text}\n$ {command}", timeout=5, markup=False)

    def do_back(self) -> None:
        """Go back one step; it never leaves the app."""
        if len(self.screen_stack) > 1:
            self.pop_screen()
        elif self.current_mode != "models":
            self.switch_mode("models")

    def do_refresh(self) -> None:
        """Read the registry anew."""
        self._tell_change()

    def do_theme(self) -> None:
        """Change to the next theme."""
        self.theme = themes.after(self.theme)
        self.keep(f"theme {self.theme}", theme=self.theme)

    def do_jump(self) -> None:
        """Show a letter on every pane, and go to the one that is typed."""
        from regtui.tui.screens.jump import JumpScreen

        self.push_screen(JumpScreen(self.screen))

    def do_screenshot(self) -> None:
        """Save the screen as an SVG file in the current folder."""
        if not may_change(self):
            return
        try:
            name = self.save_screenshot(path=os.getcwd())  # noqa: PTH109
        except OSError as error:
            self.show_error(error)
        else:
            self.notify(f"wrote {name}", markup=False)

    def do_quit(self) -> None:
        """Leave the app."""
        self.exit()

    async def do_action(self, identity: str, node: DOMNode | None = None) -> None:
        """Do an action by its id: where the focus is, or on a node that is told."""
        action = BY_ID[identity]
        for found in [node] if node is not None else self.acting_nodes():
            if isinstance(found, Acting) and action.scope in found.SCOPES:
                await found.action_do(action.name)
                return

    def acting_nodes(self) -> list[DOMNode]:
        """Return what does actions from the focus outwards."""
        start: DOMNode = self.focused or self.screen
        return [*(node for node in start.ancestors_with_self if node is not self), self]
