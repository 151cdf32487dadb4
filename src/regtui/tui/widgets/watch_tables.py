"""The lists of the watch screen: watched folders, states that are not captured yet, and events."""

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from regtui.capture.reports import Doing, Told
from regtui.registry.figures import age_text, size_text
from regtui.registry.watch_status import WatchedFolder
from regtui.tui.registry_status import short_path
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

GOOD = frozenset({"captured", "known", "labelled", "back"})
BAD = frozenset({"failed", "lost", "problem", "unreadable", "missing", "released"})
ODD = frozenset({"rotated", "superseded", "waiting", "other", "timer", "deleted"})
"""Events by how they are shown; the others are as usual."""

PERCENT = 100


class FolderRow(Struct, frozen=True):
    """A watched folder; None stands for all of them."""

    folder: WatchedFolder | None

    @property
    def key(self) -> str:
        """What it is known by."""
        return "" if self.folder is None else self.folder.path


class DoingRow(Struct, frozen=True):
    """A state that is not captured yet.

    Attributes:
        root: The folder.
        doing: The state.
        rate: Bytes a second that are stored of it.
    """

    root: str
    doing: Doing
    rate: float = 0.0

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"{self.root}\0{self.doing.path}\0{self.doing.removed}"


class FolderTable(VirtualTable[FolderRow]):
    """The folders that are watched."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_FOLDERS, row_id=lambda row: row.key, empty="reading …", id=id)


class DoingTable(VirtualTable[DoingRow]):
    """The states that are not captured yet."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_DOING, row_id=lambda row: row.key, empty="", id=id)


class ToldTable(VirtualTable[Told]):
    """What watchers told, newest first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_TOLD, row_id=told_key, empty="", id=id)


def told_key(told: Told) -> str:
    """Return what an event is known by."""
    return f"{told.at}\0{told.event}\0{told.root}\0{told.path}"


def watched_text(folder: WatchedFolder) -> str:
    """Return in a few words who watches a folder, and how."""
    if not folder.watchers:
        return "by nobody"
    if not folder.is_there:
        return "not there yet"
    how = "events" if any(one.events for one in folder.watchers) else "timer"
    return f"by {how}" if len(folder.watchers) == 1 else f"by {len(folder.watchers)}, {how}"


def _sign(row: FolderRow) -> Painted:
    if row.folder is None:
        return ""
    if not row.folder.watchers:
        return signs().waiting, "dim"
    return (signs().live, "success") if row.folder.is_there else (signs().conflict, "warning")


def _path(row: FolderRow) -> Painted:
    return "all folders" if row.folder is None else one_line(short_path(Path(row.folder.path)))


def _watched(row: FolderRow) -> Painted:
    if row.folder is None:
        return ""
    text = watched_text(row.folder)
    return (text, "warning") if not row.folder.watchers or not row.folder.is_there else text


def _keeps(row: FolderRow) -> Painted:
    if row.folder is None:
        return ""
    return ("no rule", "dim") if row.folder.rule is None else row.folder.rule.keep


def _model(row: FolderRow) -> Painted:
    if row.folder is None or row.folder.rule is None:
        return ""
    return row.folder.rule.model or ("by the trainer", "dim")


def _captured(row: FolderRow) -> Painted:
    if row.folder is None:
        return ""
    count = sum(one.told.get("captured", 0) for one in row.folder.watchers)
    return f"{count:,}" if count else ""


def _phase(row: DoingRow) -> Painted:
    style = {"capturing": "accent", "waiting": "warning"}.get(row.doing.phase, "dim")
    return row.doing.phase, style


def _state_path(row: DoingRow) -> Painted:
    return one_line(row.doing.path or ".")


def _step(row: DoingRow) -> Painted:
    return "" if row.doing.step is None else f"{row.doing.step:,}"


def _size(row: DoingRow) -> Painted:
    return size_text(row.doing.size)


def _done(row: DoingRow) -> Painted:
    if row.doing.phase != "capturing" or not row.doing.size:
        return ""
    return f"{PERCENT * row.doing.stored // row.doing.size} %", "accent"


def _why(row: DoingRow) -> Painted:
    if row.rate:
        return f"{size_text(int(row.rate))}/s"
    removed = "removed by its trainer; " if row.doing.removed else ""
    return one_line(removed + row.doing.reason), "dim"


def _age(told: Told) -> Painted:
    return age_text(told.at), "dim"


def _event(told: Told) -> Painted:
    if told.event in GOOD:
        return told.event, "success"
    if told.event in BAD:
        return told.event, "error"
    return told.event, "warning" if told.event in ODD else "dim"


def _where(told: Told) -> Painted:
    return one_line(short_path(Path(told.root)) if told.path is None else told.path or ".")


def _message(told: Told) -> Painted:
    return one_line(told.message)


def of_folder(rows: Iterable[Told], root: str) -> list[Told]:
    """Return what was told of a folder; empty for all."""
    return [one for one in rows if not root or one.root == root]


_FOLDERS = (
    Column("sign", "", 1, _sign),
    Column("path", "Folder", 16, _path, stretch=2),
    Column("watched", "Watched", 13, _watched),
    Column("keeps", "Keeps", 10, _keeps, stretch=1),
    Column("model", "Model", 12, _model, stretch=1),
    Column("captured", "New", 5, _captured, "right"),
)
_DOING = (
    Column("phase", "State", 9, _phase),
    Column("path", "Path", 18, _state_path, stretch=2),
    Column("step", "Step", 7, _step, "right"),
    Column("size", "Size", 9, _size, "right"),
    Column("done", "Done", 5, _done, "right"),
    Column("why", "", 12, _why, stretch=2),
)
_TOLD = (
    Column("age", "Age", 4, _age, "right"),
    Column("event", "Event", 10, _event),
    Column("path", "Path", 18, _where, stretch=1),
    Column("message", "What", 20, _message, stretch=2),
)
