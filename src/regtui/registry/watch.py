"""Watch: what trainers finish in folders becomes versions, as long as somebody wants.

`regtui.capture` finds out what is ready; this verb chooses the folders, and registers. Any number
of watchers may look at one folder: the content decides what is a version.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from regtui.capture import readers
from regtui.capture.events import Event, happened
from regtui.capture.keep import parse_keep
from regtui.capture.mounts import NETWORK, file_system_of
from regtui.capture.recogniser import USERS_FILE, load
from regtui.capture.reports import BEAT, Doing, Reporter, sweep
from regtui.capture.waking import Waker
from regtui.capture.watcher import Settings, Watcher
from regtui.capture.watching import ENDED, Watching
from regtui.core.errors import BadInput, NotFound, RegtuiError
from regtui.formats import detect
from regtui.registry.context import Context
from regtui.registry.datasets import input_value
from regtui.registry.references import find_version
from regtui.registry.watch_capture import Capturer
from regtui.registry.watch_checks import CaptureChecks
from regtui.registry.watch_rules import FILE, WatchRule, checked, refuse_file, rules, stamp
from regtui.replica.home import configuration_folder

RETRY = 30.0
"""Seconds after which a rule that could not be followed is tried again."""

Stamp = tuple[int, int, int]
"""What tells one state of the rules from another."""


class Stop:
    """Ends a watcher from anywhere, such as a handler of signals."""

    def __init__(self) -> None:
        self.event = threading.Event()
        self._wakers: list[Waker] = []

    def __call__(self, *_: object) -> None:
        """End it: what it has taken is finished."""
        self.event.set()
        for waker in self._wakers:
            waker.wake()

    def wakes(self, waker: Waker) -> None:
        """Wake this one too."""
        self._wakers.append(waker)


def watch(  # noqa: PLR0913 -- everything that a watcher may be told, by name
    context: Context,
    wanted: Sequence[WatchRule],
    tell: Callable[[Event], object],
    *,
    once: bool = False,
    stop: Stop | None = None,
    ended_after: float = ENDED,
    checks: bool = True,
) -> None:
    """Watch folders until it is stopped, or once.

    Args:
        context: The registry.
        wanted: The folders; none for those of the kept rules.
        tell: Is given each event, in this thread.
        once: Whether to end when nothing is ready any more.
        stop: Ends it.
        ended_after: Seconds without change after which a run has ended.
        checks: Whether the checks that go with a capture are run, beside it.

    Raises:
        BadInput: There is nothing to watch, or a rule or recogniser is malformed.
        NotFound: Once, and a folder that was named is not there.
        RegtuiError: The home may not be written, or is removed or moved meanwhile.
    """
    before = stamp(context.home)
    chosen = [checked(one) for one in wanted] or rules(context.home)
    for rule in chosen if wanted else ():
        refuse_file(rule)
        if once and not rule.folder.exists():  # nobody waits for it to come
            raise NotFound(f"there is no folder {rule.path}", "name one that is there")
    if not chosen:
        raise BadInput(
            "there is nothing to watch", "name a folder, or `regtui watch add PATH` keeps one"
        )
    stop = stop or Stop()
    context.replica.make()
    gone: list[Exception] = []

    def told(event: Event) -> None:
        """Tell an event; where nobody can be told any more, the watcher ends in its own time."""
        try:
            if not gone:
                tell(event)
        except Exception as error:  # noqa: BLE001 -- raised again at the end
            gone.append(error)
            stop()

    # While a module is loaded nobody looks at the folders, and a state may come and go meanwhile.
    readers.load()
    detect.load()
    followed = None if wanted else before or (0, 0, 0)
    folders = _Folders(context, told, chosen, followed)
    checking = CaptureChecks(context, folders.told_later, wanted=checks)

    def happens(event: Event) -> None:
        folders.told(event)
        checking.heard(event)

    waker = Waker(context.home, folders.has_no_events)
    stop.wakes(waker)
    capturer = Capturer(context, folders.rules)
    sweep(context.home)
    watching = Watching(
        folders.current,
        capture=capturer.capture,
        relabel=capturer.relabel,
        report=folders.report,
        waker=waker,
        tell=happens,
        stop=stop.event,
        once=once,
        ended_after=ended_after,
    )
    finished = False
    try:
        watching.run()
        finished = once and not stop.event.is_set()
    finally:
        checking.close(stop.event, finish=finished)
        folders.close()
    if gone:
        raise gone[0]


class _Folders:
    """The folders that are watched: those that were named, or those of the rules, as they are now.

    Args:
        context: The registry.
        tell: Is given each event.
        chosen: What to watch at first.
        followed: What the rules were like when that was read, to follow them; None not to.

    Attributes:
        rules: How each folder is watched, by its watcher; those that were watched before too.
    """

    def __init__(
        self,
        context: Context,
        tell: Callable[[Event], None],
        chosen: Sequence[WatchRule],
        followed: Stamp | None,
    ) -> None:
        self._context = context
        self._tell = tell
        self._by_rules = by_rules = followed is not None
        self._stamp: Stamp | None = followed
        self._failed: set[str] = set()
        self._again: float | None = None
        self._reporters: dict[Path, Reporter] = {}
        self._late: list[Event] = []
        # Who looks at folders must not wait for a disk: reports are written beside it.
        self._writing = ThreadPoolExecutor(1, thread_name_prefix="report")
        self._renewing: dict[Path, Future[None]] = {}
        self._reported = -BEAT
        self._own = Reporter(context.home, None, by_rules=True) if by_rules else None
        self._current: list[Watcher] = []
        self.rules: dict[Watcher, WatchRule] = {}
        self._report_own()
        self._take(chosen)

    def current(self) -> list[Watcher]:
        """Return a watcher for each folder that is to be watched now.

        Raises:
            RegtuiError: The registry is gone.
        """
        self._context.replica.check_there()
        self._report_own()
        if not self._by_rules:
            return self._current
        now = stamp(self._context.home)
        is_due = self._again is not None and time.monotonic() >= self._again
        if now != self._stamp or is_due:
            if now != self._stamp:
                self._failed.clear()
            self._stamp, self._again = now, None
            try:
                self._take(rules(self._context.home))
            except Exception as error:  # noqa: BLE001 -- what is watched goes on
                self._fail(self._context.home / FILE, error)
        return self._current

    def _fail(self, path: Path, error: Exception) -> None:
        """Tell once what is wrong with a rule or all of them, and try again later."""
        self._again = time.monotonic() + RETRY
        message = f"{error}; what was watched before goes on"
        if message not in self._failed:
            self._failed.add(message)
            self.told(happened("failed", str(path), message))

    def _report_own(self) -> None:
        """Report that the rules are followed, even where they name no folder any more."""
        if self._own is not None and time.monotonic() - self._reported > BEAT:
            self._reported = time.monotonic()
            self._writing.submit(self._own.renew)

    def _take(self, wanted: Sequence[WatchRule]) -> None:
        """Watch by other rules; the watchers of folders that are watched as before stay."""
        before = {self.rules[one].path: one for one in self._current}
        chosen = {rule.path: rule for rule in wanted}
        new: dict[str, Watcher] = {}
        for path, rule in chosen.items():
            if path in before and _is_same(self.rules[before[path]], rule):
                continue
            try:
                check_named(self._context, rule)
                new[path] = _watcher(self._context, rule, self.told)
            except RegtuiError as error:
                if not self._by_rules or len(chosen) == 1:
                    raise
                self._fail(Path(path), error)  # the other folders are watched all the same
        chosen = {path: rule for path, rule in chosen.items() if path in new or path in before}
        for path, watcher in new.items():
            self._reporters[watcher.root] = Reporter(
                self._context.home, watcher.root, by_rules=self._by_rules
            )
            self.told(happened("watching", path, _how(watcher)))
        self._current = [new[path] if path in new else before[path] for path in chosen]
        self.rules |= {
            one: chosen[path]
            for path, one in zip(chosen, self._current, strict=True)
            if path in new or _is_same(self.rules[one], chosen[path])
        }
        for path in before.keys() - chosen.keys():
            self._end(Path(path))

    def has_no_events(self, root: Path, reason: str) -> None:
        """Take note that the system tells nothing of a folder; called in another thread."""
        self.told_later(happened("timer", str(root), f"no events come: {reason}"))

    def told_later(self, event: Event) -> None:
        """Take an event from another thread; it is told with the next one, or the next report."""
        self._late.append(event)

    def told(self, event: Event) -> None:
        """Tell an event, and keep it for who asks later."""
        self._tell_late()
        self._tell_now(event)

    def _tell_late(self) -> None:
        """Tell what came from another thread."""
        while self._late:
            self._tell_now(self._late.pop(0))

    def _tell_now(self, event: Event) -> None:
        reporter = self._reporters.get(Path(event.root))
        if reporter is not None:
            self._writing.submit(reporter.tell, event)
        self._tell(event)

    def report(self, watcher: Watcher, doing: Sequence[Doing], more: int) -> None:
        """Report what is being done in a folder."""
        self._tell_late()
        self._report_own()
        reporter, before = self._reporters.get(watcher.root), self._renewing.get(watcher.root)
        if reporter is None or (before is not None and not before.done()):
            return  # the next one tells it too
        self._renewing[watcher.root] = self._writing.submit(
            reporter.renew,
            doing,
            more=more,
            events=not watcher.network,
            is_there=watcher.is_there,
        )

    def close(self) -> None:
        """End them all."""
        self._tell_late()
        for watcher in self._current:
            self._end(watcher.root)
        if self._own is not None:
            self._writing.submit(self._own.close)
        self._writing.shutdown()

    def _end(self, root: Path) -> None:
        self.told(happened("stopped", str(root)))
        reporter = self._reporters.pop(root, None)
        if reporter is not None:
            self._writing.submit(reporter.close)


def check_named(context: Context, rule: WatchRule) -> None:
    """Refuse a rule that names versions or datasets that are not there.

    Raises:
        NotFound: There is no such version, or no such dataset.
    """
    if not rule.parents and not rule.inputs:
        return
    with context.reading() as connection:
        for reference in rule.parents:
            find_version(connection, reference)
        for name, uri in rule.datasets.items():
            input_value(connection, name, uri)


def _is_same(one: WatchRule, other: WatchRule) -> bool:
    """Tell whether a watcher by one rule watches by another one too: what is left differs later."""
    return (one.path, one.exclude, _ends(one)) == (other.path, other.exclude, _ends(other))


def settings_of(context: Context, rule: WatchRule) -> Settings:
    """Return how a folder is watched by a rule.

    Raises:
        BadInput: A recogniser of the user's is malformed.
    """
    return Settings(
        recognisers=load(configuration_folder() / USERS_FILE),
        exclude=rule.exclude,
        skip=(context.home,),
        network=file_system_of(rule.folder.resolve()) in NETWORK,
        ends=_ends(rule),
    )


def _ends(rule: WatchRule) -> bool:
    """Tell whether it matters to what is kept that a run has ended."""
    return any(one.kind == "final" for one in parse_keep(rule.keep))


def _watcher(context: Context, rule: WatchRule, tell: Callable[[Event], None]) -> Watcher:
    settings = settings_of(context, rule)
    context.replica.check_there()  # the watcher makes folders in it
    watcher = Watcher(rule.folder, context.home, settings, tell)
    watcher.memory.keep_only(_known(context, watcher.memory.versions))
    return watcher


def _known(context: Context, versions: Iterable[str]) -> set[str]:
    """Return those of some versions that the registry has, in whatever state."""
    wanted = list(versions)
    if not wanted:
        return set()
    with context.reading() as connection:
        rows = connection.execute(
            "select id::varchar from base.version where id in (select unnest(?::uuid[]))", [wanted]
        ).fetchall()
    return {str(row[0]) for row in rows}


def _how(watcher: Watcher) -> str:
    return "by a timer: it is on a network mount" if watcher.network else "by events and a timer"
