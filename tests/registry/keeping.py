"""What the tests of keeping share: the same registry at a later time, and older files."""

import os
import time
from pathlib import Path

from regtui.registry import Registry
from regtui.registry.context import Context
from regtui.replica.unit import Replica, wall_clock

DAY = 86_400


def later(registry: Registry, seconds: float) -> Registry:
    """Return the same registry for somebody whose clock is ahead."""
    replica = Replica(registry.home, lambda: wall_clock() + int(seconds * 10**6))
    return Registry(Context(replica, "api", registry.context.session))


def age(home: Path, seconds: float) -> None:
    """Make the stored objects seem to have been touched that long ago."""
    then = time.time() - seconds
    for path in (home / "objects").glob("*/*"):
        os.utime(path, (then, then))


def objects(home: Path) -> set[str]:
    """Return the digests of all stored objects."""
    return {path.parent.name + path.name for path in (home / "objects").glob("*/*")}
