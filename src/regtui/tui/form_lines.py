"""The rows of a form: values of a draft, each with the sign of what becomes of it."""

from msgspec import Struct

from regtui.tui.draft import BARE, SINGULAR, Draft, Entry
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted

FIELD, NAME = 16, 18
"""Width of the columns before the value."""

SHOWN = 400
"""Characters of a value that a row can show at most."""


class Line(Struct, frozen=True):
    """One row: a value, or the place to add one to a field.

    Attributes:
        field: Its field.
        entry: The value; None where one is added.
        problem: Why it can't be saved.
    """

    field: str
    entry: Entry | None = None
    problem: str | None = None

    @property
    def key(self) -> str:
        """What the row is known by."""
        return f"add {self.field}" if self.entry is None else self.entry.key


def lines(draft: Draft) -> list[Line]:
    """Return the rows of a draft: its values by field, and where to add one."""
    problems = draft.problems()
    found: list[Line] = []
    for field in draft.fields:
        found += [Line(field, e, problems.get(e.key)) for e in draft.entries if e.field == field]
        if field in SINGULAR:
            found.append(Line(field))
    return found


def typed_text(line: Line) -> str:
    """Return what the line of a row begins with."""
    if line.entry is None:
        return ""
    return line.entry.typed_before or "" if line.entry.text is None else line.entry.text


def label(field: str) -> str:
    """Return what one value of a field is called."""
    return SINGULAR.get(field, field.replace("_", " "))


def _sign(line: Line) -> str:
    entry = line.entry
    if entry is None or not entry.is_changed:
        return " "
    if line.problem is not None:
        return signs().failed
    if entry.text is None:
        return "-"
    return "+" if entry.before is None else "~"


def _style(line: Line) -> str:
    sign = _sign(line)
    styles = {" ": "", "-": "error", "+": "success", "~": "warning"}
    return styles.get(sign, "error") if line.entry is not None else "dim"


def _field(line: Line) -> Painted:
    return f"{_sign(line)} {label(line.field)}", _style(line)


def _name(line: Line) -> Painted:
    if line.entry is not None:
        return line.entry.name
    return ("+ name" if line.field in BARE else "+ name=value"), "dim"


def _value(line: Line) -> Painted:
    if line.entry is None:
        return ""
    if line.entry.text is None:
        was = line.entry.typed_before
        return "" if was is None else (f"taken away, was {was}"[:SHOWN], "error")
    return line.entry.text[:SHOWN], _style(line)


COLUMNS = (
    Column("field", "Field", FIELD, _field),
    Column("name", "Name", NAME, _name),
    Column("value", "Value", 16, _value, stretch=1),
)
