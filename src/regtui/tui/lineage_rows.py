"""The rows of a lineage: a tree of what a version was made from, and one of what was made from it.

A version that several paths lead to is listed whole where it comes first and named afterwards, so
the rows end whatever the lineage holds. Datasets stand below the version that they went into, but
for those of the version itself, which mostly went into its ancestors as well.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from regtui.registry.answers_compare import LineageAnswer, LineageNode
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs


class Row(Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        key: What it is known by.
        text: What it says.
        depth: How far it is indented.
        note: What stands beside it.
        style: Colour name of the theme for the text.
        reference: The version that it leads to; None where it leads to none.
        address: What of it can be copied; empty for nothing.
    """

    key: str
    text: str
    depth: int = 0
    note: str = ""
    style: str = ""
    reference: str | None = None
    address: str = ""


def lineage_rows(up: LineageAnswer, down: LineageAnswer) -> list[Row]:
    """Return the rows of a version's lineage.

    Args:
        up: With its ancestors.
        down: With its descendants.
    """
    head = next(node for node in up.nodes if node.id == up.id)
    rows = _inputs(head, 0, "", ())
    parents = _tree(up, [(edge.child, edge.parent) for edge in up.edges], "up")
    children = _tree(down, [(edge.parent, edge.child) for edge in down.edges], "down")
    if parents:
        rows += [Row(key="parents", text="made from", style="dim"), *parents]
    if children:
        rows += [Row(key="children", text="used to make", style="dim"), *children]
    return rows


def _tree(found: LineageAnswer, steps: Sequence[tuple[str, str]], way: str) -> list[Row]:
    nodes = {node.id: node for node in found.nodes}
    below: dict[str, list[str]] = defaultdict(list)
    for start, end in steps:
        below[start].append(end)
    rows: list[Row] = []
    listed = {found.id}
    told = nodes[found.id].inputs.items()
    stack = [(one, 1, way) for one in reversed(below[found.id])]
    while stack:
        identity, depth, path = stack.pop()
        node = nodes[identity]
        key = f"{path}/{identity}"
        is_again = identity in listed
        rows.append(_row(node, depth, key, is_again=is_again))
        if not is_again:
            listed.add(identity)
            rows += _inputs(node, depth + 1, f"{key}/", told)
            stack += [(one, depth + 1, key) for one in reversed(below.get(identity, []))]
    if found.cut:
        note = "open the last one to go on from there"
        rows.append(
            Row(
                key=f"{way}/more",
                text=f"{signs().ellipsis} and more",
                depth=1,
                note=note,
                style="dim",
            )
        )
    return rows


def _row(node: LineageNode, depth: int, key: str, *, is_again: bool) -> Row:
    if not node.known:
        note = "not in this registry"
        return Row(key=key, text=node.short_id, depth=depth, note=note, style="dim")
    notes = [] if node.state == "captured" else [str(node.state)]
    notes += ["as above"] if is_again else []
    return Row(
        key=key,
        text=node.reference,
        depth=depth,
        note=", ".join(notes),
        style="dim" if is_again else "primary",
        reference=node.reference,
    )


def _inputs(
    node: LineageNode, depth: int, path: str, told: Collection[tuple[str, Any]]
) -> list[Row]:
    return [
        _input(name, value, depth, path)
        for name, value in sorted(node.inputs.items())
        if (name, value) not in told
    ]


def _input(name: str, value: Mapping[str, Any], depth: int, path: str) -> Row:
    uri = str(value.get("uri") or "")
    digest = str(value.get("digest") or "")
    return Row(
        key=f"{path}input:{name}",
        text=f"dataset {one_line(name)}",
        depth=depth,
        note=one_line(uri) + (f"  {digest[:12]}" if digest else ""),
        address=uri,
    )
