"""A process that edits and syncs until it is killed, and says what was made and what was accepted.

Usage: python working.py HOME NAME
"""

import itertools
import sys
from pathlib import Path

import regtui

registry = regtui.open(Path(sys.argv[1]))


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


say("ready")
for number in itertools.count():
    tag = f"{sys.argv[2]}-{number}"
    registry.edit("shared", {f"tags/{tag}": "x"})
    say("made", tag)
    if number % 3 == 2:
        done = registry.sync()
        say("synced", str(done.pending), str(done.rejected))
