"""Lineage: what a version was made from, and what was made from it.

A level at a time, each in a few statements over all versions of the level: a level costs some 5 ms
at a million versions, while one recursive statement over all of them runs out of the memory that a
reader may use. Each version is visited once, so diamonds and cycles end. A parent that is not in
this replica is a node of which nothing is known but its id.
"""

import itertools
import math
from typing import Any

from msgspec import Struct

from regtui.core.documents import Document
from regtui.core.errors import BadInput
from regtui.core.identity import short_id
from regtui.registry.answers_compare import LineageAnswer, LineageEdge, LineageNode
from regtui.registry.context import Context
from regtui.registry.lookups import model_names
from regtui.registry.references import find_version
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document

Pairs = list[tuple[str, str]]
"""Ids of parent and child."""

PAGE = 2_000
"""Documents of one query: they have to fit a reader's memory."""


def lineage(  # noqa: PLR0913 -- everything that bounds a walk, by name
    context: Context,
    reference: str,
    *,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
    most: int | None = None,
) -> LineageAnswer:
    """Return the ancestors and descendants of a version, whatever their states.

    Args:
        context: The registry.
        reference: The version.
        up: Whether ancestors are wanted.
        down: Whether descendants are wanted.
        depth: Steps to go; None for all.
        most: Versions at most in either direction, the nearest ones; None for all.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference is malformed or names a model, or the depth is negative.
    """
    if depth is not None and depth < 0:
        raise BadInput(f"the depth {depth} is negative", "give 0 or more steps")
    with context.reading() as connection:
        _, document = find_version(connection, reference)
        ways = [direction for direction, wanted in ((-1, up), (1, down)) if wanted]
        walks = [_walk(connection, document.id, direction, depth, most) for direction in ways]
        depths = {document.id: 0}
        for walk in walks:
            depths = walk.depths | depths  # in a cycle, what is above counts as above
        nodes = _nodes(connection, depths)
    edges = dict.fromkeys(pair for walk in walks for pair in walk.edges)
    return LineageAnswer(
        id=document.id,
        nodes=nodes,
        edges=[LineageEdge(parent=parent, child=child) for parent, child in edges],
        cut=any(walk.cut for walk in walks),
    )


class _Walk(Struct, frozen=True):
    """What was found in one direction: steps by version, edges, and whether there is more."""

    depths: dict[str, int]
    edges: Pairs
    cut: bool


def _walk(
    connection: Connection, start: str, direction: int, depth: int | None, most: int | None
) -> _Walk:
    """Go up (-1) or down (1), level by level."""
    step = _parents if direction < 0 else _children
    depths, edges, level, distance = {start: 0}, Pairs(), [start], 0
    room = math.inf if most is None else most + 1
    while level and distance != depth and len(depths) < room:
        distance += 1
        pairs = step(connection, level)
        edges += pairs
        far = [parent if direction < 0 else child for parent, child in pairs]
        level = [one for one in dict.fromkeys(far) if one not in depths]
        depths |= dict.fromkeys(level, direction * distance)
    if len(depths) > room:
        nearest = dict(itertools.islice(depths.items(), int(room)))
        known = [pair for pair in edges if nearest.keys() >= {*pair}]
        return _Walk(nearest, known, cut=True)
    return _Walk(depths, edges, bool(level) and bool(step(connection, level)))


def _parents(connection: Connection, children: list[str]) -> Pairs:
    keys = _keys(connection, children)
    rows = connection.execute(
        "select version, id::varchar from base.parent "
        "where version in (select unnest(?::bigint[])) order by version, id",
        [list(keys)],
    ).fetchall()
    return [(parent, keys[key]) for key, parent in rows]


def _children(connection: Connection, parents: list[str]) -> Pairs:
    rows = connection.execute(
        "select p.id::varchar, d.id::varchar from base.parent p "
        "join base.document d on d.key = p.version "
        "where p.id in (select unnest(?::uuid[])) order by p.version, p.id",
        [parents],
    ).fetchall()
    return [(parent, child) for parent, child in rows]


def _keys(connection: Connection, versions: list[str]) -> dict[int, str]:
    rows = connection.execute(
        "select key, id::varchar from base.document "
        "where kind = 'version' and id in (select unnest(?::uuid[]))",
        [versions],
    ).fetchall()
    return dict(rows)


def _nodes(connection: Connection, depths: dict[str, int]) -> list[LineageNode]:
    ordered = sorted(depths, key=lambda one: (abs(depths[one]), depths[one]))
    nodes: list[LineageNode] = []
    for start in range(0, len(ordered), PAGE):
        page = ordered[start : start + PAGE]
        rows = connection.execute(
            "select id::varchar, body from base.document "
            "where kind = 'version' and id in (select unnest(?::uuid[]))",
            [page],
        ).fetchall()
        documents = {one: stored_document(body, one) for one, body in rows}
        names = model_names(connection, {one.facts["model"] for one in documents.values()})
        nodes += [_node(one, depths[one], documents.get(one), names) for one in page]
    return nodes


def _node(
    identity: str, depth: int, document: Document | None, names: dict[str, str]
) -> LineageNode:
    known: dict[str, Any] = {"model": None, "number": None, "state": None, "inputs": {}}
    if document is not None:
        known = {
            "model": names[document.facts["model"]],
            "number": document.facts["number"],
            "state": document.value("state"),
            "inputs": document.entries("inputs"),
        }
    return LineageNode(
        id=identity, known=document is not None, short_id=short_id(identity), depth=depth, **known
    )
