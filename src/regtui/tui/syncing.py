"""Syncing while the app runs: beside the keys, from time to time and when the person asks.

A sync runs in a thread of its own, and only one at a time. What it brings is a commit like that of
any other process: the app notices it and shows it without moving the cursor. Nothing is asked of
the network before the first screen is painted, nor where nobody is signed in.
"""

import asyncio
import threading
from typing import TYPE_CHECKING

import msgspec

from regtui.core.errors import Busy, Denied, RegtuiError, Unreachable
from regtui.core.wording import count_text
from regtui.registry.figures import size_text
from regtui.tui import sync_pace
from regtui.tui.background import in_background
from regtui.tui.jobs import Stopped
from regtui.tui.key_names import key_of
from regtui.tui.sync_pace import Pace

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.sync.client import Step, Synced
    from regtui.tui.app import RegtuiApp
    from regtui.tui.registry_status import Status

LOOK = 0.2
"""Seconds between two looks at how far a sync is."""

UNSEEN = 5
"""Looks during which a sync that nobody asked for does not show: most are over by then."""

LEAVING = 5.0
"""Seconds that the end of the app waits for a sync that works on the registry."""

COMMAND = "regtui sync"

HEALING = "the server was restored from a backup and takes back what it lost"


class Syncing:
    """Syncs the registry of an app.

    Args:
        app: The app.
    """

    def __init__(self, app: "RegtuiApp") -> None:
        self._app = app
        self._pace = Pace()
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._run: _Run | None = None
        self._told = ""
        """The last failure that was told: it is not told again until a sync succeeds."""
        self._withheld: list[str] = []
        """The versions that were told whose files may not be sent: once, as they are."""

    # When

    def begin(self) -> None:
        """Begin to sync from time to time, where that is wanted; first after the shortest pause."""
        if not self._app.read_only and self._loop is None:
            self._loop = asyncio.create_task(self._from_time_to_time())

    async def close(self) -> None:
        """End with the app: let a sync finish what it does to the registry, and nothing else."""
        if self._loop is not None:
            self._loop.cancel()
        run = self._run
        if run is None:
            return
        run.stop()
        if run.task is not None and run.step == "storing":
            await asyncio.wait({run.task}, timeout=LEAVING)

    def status_changed(self, before: "Status", now: "Status") -> None:
        """Take in what changed: what waits since is sent soon, who signed in is synced soon.

        Where the server is away nothing is: it would be asked at every change.
        """
        if now.is_signed_in and not before.is_signed_in:
            self._pace = Pace()
            self._wake.set()
        elif now.waiting > before.waiting and not self._pace.is_away:
            self._wake.set()

    @property
    def _may_sync(self) -> bool:
        return self._app.config.sync and self._app.status.is_signed_in and self._run is None

    async def _from_time_to_time(self) -> None:
        has_synced = False
        while True:
            if has_synced and self._may_sync and not self._pace.is_away:
                is_time = await self._listen()
            else:
                is_time = await self._rest()
            if is_time and self._may_sync:
                self._wake.clear()  # what is changed from now on is for the next one
                await self._sync(is_asked=False)
                has_synced = True

    async def _rest(self) -> bool:
        """Wait as long as the pace says, or a moment after something was changed here."""
        try:
            async with asyncio.timeout(self._pace.seconds):
                await self._wake.wait()
        except TimeoutError:
            return True
        return await self._gather()

    async def _listen(self) -> bool:
        """Wait till somebody changed something here or there; False where the server is away."""
        registry, over = self._app.registry, threading.Event()

        def wait() -> bool:
            return registry.wait_for_news(sync_pace.IDLE, is_over=over.is_set)

        news = asyncio.ensure_future(in_background(wait))
        change = asyncio.ensure_future(self._wake.wait())
        try:
            await asyncio.wait({news, change}, return_when=asyncio.FIRST_COMPLETED)
            if news.done():
                news.result()  # whether there is news or the time is over: it is time
                return True
            return await self._gather()
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self._pace.went("away")
            self._tell_failure(error, is_asked=False)
            return False
        finally:
            over.set()
            change.cancel()
            news.cancel()

    async def _gather(self) -> bool:
        """Let what is done at once go in one request."""
        await asyncio.sleep(sync_pace.SOON)
        return True

    # A sync

    @property
    def is_running(self) -> bool:
        """Whether a sync runs."""
        return self._run is not None

    async def now(self) -> None:
        """Sync now and tell how it went; where that is being done already, stop it."""
        run = self._run
        if run is None:
            await self._sync(is_asked=True)
        elif run.is_asked:
            run.stop()
        else:
            run.is_asked = True  # it runs by itself: now somebody wants to hear of it

    async def _sync(self, *, is_asked: bool) -> None:
        app = self._app
        run = self._run = _Run(app.registry, is_asked=is_asked)
        task = run.task = asyncio.ensure_future(in_background(run.work))
        try:
            looks = 0
            while not (await asyncio.wait({task}, timeout=LOOK))[0]:
                looks += 1
                if run.is_asked or looks > UNSEEN:
                    self._show(run.text)
            done = task.result()
        except Stopped:
            if run.is_asked:
                app.notify("stopped: what was sent and read so far stays", severity="warning")
        except Exception as error:  # noqa: BLE001 -- shown, whatever it is
            self._pace.went("away")
            self._tell_failure(error, is_asked=run.is_asked)
        else:
            self._told = ""
            self._pace.went("news" if is_news(done) else "nothing")
            self._tell(done, is_asked=run.is_asked)
        finally:
            run.stop()  # where the app ends meanwhile
            self._run = None
            self._show("")

    def _show(self, text: str) -> None:
        if self._app.status.syncing != text:
            self._app.status = msgspec.structs.replace(self._app.status, syncing=text)

    # What is told

    def _tell(self, done: "Synced", *, is_asked: bool) -> None:
        app = self._app
        if is_asked:
            app.notify(f"{summary(done)}\n$ {COMMAND}", timeout=5)
        for line in concerns(done, key_of(app, "app.conflicts")):
            app.notify(line, severity="warning", timeout=8)
        if done.withheld and (is_asked or done.withheld != self._withheld):
            count = count_text(len(done.withheld), "version")
            line = f"files of {count} stay here: you may not write to these models (any more)"
            app.notify(line, severity="warning", timeout=8)
        self._withheld = done.withheld
        is_new = app.status.remote is None or app.status.remote.state != "healing"
        if done.healing and (is_asked or is_new):
            app.notify(HEALING, severity="warning", timeout=8)

    def _tell_failure(self, error: Exception, *, is_asked: bool) -> None:
        """Tell why a sync failed: who asked for it always, else once, where it won't go away."""
        passes = isinstance(error, Unreachable | Busy)
        text = str(error)
        if not is_asked and (passes or text == self._told):
            return
        self._told = text
        if isinstance(error, Denied) and error.code == "signed_out":
            key = key_of(self._app, "app.settings")
            error = RegtuiError(error.message, f"your work is kept here; {key} signs you in")
        self._app.show_error(error)


class _Run:
    """One sync that runs; the thread says what it does, and is told to stop."""

    def __init__(self, registry: "Registry", *, is_asked: bool) -> None:
        self.is_asked = is_asked
        self.step: Step = "asking"
        self.text = "syncing"
        self.task: asyncio.Task[Synced] | None = None
        self._registry = registry
        self._is_stopped = False
        self._bytes = 0

    def work(self) -> "Synced":
        """Sync, in the thread.

        Raises:
            Stopped: It is not wanted any more.
            RegtuiError: Whatever became of it.
        """
        try:
            return self._registry.sync(on_step=self.told, on_progress=self.count)
        finally:
            self.step = "asking"  # nothing more is done to the registry

    def stop(self) -> None:
        """Let it end at its next step."""
        self._is_stopped = True
        self.text = "stopping"

    def told(self, step: "Step", done: "Synced") -> None:
        """Take in what the sync does next, in its thread.

        Raises:
            Stopped: It is not wanted any more.
        """
        self._go_on()
        self.step = step
        counts = [f"{n:,} {what}" for n, what in ((done.pushed, "sent"), (done.pulled, "got")) if n]
        self.text = " ".join(["syncing", *counts])

    def count(self, size: int) -> None:
        """Take in that more bytes of files are done, in some thread.

        Raises:
            Stopped: It is not wanted any more.
        """
        self._go_on()
        self.step = "asking"
        self._bytes += size
        self.text = f"syncing {size_text(self._bytes)}"

    def _go_on(self) -> None:
        if self._is_stopped:
            raise Stopped


def is_news(done: "Synced") -> bool:
    """Tell whether a sync sent or brought anything."""
    files = done.sent_files + done.fetched_files
    return any((done.pushed, done.pulled, done.purged, done.refetched, done.healing, files))


def summary(done: "Synced") -> str:
    """Return in one line what a sync did."""
    sent, got = count_text(done.pushed, "change"), count_text(done.pulled, "record")
    parts = [f"sent {sent}", f"got {got}"]
    if done.sent_files:
        parts.append(
            f"{count_text(done.sent_files, 'file')} went up ({size_text(done.sent_bytes)})"
        )
    if done.fetched_files:
        size = size_text(done.fetched_bytes)
        parts.append(f"{count_text(done.fetched_files, 'file')} came down ({size})")
    return ", ".join(parts) if is_news(done) else "nothing to send, nothing new"


def concerns(done: "Synced", key: str) -> list[str]:
    """Return what of a sync a person should know of, a sentence each.

    Args:
        done: What the sync did.
        key: The key that leads to conflicts and outbox.
    """
    found = []
    if done.rejected:
        found.append(f"{count_text(done.rejected, 'change')} refused; {key} tells why")
    if done.conflicted:
        found.append(f"{count_text(done.conflicted, 'conflict')}; {key} settles it")
    if done.purged:
        found.append(f"{count_text(done.purged, 'record')} may not be read any more")
    if done.kept:
        found.append(f"{count_text(done.kept, 'file')} of these were never sent: they stay here")
    if done.absent:
        found.append(
            f"files of {count_text(len(done.absent), 'version')} are to be had nowhere yet"
        )
    if done.differing:
        found.append(
            f"{count_text(len(done.differing), 'model')} differ from what the server says of them; "
            "its operator should run `regtui-server doctor`"
        )
    elif done.refetched:
        found.append(f"{count_text(done.refetched, 'model')} differed from the server's, came anew")
    return found
