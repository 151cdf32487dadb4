"""The frame of every screen: title line, body, footer; and the way into the registry."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.screen import Screen
from textual.widget import Widget

from regtui.registry import Registry
from regtui.tui.acting import Acting
from regtui.tui.reader import Superseded
from regtui.tui.widgets.action_footer import ActionFooter
from regtui.tui.widgets.title_line import TitleLine

if TYPE_CHECKING:
    from textual.timer import Timer

T = TypeVar("T")


class RegtuiScreen(Acting, Screen[None]):
    """A screen of the app.

    Reading and acting go through `read` and `act`: off this thread, with what goes wrong shown as a
    message. Both give None then, so that callers go on with what they have.
    """

    NAME = ""
    """What the title line calls it."""

    AUTO_FOCUS = None

    def __init__(self) -> None:
        super().__init__()
        self._is_new = True

    def compose(self) -> ComposeResult:
        """Compose the frame around the body."""
        self._take_size()
        yield TitleLine(self.NAME)
        yield from self.body()
        yield ActionFooter()

    def _take_size(self) -> None:
        """Have the classes of the terminal's size before anything is styled.

        Else all is styled and laid out once without them, and then again.
        """
        app = self.regtui
        sides = (
            (app.size.width, app.HORIZONTAL_BREAKPOINTS),
            (app.size.height, app.VERTICAL_BREAKPOINTS),
        )
        for cells, breakpoints in sides:
            fitting = [name for least, name in sorted(breakpoints or ()) if least <= cells]
            self._classes.update(fitting[-1:])

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """Style nothing again that was styled just now; Textual's own handler comes after this."""
        if self._is_new:
            self._is_new = False
            event.refresh_styles = False

    def body(self) -> Iterable[Widget]:
        """Return what stands between title and footer."""
        return ()

    def registry_changed(self) -> None:
        """Show what another process, or this one, committed. Called on the screen that is shown."""

    def watchers_changed(self) -> None:
        """Show what watchers report now. Called on the screen that is shown."""

    async def read(
        self,
        verb: Callable[[Registry], T],
        *,
        lane: str = "",
        quiet: bool = False,
        urgent: bool = False,
    ) -> T | None:
        """Run a verb that reads; None where it failed, which is shown, or was superseded.

        Args:
            verb: Is called in the reader's thread.
            lane: What a newer request makes it pointless for.
            quiet: Whether a failure is not shown, because the next look will show it anyway.
            urgent: Whether a person looks at where it will show.
        """
        try:
            return await self.regtui.reader.read(
                verb, lane=f"{self.NAME}.{lane}" if lane else "", urgent=urgent
            )
        except Superseded:
            return None
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self.regtui.show_error(error, quiet=quiet)
            return None

    async def painted(self) -> None:
        """Wait until what was shown so far is on the screen."""
        done = asyncio.Event()
        self.call_after_refresh(done.set)
        await done.wait()

    def after(self, seconds: float, what: Callable[[], None]) -> "Timer":
        """Call something later, unless the app is ending by then: its widgets go one by one."""

        def call() -> None:
            if self.app.is_running:
                what()

        return self.set_timer(seconds, call)

    async def act(self, verb: Callable[[Registry], T]) -> T | None:
        """Run a verb that writes, in a thread; None where it failed, which is shown."""
        return await self.regtui.act(verb)
