"""What a capture does with layouts: keep those of new files, and warn of dangerous ones.

`keep` runs in the unit of work that registers the version, so that both are there or neither.
`warnings` runs after it: what it has still to read must neither hold up others nor fail a capture
that is done.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from regtui.core.errors import RegtuiError
from regtui.formats.detect import READER
from regtui.formats.layout import Layout
from regtui.formats.values import Facts
from regtui.registry.context import Context
from regtui.registry.layouts import covers, describe, is_current
from regtui.replica.database import Connection
from regtui.replica.layouts import kept_layouts, write_layouts

Names = Mapping[str, list[str]]
"""Paths of files by digest."""

_SHOWN = 3
_PROGRAMS = {"elf", "mach-o", "pe", "python", "script", "wasm"}


def keep(connection: Connection, names: Names, made: Mapping[str, Layout]) -> dict[str, Facts]:
    """Keep the layouts of new files, and return the facts of all files of which they are known.

    Args:
        connection: Of the unit of work that registers the version.
        names: All files of the version.
        made: Layouts of the files that are new to the store.
    """
    rows = kept_layouts(connection, names.keys())
    current = {digest: row for digest, row in rows.items() if is_current(row)}
    new = {digest: layout for digest, layout in made.items() if digest not in current}
    write_layouts(connection, new, READER, replacing=rows)
    facts = {d: row.facts for d, row in current.items() if covers(row.suffixes, names[d])}
    return facts | {d: one.facts for d, one in new.items() if covers(one.suffixes, names[d])}


def warnings(context: Context, names: Names, known: Mapping[str, Facts]) -> list[str]:
    """Return a sentence for each file that is dangerous to load.

    Programs are left out: nobody takes a script for a model.

    Args:
        context: The registry.
        names: All files of the version.
        known: The facts that `keep` returned; others are made now where that is possible.
    """
    facts = dict(known)
    with suppress(RegtuiError):
        rest = {digest: paths for digest, paths in names.items() if digest not in facts}
        if rest:
            facts |= {d: one.facts for d, one in describe(context, rest).items()}
    return [
        f"{names[digest][0]} is dangerous to load: {reason(one.globals, one.problem)}"
        for digest, one in facts.items()
        if one.safety == "dangerous" and one.format not in _PROGRAMS
    ]


def reason(names: Sequence[str], problem: str | None) -> str:
    """Return why a file is dangerous, from what it names and what could not be read."""
    if not names:
        return problem or "it holds code"
    more = len(names) - _SHOWN
    shown = ", ".join(names[:_SHOWN])
    return f"it names {shown}" + (f" and {more} more" if more > 0 else "")
