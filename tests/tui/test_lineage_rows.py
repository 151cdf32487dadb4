"""The rows of a lineage: every version once, whatever shape it has."""

from typing import Any

from regtui.registry.answers_compare import LineageAnswer, LineageEdge, LineageNode
from regtui.tui.lineage_rows import Row, lineage_rows

INPUT = {"web": {"uri": "s3://web", "digest": None}}


def node(name: str, *, known: bool = True, inputs: dict[str, Any] | None = None) -> LineageNode:
    return LineageNode(
        id=name, known=known, model="m" if known else None, number=int(name) if known else None,
        short_id=f":{name}", state="captured" if known else None, depth=0, inputs=inputs or {},
    )  # fmt: skip


def lineage(nodes: list[LineageNode], *edges: tuple[str, str], cut: bool = False) -> LineageAnswer:
    steps = [LineageEdge(parent=parent, child=child) for parent, child in edges]
    return LineageAnswer(id=nodes[0].id, nodes=nodes, edges=steps, cut=cut)


def texts(rows: list[Row]) -> list[tuple[int, str]]:
    return [(row.depth, row.text) for row in rows]


def test_parents_and_children_are_two_trees() -> None:
    up = lineage([node("3"), node("2"), node("1")], ("2", "3"), ("1", "2"))
    down = lineage([node("3"), node("4")], ("3", "4"))

    assert texts(lineage_rows(up, down)) == [
        (0, "made from"), (1, "m@2"), (2, "m@1"), (0, "used to make"), (1, "m@4"),
    ]  # fmt: skip


def test_a_version_that_two_paths_lead_to_is_named_the_second_time() -> None:
    up = lineage(
        [node("4"), node("2"), node("3"), node("1")],
        ("2", "4"), ("3", "4"), ("1", "2"), ("1", "3"),
    )  # fmt: skip

    rows = lineage_rows(up, lineage([node("4")]))

    assert texts(rows)[1:] == [(1, "m@2"), (2, "m@1"), (1, "m@3"), (2, "m@1")]
    assert rows[-1].note == "as above"
    assert len({row.key for row in rows}) == len(rows)


def test_a_circle_ends() -> None:
    up = lineage([node("1"), node("2")], ("2", "1"), ("1", "2"))

    assert texts(lineage_rows(up, lineage([node("1")]))) == [
        (0, "made from"),
        (1, "m@2"),
        (2, "m@1"),
    ]


def test_datasets_of_the_version_are_not_told_again_below_its_ancestors() -> None:
    other = {"web": {"uri": "s3://old", "digest": None}}
    up = lineage(
        [node("3", inputs=INPUT), node("2", inputs=INPUT), node("1", inputs=other)],
        ("2", "3"), ("1", "2"),
    )  # fmt: skip

    rows = lineage_rows(up, lineage([node("3", inputs=INPUT)]))

    assert [row.address for row in rows if row.address] == ["s3://web", "s3://old"]


def test_a_parent_that_is_not_here_leads_nowhere() -> None:
    up = lineage([node("2"), node("99", known=False)], ("99", "2"), cut=True)

    rows = lineage_rows(up, lineage([node("2")]))

    assert (rows[1].text, rows[1].reference) == (":99", None)
    assert rows[-1].text.endswith("and more")
