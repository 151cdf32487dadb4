"""When hooks are run: after whoever changed the registry is done, in the background.

A change costs a look at whether there are hooks. Where there are, a process of its own is started
that runs them (`regtui hook run`): at the end of a command, and about a second after a change in
what goes on, such as the app or a watcher. So nobody waits for a hook, and none fails a command.
`REGTUI_HOOKS=wait` runs them before the command ends, for machines that are gone with it, and
`REGTUI_HOOKS=off` runs none; what was not run then is run after the next change.
"""

import atexit
import os
import subprocess
import sys
import threading
from pathlib import Path

from regtui.registry.context import HOOKS, INSIDE_HOOK, make_context

FOLDER = "hooks"
"""Where a home keeps how far hooks were run."""

SESSIONS = "sessions"
"""Under what sessions hooks themselves changed the registry."""

CHOICE = "REGTUI_HOOKS"
"""Variable that says when hooks are run: `wait`, `off`, or else in the background."""

DELAY = 1.0
"""Seconds for which changes of one process are gathered."""

SESSIONS_BYTES = 1 << 16

_waiting: dict[Path, threading.Timer] = {}
_lock = threading.Lock()
_started: list["subprocess.Popen[bytes]"] = []


def changed(home: Path) -> None:
    """Hear that something in a home was changed; never fails."""
    choice = os.environ.get(CHOICE)
    if not (home / HOOKS).exists() or INSIDE_HOOK in os.environ or choice == "off":
        return
    with _lock:
        if home in _waiting:
            return
        timer = threading.Timer(DELAY, _begin, [home])
        timer.daemon = True
        _waiting[home] = timer
    atexit.unregister(_finish)
    atexit.register(_finish)
    if choice != "wait":
        timer.start()


def note_session(home: Path, session: str) -> None:
    """Note the session of an invocation that a hook made; what it does runs no hooks."""
    if INSIDE_HOOK not in os.environ or not (home / HOOKS).exists():
        return
    file = home / FOLDER / SESSIONS
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        kept = file.read_text(encoding="ascii") if file.exists() else ""
        if len(kept) > SESSIONS_BYTES:
            file.write_text(kept[-SESSIONS_BYTES // 2 :].partition("\n")[2], encoding="ascii")
        with file.open("a", encoding="ascii") as stream:
            stream.write(f"{session}\n")
    except (OSError, ValueError):
        return  # then hooks may run for it


def _finish() -> None:
    """Run hooks for what was changed last, as this process ends."""
    for home in list(_waiting):
        _begin(home)


def _begin(home: Path) -> None:
    """Run the hooks of a home, once for the changes that were gathered."""
    with _lock:
        timer = _waiting.pop(home, None)
    if timer is None:
        return
    timer.cancel()
    try:
        if os.environ.get(CHOICE) == "wait":
            _run_here(home)
        else:
            _run_beside(home)
    except Exception:  # noqa: BLE001 -- what was done is done; hooks run after the next change
        return


def _run_here(home: Path) -> None:
    from regtui.registry.hooks import run_hooks

    run_hooks(make_context(home, "cli"))


def _run_beside(home: Path) -> None:
    from regtui.registry.hooks import is_behind

    _started[:] = [one for one in _started if one.poll() is None]
    if not is_behind(make_context(home, "cli")):
        return
    started = subprocess.Popen(  # noqa: S603 -- this program itself
        [sys.executable, "-m", "regtui", "hook", "run", "--quiet", "--home", str(home)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    _started.append(started)
