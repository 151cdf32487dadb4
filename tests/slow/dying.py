"""A process that works with a file and kills itself right before a file operation.

Usage: python dying.py HOME capture|export|import WHAT FILE PLACE

PLACE is the number of the operation; 0 runs to the end. It prints how many there were.
"""

import os
import signal
import sys
from pathlib import Path

import regtui

OPERATIONS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "os.utime"}

home, verb, what, file = Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4])
place = int(sys.argv[5])
folders = (os.fspath(home), os.fspath(file.parent))
count = 0


def act() -> None:
    registry = regtui.open(home)
    if verb == "export":
        registry.export(None if what == "--all" else what, file, replace=True)
    elif verb == "capture":
        registry.capture(file, model=what)
    else:
        registry.import_bundle(file)


def watch(event: str, arguments: tuple[object, ...]) -> None:
    global count  # noqa: PLW0603 -- a hook has no other place for it
    if event not in OPERATIONS or not arguments:
        return
    path = arguments[0]
    is_descriptor = isinstance(path, int)
    named = isinstance(path, str | os.PathLike) and os.fspath(path).startswith(folders)
    if is_descriptor or named:
        count += 1
        if count == place:
            os.kill(os.getpid(), signal.SIGKILL)


sys.addaudithook(watch)
act()
sys.stdout.write(f"{count}\n")
