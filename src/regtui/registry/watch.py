"""Watch: what trainers finish in folders becomes versions, as long as somebody wants.

`regtui.capture` finds out what is ready; this verb chooses the folders, and registers. Any number
of watchers may look at one folder: the content decides what is a version.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from regtui.capture.events import Event, happened
from regtui.capture.keep import parse_keep
from regtui.capture.mounts import NETWORK, file_system_of
from regtui.capture.recogniser import USERS_FILE, load
from regtui.capture.waking import Waker
from regtui.capture.watcher import Settings, Watcher
from regtui.capture.watching import ENDED, Watching
from regtui.core.errors import BadInput
from regtui.registry.context import Context
from regtui.registry.watch_capture import Capturer
from regtui.registry.watch_rules import WatchRule, checked, rules
from regtui.replica.home import configuration_folder


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
) -> None:
    """Watch folders until it is stopped, or once.

    Args:
        context: The registry.
        wanted: The folders; none for those of the kept rules.
        tell: Is given each event, in this thread.
        once: Whether to end when nothing is ready any more.
        stop: Ends it.
        ended_after: Seconds without change after which a run has ended.

    Raises:
        BadInput: There is nothing to watch, or a rule or recogniser is malformed.
        RegtuiError: The home may not be written.
    """
    chosen = [checked(one) for one in wanted] or rules(context.home)
    if not chosen:
        raise BadInput(
            "there is nothing to watch", "name a folder, or `regtui watch add PATH` keeps one"
        )
    stop = stop or Stop()
    context.replica.make()
    failures: list[Event] = []
    gone: list[Exception] = []

    def failed(root: Path, reason: str) -> None:
        failures.append(happened("timer", str(root), f"no events come: {reason}"))

    waker = Waker(context.home, failed)
    stop.wakes(waker)

    def told(event: Event) -> None:
        """Tell an event; where nobody can be told any more, the watcher ends in its own time."""
        try:
            while failures and not gone:
                tell(failures.pop(0))
            if not gone:
                tell(event)
        except Exception as error:  # noqa: BLE001 -- raised again at the end
            gone.append(error)
            stop()

    watchers = {_watcher(context, rule, told): rule for rule in chosen}
    capturer = Capturer(context, watchers)
    for watcher in watchers:
        told(happened("watching", str(watcher.root), _how(watcher)))
    Watching(
        list(watchers),
        capture=capturer.capture,
        relabel=capturer.relabel,
        waker=waker,
        tell=told,
        stop=stop.event,
        once=once,
        ended_after=ended_after,
    ).run()
    for watcher in watchers:
        told(happened("stopped", str(watcher.root)))
    if gone:
        raise gone[0]


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
        ends=any(one.kind == "final" for one in parse_keep(rule.keep)),
    )


def _watcher(context: Context, rule: WatchRule, tell: Callable[[Event], None]) -> Watcher:
    watcher = Watcher(rule.folder, context.home, settings_of(context, rule), tell)
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
