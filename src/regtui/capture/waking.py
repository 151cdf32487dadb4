"""What wakes a watcher: events of the file system, and a timer, for some events get lost.

Events are hints. They say that it is worth looking, never what there is: they are lost when many
come at once, writes through a mapping give none, and network mounts give none at all. Where the
system refuses to watch (inotify's limits), the timer alone is left.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

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
        self._ended = threading.Event()
        self._threads: dict[Path, threading.Thread] = {}

    def watch(self, root: Path) -> None:
        """Be woken by events below a folder, if it is there and nobody does that yet."""
        known = self._threads.get(root)
        if (known is not None and known.is_alive()) or not root.is_dir():
            return
        thread = threading.Thread(target=self._listen, args=(root,), name="events", daemon=True)
        self._threads[root] = thread
        thread.start()

    def wake(self, *_: object) -> None:
        """Wake whoever waits; safe in any thread and in a handler of signals."""
        self._woken.set()

    def wait(self, seconds: float, least: float = 0.0) -> bool:
        """Return after some seconds, or when something happened, but not before `least` seconds.

        Returns:
            Whether something happened.
        """
        started = time.monotonic()
        woken = self._woken.wait(seconds)
        self._ended.wait(max(0.0, least - (time.monotonic() - started)))
        self._woken.clear()
        return woken

    def end(self) -> None:
        """Listen no more, and let nobody wait."""
        self._ended.set()
        self._woken.set()

    def _listen(self, root: Path) -> None:
        from watchfiles import watch

        try:
            events = watch(
                root, watch_filter=lambda _, path: not path.startswith(self._ignored),
                debounce=_DEBOUNCE_MS, step=_STEP_MS, stop_event=self._ended, rust_timeout=1000,
                raise_interrupt=False, ignore_permission_denied=True,
            )  # fmt: skip
            for _ in events:
                self._woken.set()
                if not root.is_dir():
                    return  # it may come back as another folder, which has to be watched anew
        except Exception as error:  # noqa: BLE001 -- whatever the library raises, the timer is left
            self._failed(root, str(error) or type(error).__name__)
