"""Telling what is watched, by whom, what is being captured, and what watchers told of late.

It reads files that watchers write (`regtui.capture.reports`), never the database: an app may ask
twice a second.
"""

from pathlib import Path

from msgspec import Struct

from regtui.capture.reports import Report, Told, marks, reports, told
from regtui.core.errors import BadInput
from regtui.registry.context import Context
from regtui.registry.watch_rules import WatchRule, rules, stamp

EVENTS = 200
"""Events that are told unless somebody asks for more."""


class WatchedFolder(Struct, frozen=True, kw_only=True):
    """A folder that a rule names or somebody watches.

    Attributes:
        path: The folder, absolute.
        rule: How the rules say that it is watched; None where they don't.
        is_there: Whether it is there now.
        watchers: Who watches it now, and what they do.
    """

    path: str
    rule: WatchRule | None
    is_there: bool
    watchers: list[Report]


class WatchStatus(Struct, frozen=True, kw_only=True):
    """What is watched.

    Attributes:
        by_rules: Processes that watch by the rules, on whatever machine.
        folders: Those of the rules in their order, then the others that somebody watches.
        events: What watchers told, newest first.
        problem: Why the rules can't be read; empty where they can. Watchers go on by those before.
    """

    by_rules: list[int]
    folders: list[WatchedFolder]
    events: list[Told]
    problem: str


def watch_status(context: Context, *, limit: int = EVENTS) -> WatchStatus:
    """Tell what is watched, by whom, and what came of it.

    Args:
        context: The registry.
        limit: How many events at most.
    """
    kept, problem = _kept(context.home)
    by_path = {rule.path: rule for rule in kept}
    watchers: dict[str, list[Report]] = {path: [] for path in by_path}
    by_rules = []
    for report in reports(context.home):
        if not report.root:
            by_rules.append(report.pid)
        else:
            watchers.setdefault(report.root, []).append(report)
    folders = [
        WatchedFolder(path=path, rule=by_path.get(path), is_there=_is_there(path), watchers=found)
        for path, found in watchers.items()
    ]
    events = told(context.home, limit=limit)
    return WatchStatus(by_rules=by_rules, folders=folders, events=events, problem=problem)


def _kept(home: Path) -> tuple[list[WatchRule], str]:
    """Return the rules, or why they can't be read: who watches is to be seen all the same."""
    try:
        return rules(home), ""
    except BadInput as error:
        return [], str(error)


def status_stamp(home: Path) -> tuple[object, ...]:
    """Return what changes whenever the status does, but for watchers that were killed."""
    return marks(home), stamp(home)


def _is_there(path: str) -> bool:
    return Path(path).is_dir()
