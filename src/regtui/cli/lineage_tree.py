"""The tree of a lineage, as people read it.

A version that several paths lead to is drawn whole where it comes first and named afterwards, so a
tree ends whatever the lineage holds. Rows are made by a stack, for chains of training may be longer
than calls can nest.
"""

from collections import defaultdict
from typing import TYPE_CHECKING

from regtui.cli.color import Painted

if TYPE_CHECKING:
    from regtui.registry.answers_compare import LineageAnswer, LineageNode

SHOWN = 20
"""Children of one version that are drawn, unless all are wanted."""

DEEP = 12
"""Steps to which a tree is indented; below it the lines only tell how deep they stand."""


def tree(found: "LineageAnswer", *, limit: int | None = SHOWN) -> list[Painted]:
    """Return the lines of a lineage.

    Args:
        found: The lineage.
        limit: Most versions drawn below one; None for all.
    """
    nodes = {node.id: node for node in found.nodes}
    parents: dict[str, list[str]] = defaultdict(list)
    children: dict[str, list[str]] = defaultdict(list)
    for edge in found.edges:
        parents[edge.child].append(edge.parent)
        children[edge.parent].append(edge.child)
    head = nodes[found.id]
    lines: list[Painted] = [(_named(head), "head")]
    lines += [(f"  {text}", "dim") for text in _inputs(head)]
    for title, steps in (("parents", parents), ("children", children)):
        if steps[found.id]:
            lines += [("", ""), (title, "head"), *_branches(found.id, steps, nodes, limit)]
    if len(lines) == 1:
        lines.append(("  nothing is known of where it came from or went", "dim"))
    if found.cut:
        lines += [("", ""), ("there is more; a larger --depth shows it", "dim")]
    return lines


def _branches(
    root: str, steps: dict[str, list[str]], nodes: "dict[str, LineageNode]", limit: int | None
) -> list[Painted]:
    lines: list[Painted] = []
    drawn = {root}
    stack: list[tuple[str, int, str]] = []

    def put(identity: str, depth: int) -> None:
        below = steps.get(identity, [])
        some = below if limit is None else below[:limit]
        if len(some) < len(below):
            text = f"… and {len(below) - len(some):,} more; --all lists them"
            stack.append(("", depth, text))
        stack.extend((one, depth, "") for one in reversed(some))

    put(root, 1)
    while stack:
        identity, depth, text = stack.pop()
        start = "  " * depth if depth <= DEEP else "  " * DEEP + f"({depth}) "
        if text:
            lines.append((start + text, "dim"))
            continue
        again = identity in drawn
        node = nodes[identity]
        repeated = " (the version itself)" if identity == root else " (as above)" if again else ""
        lines.append((start + _named(node) + repeated, "dim" if again else ""))
        if not again:
            drawn.add(identity)
            lines += [(f"{start}  {words}", "dim") for words in _inputs(node)]
            put(identity, depth + 1)
    return lines


def _named(node: "LineageNode") -> str:
    if not node.known:
        return f"{node.short_id} (not in this registry)"
    state = "" if node.state == "captured" else f" ({node.state})"
    return f"{node.reference}{state}"


def _inputs(node: "LineageNode") -> list[str]:
    return [f"input {name} = {value['uri']}" for name, value in sorted(node.inputs.items())]
