"""What wakes a watcher: events of the file system, and a timer, for some events get lost.

Events are hints. They say that it is worth looking, never what there is: they are lost when many
come at once, writes through a mapping give none, and network mounts give none at all. Where the
system refuses to watch (inotify's limits), the timer alone is left.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

TIMER: Final = 5.0
TIMER_NETWORK: Final = 30.0
TIMER_MISSING: Final = 1.0
"""Seconds between two walks without any event; the last of a folder that is not there."""

_DEBOUNCE_MS: Final = 50
_STEP_MS: Final = 10

Failed = Callable[[Path, str], None]


class Waker:
    """Lets a thread sleep until something may have happened.

    Args:
        ignore: A folder whose events mean nothing: the registry's own.
        failed: Is told why a folder can't be watched by events; called in another thread.
    """

    def __init__(self, ignore: Path, failed: Failed) -> None:
        self._ignored = str(ignore.resolve())
        self._failed = failed
        self._woken = threading.Event()
        self._has_happened = False
        self._ended = threading.Event()
        self._listening: dict[Path, _Listening] = {}

    def watch(self, root: Path) -> None:
        """Be woken by events below a folder, if it is there; one that was made anew is another."""
        key = _key_of(root)
        known = self._listening.get(root)
        if key is None or (known is not None and known.key == key):
            return
        if known is not None:
            known.end.set()
        end = threading.Event()
        self._listening[root] = _Listening(key, end)
        arguments = (root, end)
        threading.Thread(target=self._listen, args=arguments, name="events", daemon=True).start()

    def forget(self, root: Path) -> None:
        """Be woken no more by events below a folder."""
        known = self._listening.pop(root, None)
        if known is not None:
            known.end.set()

    def wake(self, *_: object) -> None:
        """Tell whoever waits that something happened; safe anywhere, in a signal's handler too."""
        self._has_happened = True
        self._woken.set()

    def nudge(self, *_: object) -> None:
        """Wake whoever waits though nothing happened in a folder."""
        self._woken.set()

    def wait(self, seconds: float, least: float = 0.0) -> bool:
        """Return after some seconds, or when something happened, but not before `least` seconds.

        Returns:
            Whether something happened in a folder, as far as is known.
        """
        started = time.monotonic()
        self._woken.wait(seconds)
        self._ended.wait(max(0.0, least - (time.monotonic() - started)))
        if not self._woken.is_set():
            return False
        # In this order: what comes in between wakes the next one who waits, and is not lost.
        self._woken.clear()
        happened, self._has_happened = self._has_happened, False
        return happened

    def end(self) -> None:
        """Listen no more, and let nobody wait."""
        self._ended.set()
        self._woken.set()
        for one in self._listening.values():
            one.end.set()

    def _listen(self, root: Path, end: threading.Event) -> None:
        from watchfiles import watch

        try:
            events = watch(
                root, watch_filter=lambda _, path: not path.startswith(self._ignored),
                debounce=_DEBOUNCE_MS, step=_STEP_MS, stop_event=end, rust_timeout=1000,
                raise_interrupt=False, ignore_permission_denied=True,
            )  # fmt: skip
            for _ in events:
                self.wake()
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, the timer is left
            self._failed(root, str(error) or type(error).__name__)


class _Listening(NamedTuple):
    """Who listens to a folder."""

    key: tuple[int, int]
    end: threading.Event


def _key_of(root: Path) -> tuple[int, int] | None:
    try:
        status = root.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
