"""`regtui diff`."""

import shutil
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete
from regtui.cli.color import Painted, say_painted
from regtui.cli.commands import single
from regtui.cli.output import emit, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import number_text, size_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from regtui.registry.answers_compare import DiffAnswer, Difference

app = single()

SHOWN = 20
"""Lines of one group, unless all are wanted."""

SECTIONS = (
    "metrics", "params", "tags", "inputs", "context", "packages", "files", "tensors",
)  # fmt: skip

Row = tuple[str, list[str]]
"""Colour, and cells: mark and name, before, after, what follows."""


@app.command()
def diff(
    before: Annotated[
        str, typer.Argument(metavar="A", help="A version.", autocompletion=complete.references)
    ],
    after: Annotated[
        str,
        typer.Argument(
            metavar="B", help="The version to compare.", autocompletion=complete.references
        ),
    ],
    everything: Annotated[
        bool, typer.Option("--all", help="List everything; by default 20 lines of each group.")
    ] = False,
) -> None:
    """Show how two versions differ.

    Metrics, params, tags, inputs, surroundings, packages, files, and tensors.
    """
    found = SETTINGS.registry().diff(before, after)
    if SETTINGS.json:
        emit(found)
        return
    if found.tensors.partial:
        warn("not every tensor is known; `regtui show REF --files` tells of which files")
    heading = f"{found.before.reference} → {found.after.reference}"
    states = [one for one in (found.before, found.after) if one.state != "captured"]
    lines: list[Painted] = [(heading, "head")]
    lines += [(f"{one.reference} is {one.state}", "dim") for one in states]
    if found.equal:
        lines.append(("no difference", ""))
    limit = sys.maxsize if everything else SHOWN
    for name in SECTIONS:
        lines += _section(name, found, limit)
    say_painted(lines)


def _section(name: str, found: "DiffAnswer", limit: int) -> "Iterable[Painted]":
    group: Difference = getattr(found, name)
    if group.none:
        return []
    rows = _rows(name, group)
    shown = rows[:limit]
    cells = [[_short(cell) for cell in cells] for _, cells in shown]
    heading, *body = table(["  " + name.upper(), "BEFORE", "AFTER", ""], cells).split("\n")
    lines: list[Painted] = [("", ""), (heading, "head")]
    lines += [(line, color) for line, (color, _) in zip(body, shown, strict=True)]
    if len(rows) > limit:
        lines.append((f"  … and {len(rows) - limit:,} more; --all lists them", "dim"))
    if group.same:
        lines.append((f"  {group.same:,} the same", "dim"))
    return lines


def _rows(name: str, group: "Difference") -> list[Row]:
    show = {"files": _file, "tensors": _tensor, "inputs": _input}.get(name, _value)
    rows: list[Row] = []
    for key, change in group.changed.items():
        color, words = _judged(change)
        rows.append((color, [f"~ {key}", show(change["before"]), show(change["after"]), words]))
    for change in getattr(group, "moved", {}).values():
        size = size_text(change["size"])
        rows.append(("", [f"> {change['before']}", "", change["after"], size]))
    for key, change in getattr(group, "unknown", {}).items():
        shown = show(change["before"])
        rows.append(("dim", [f"? {key}", shown, show(change["after"]), "not compared"]))
    rows += [("good", [f"+ {key}", "", show(one), ""]) for key, one in group.added.items()]
    rows += [("bad", [f"- {key}", show(one), "", ""]) for key, one in group.removed.items()]
    return rows


def _judged(change: dict[str, Any]) -> tuple[str, str]:
    """Return the colour of a change and what follows from it; only metrics have a direction."""
    if "direction" not in change:
        before, after = change["before"], change["after"]
        same_text = _value(before) == _value(after) and not isinstance(before, dict)
        return "", "of another type" if same_text else _what_changed(before, after)
    words: list[str] = []
    if change["delta"] is not None:
        words.append(f"{change['delta']:+.4g}")
    if change["percent"] is not None:
        words.append(f"({change['percent']:+.3g} %)")
    if change["steps"][0] != change["steps"][1]:
        was, now = ("none" if step is None else step for step in change["steps"])
        words.append(f"step {was} → {now}")
    if change["better"] is not None:
        words.append("better" if change["better"] else "worse")
    color = {None: "", True: "good", False: "bad"}[change["better"]]
    return color, " ".join(words)


def _what_changed(before: Any, after: Any) -> str:
    """Return what changed of a file or tensor that its cells do not show."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return ""
    if before.get("executable") != after.get("executable"):
        return "executable" if after["executable"] else "not executable"
    if "dtype" in before and _tensor(before) == _tensor(after):
        return "values"
    return ""


def _value(value: Any) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool):
        return number_text(value) if isinstance(value, float) else str(value)
    if isinstance(value, list):
        return " ".join(_value(one) for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _input(value: Any) -> str:
    return str(value["uri"]) + (f" {value['digest'][:12]}" if value.get("digest") else "")


def _file(value: Any) -> str:
    return f"{size_text(value['size'])} {value['digest'][:8]}"


def _tensor(value: Any) -> str:
    shape = ",".join(map(str, value["shape"]))
    return f"{value['dtype']} [{shape}]"


def _short(cell: str) -> str:
    """Cut the middle out of a long cell on a terminal, so that four of them fit a line."""
    if not sys.stdout.isatty():
        return cell
    room = max(20, shutil.get_terminal_size().columns // 2)
    half = (room - 1) // 2
    return cell if len(cell) <= room else f"{cell[:half]}…{cell[-half:]}"
