"""The lists of the conflicts screen: conflicts, and the outbox."""

from regtui.registry.answers import iso
from regtui.registry.answers_conflicts import ConflictAnswer
from regtui.registry.figures import age_text
from regtui.tui.conflict_view import shown_values, side_value
from regtui.tui.outbox_rows import OutboxRow
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable


class ConflictTable(VirtualTable[ConflictAnswer]):
    """Conflicts, oldest first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_CONFLICTS, row_id=lambda one: one.id, empty="reading …", id=id)


class OutboxTable(VirtualTable[OutboxRow]):
    """What waits for the server, and what it refused."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_OUTBOX, row_id=lambda row: row.entry.id, empty="reading …", id=id)


def _open(one: ConflictAnswer) -> Painted:
    if one.state == "open":
        return signs().conflict, "error"
    return signs().passed, "success"


def _about(one: ConflictAnswer) -> Painted:
    return one_line(one.about)


def _field(one: ConflictAnswer) -> Painted:
    return one_line(one.field)


def _stands(one: ConflictAnswer) -> Painted:
    return f"{one.accepted.author or ''}: {side_value(one.accepted)}"


def _asked(one: ConflictAnswer) -> Painted:
    if not one.candidates:
        return ""
    last = one.candidates[-1]
    more = f" (+{len(one.candidates) - 1})" if len(one.candidates) > 1 else ""
    return f"{last.author}: {side_value(last)}{more}"


def _age(one: ConflictAnswer) -> Painted:
    at = one.candidates[-1].at if one.candidates else None
    return ("" if at is None else age_text(at)), "dim"


def _state(row: OutboxRow) -> Painted:
    if row.entry.state == "refused":
        return signs().failed, "error"
    return signs().outgoing, "warning" if row.entry.reason is not None else "dim"


def _kind(row: OutboxRow) -> Painted:
    return "  " * min(row.depth, 4) + row.entry.kind


def _model(row: OutboxRow) -> Painted:
    return one_line(row.entry.model or "")


def _what(row: OutboxRow) -> Painted:
    return "; ".join(f"{name}={value}" for name, value in shown_values(row.entry))


def _made(row: OutboxRow) -> Painted:
    return age_text(iso(row.entry.created * 1000)), "dim"


def _why(row: OutboxRow) -> Painted:
    entry = row.entry
    if entry.reason is None:
        return "waits", "dim"
    if entry.state == "refused":
        return one_line(entry.reason), "error"
    return f"would be refused: {one_line(entry.reason)}", "warning"


_CONFLICTS = (
    Column("state", "", 1, _open),
    Column("about", "About", 16, _about, stretch=1),
    Column("field", "Field", 11, _field),
    Column("stands", "Stands", 16, _stands, stretch=1),
    Column("asked", "Asked for", 16, _asked, stretch=1),
    Column("age", "Age", 4, _age, "right"),
)
_OUTBOX = (
    Column("state", "", 1, _state),
    Column("kind", "Change", 15, _kind),
    Column("model", "Model", 14, _model, stretch=1),
    Column("what", "Sets", 14, _what, stretch=1),
    Column("why", "Because", 18, _why, stretch=2),
    Column("age", "Age", 4, _made, "right"),
)
