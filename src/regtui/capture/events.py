"""What a watcher tells: one event for each thing that happened, each explained.

The fields are the contract of `watch --json` (`docs/scripting.md`), the kinds and what they mean
stand in `docs/capture.md`.
"""

import datetime
from typing import Any, Final

from msgspec import Struct

KINDS: Final[dict[str, str]] = {
    "watching": "a folder is being watched from now on",
    "captured": "a state is a version now",
    "known": "the registry has this content already; the place where it lies is noted",
    "labelled": "a name such as last or best means another state now",
    "waiting": "a state is not complete or still being written; the message says what is missing",
    "rotated": "the trainer removed a state before it was captured; its pins are captured instead",
    "lost": "a state was removed before it was complete; there was nothing whole to keep",
    "superseded": "the trainer wrote a state anew before it was captured",
    "skipped": "a keep rule leaves this state out",
    "held": "a keep rule decides about this state when the run has ended",
    "other": "a file is, by its bytes, something else than its name says; it is left alone",
    "deleted": "this content was archived or deleted in the registry, and stays so",
    "checked": "a check of a captured version has ended, or could not run; the message says how",
    "problem": "something beside the model could not be read; the rest was captured",
    "failed": "a state could not be captured; the message says whether it is tried again",
    "released": "pins of removed states held more bytes than they may; the oldest were let go",
    "unreadable": "a folder can't be looked into",
    "missing": "the watched folder is not there; it is captured from when it comes back",
    "back": "the watched folder is there again",
    "timer": "the system sends no events for a folder; it is looked at by a timer alone",
    "stopped": "the watcher has ended; what was sealed is registered",
}
"""What each kind of event means."""


class Event(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One thing that happened.

    Attributes:
        event: One of `KINDS`.
        at: ISO 8601, UTC.
        root: The watched folder.
        path: What it is about, relative to the root; None where it is about the root.
        message: One sentence for people.
        recogniser: Which trainer's files they are, by the recogniser's name.
        step: The step of the state.
        version: The version, as `show --json` has it; None where there is none.
        model: Name of its model.
    """

    event: str
    at: str
    root: str
    path: str | None = None
    message: str = ""
    recogniser: str | None = None
    step: int | None = None
    model: str | None = None
    version: Any = None


def happened(event: str, root: str, message: str = "", **more: Any) -> Event:
    """Return an event of now.

    Raises:
        KeyError: There is no such kind.
    """
    KINDS[event]
    return Event(event=event, at=moment(), root=root, message=message, **more)


def moment() -> str:
    """Return what time it is: ISO 8601, UTC, to the millisecond."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    return now.replace("+00:00", "Z")
