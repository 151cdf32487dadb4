"""The rows of a comparison, its words and its Markdown, without a widget."""

from typing import Any

import pytest

from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_compare import (
    DiffAnswer,
    Difference,
    FileDifference,
    TensorDifference,
    VersionName,
)
from regtui.registry.side_by_side import Side, Sides
from regtui.tui.comparison.content import Content, condensed
from regtui.tui.comparison.markdown import markdown
from regtui.tui.comparison.rows import Row, differing, rows_of, titles
from regtui.tui.comparison.words import explained


def version(number: int, model: str = "ranker", **values: Any) -> VersionAnswer:
    plain: dict[str, Any] = {
        "model": model, "number": number, "id": f"id-{number}", "short_id": f":{number}",
        "aliases": [], "contested": [], "metrics": {}, "steps": {}, "params": {}, "tags": {},
        "state": "captured", "pending": False, "digest": "d", "size": 1, "files": 1,
        "created": "2026-09-21T10:00:00.000Z", "author": "ann", "description": None,
        "source": None, "parents": [], "inputs": {},
    }  # fmt: skip
    return VersionAnswer(**(plain | values))


def sides(*versions: VersionAnswer, **directions: str) -> Sides:
    names = {name for one in versions for name in one.metrics}
    return Sides(
        sides=tuple(Side(version=one, context={}, packages={}) for one in versions),
        directions={name: directions.get(name, "max") for name in sorted(names)},
    )


def nothing_differs() -> Content:
    return Content(files={}, tensors={}, same_files=1, same_tensors=2, partial=False)


def row(rows: list[Row], section: str, name: str = "") -> Row:
    return next(one for one in rows if (one.section, one.name) == (section, name))


def compared(*versions: VersionAnswer, baseline: int = 0, **directions: str) -> list[Row]:
    contents = [nothing_differs() for _ in versions]
    return rows_of(sides(*versions, **directions), baseline, contents)


FILE = {"size": 10, "digest": "a" * 64, "executable": False}
OTHER = {"size": 2048, "digest": "b" * 64, "executable": False}
TENSOR = {"dtype": "float32", "shape": [2, 3], "size": 24, "digest": "c"}


def diff(files: FileDifference, tensors: TensorDifference | None = None) -> DiffAnswer:
    name = VersionName(model="ranker", number=1, id="1", short_id=":1", state="captured")
    none = Difference()
    return DiffAnswer(
        before=name, after=name, equal=False, metrics=none, params=none, tags=none, inputs=none,
        context=none, packages=none, files=files, tensors=tensors or TensorDifference(),
    )  # fmt: skip


def test_a_metric_is_better_or_worse_by_its_direction() -> None:
    rows = compared(
        version(1, metrics={"f1": 0.5, "loss": 0.5}),
        version(2, metrics={"f1": 0.6, "loss": 0.6}),
        loss="min",
    )

    assert [cell.verdict for cell in row(rows, "metrics", "f1").cells] == ["", "better"]
    assert [cell.verdict for cell in row(rows, "metrics", "loss").cells] == ["", "worse"]
    assert row(rows, "metrics", "f1").cells[1].change == "+0.1"


def test_the_best_of_all_columns_is_marked_whatever_the_baseline() -> None:
    rows = compared(
        version(1, metrics={"loss": 0.3}),
        version(2, metrics={"loss": 0.1}),
        version(3, metrics={"loss": "NaN"}),
        baseline=2,
        loss="min",
    )

    assert [cell.is_best for cell in row(rows, "metrics", "loss").cells] == [False, True, False]


def test_nothing_is_best_where_all_are_equal() -> None:
    rows = compared(version(1, metrics={"f1": 0.5}), version(2, metrics={"f1": 0.5}))

    assert not any(cell.is_best for cell in row(rows, "metrics", "f1").cells)
    assert row(rows, "metrics", "f1").cells[1].verdict == "same"


def test_an_equal_value_of_another_step_is_changed() -> None:
    rows = compared(
        version(1, metrics={"f1": 0.5}, steps={"f1": 10}),
        version(2, metrics={"f1": 0.5}, steps={"f1": 20}),
    )

    assert row(rows, "metrics", "f1").cells[1].verdict == "changed"
    assert row(rows, "metrics", "f1").differs


def test_a_value_that_one_lacks_is_added_or_removed() -> None:
    versions = (version(1, params={"lr": 0.1}), version(2, params={"layers": 3}))
    rows = compared(*versions)

    assert [cell.verdict for cell in row(rows, "params", "lr").cells] == ["", "removed"]
    assert [cell.verdict for cell in row(rows, "params", "layers").cells] == ["", "added"]
    turned = compared(*versions, baseline=1)
    assert [cell.verdict for cell in row(turned, "params", "lr").cells] == ["added", ""]


def test_true_and_one_differ() -> None:
    rows = compared(version(1, params={"amp": True}), version(2, params={"amp": 1}))

    assert row(rows, "params", "amp").cells[1].verdict == "changed"


def test_only_rows_that_differ_stay_with_their_heading() -> None:
    rows = compared(
        version(1, params={"lr": 0.1, "seed": 1}, tags={"env": "dev"}),
        version(2, params={"lr": 0.2, "seed": 1}, tags={"env": "dev"}),
    )

    assert {(one.section, one.name) for one in rows} >= {("params", "seed"), ("tags", "env")}
    assert [(one.section, one.name) for one in differing(rows)] == [
        ("params", ""),
        ("params", "lr"),
    ]


def test_a_heading_counts_what_differs() -> None:
    rows = compared(
        version(1, params={"a": 1, "b": 1, "c": 1}),
        version(2, params={"a": 1, "b": 2, "d": 1}),
    )

    assert row(rows, "params").cells[1].text == "+1 ~1 -1 =1"


def test_files_stand_under_the_path_that_the_baseline_has() -> None:
    content = condensed(
        diff(
            FileDifference(
                changed={"w.bin": {"before": FILE, "after": OTHER}},
                added={"new.txt": FILE},
                removed={"old.txt": FILE},
                moved={"b/c": {"before": "a/c", "after": "b/c", "size": 10, "digest": "a" * 64}},
                same=7,
            )
        )
    )

    rows = rows_of(sides(version(1), version(2)), 0, [None, content])

    said = {one.name: one.cells for one in rows if one.section == "files" and one.name}
    assert list(said) == ["a/c", "new.txt", "old.txt", "w.bin"]
    assert [(cell.text, cell.verdict) for cell in said["a/c"]] == [
        ("10 B aaaaaaaa", ""),
        ("b/c", "moved"),
    ]
    assert said["new.txt"][0].text == ""
    assert said["old.txt"][1].verdict == "removed"
    assert said["w.bin"][1].text == "2.0 KiB bbbbbbbb"
    assert row(rows, "files").cells[1].text == "+1 ~1 -1 >1 =7"


def test_a_file_that_only_became_executable_says_so() -> None:
    pair = {"before": FILE, "after": FILE | {"executable": True}}

    content = condensed(diff(FileDifference(changed={"run.sh": pair})))

    assert content.files["run.sh"].after.endswith("executable")


def test_a_column_that_has_what_the_baseline_has_says_the_same() -> None:
    changed = condensed(diff(FileDifference(changed={"w": {"before": FILE, "after": OTHER}})))
    added = condensed(diff(FileDifference(added={"x": FILE})))

    rows = rows_of(sides(version(1), version(2), version(3)), 0, [None, changed, added])

    assert [cell.verdict for cell in row(rows, "files", "w").cells] == ["", "changed", "same"]
    assert [cell.verdict for cell in row(rows, "files", "x").cells] == ["", "", "added"]


def test_tensors_of_equal_shape_and_other_values_say_so() -> None:
    tensors = TensorDifference(
        changed={"w": {"before": TENSOR, "after": TENSOR}},
        unknown={"b": {"before": TENSOR, "after": TENSOR}},
    )
    content = condensed(diff(FileDifference(), tensors))

    rows = rows_of(sides(version(1), version(2)), 0, [None, content])

    assert row(rows, "tensors", "w").cells[1].more == "of other values"
    assert row(rows, "tensors", "b").cells[1].verdict == "unknown"
    assert explained(row(rows, "tensors", "w"), 1, 0, ["@1", "@2"])[1:] == [
        "@2: float32 [2,3]  (changed, of other values)",
        "@1, the baseline: float32 [2,3]",
    ]


def test_what_is_still_compared_and_what_could_not_be_stand_in_the_heading() -> None:
    rows = rows_of(
        sides(version(1), version(2), version(3)), 0, [None, None, "not compared: it is damaged"]
    )

    heading = row(differing(rows), "files")
    assert [cell.text for cell in heading.cells] == [
        "",
        "comparing …",
        "not compared: it is damaged",
    ]


def test_equal_cells_of_many_tensors_are_one_object() -> None:
    names = [f"layer.{number}" for number in range(1_000)]
    tensors = TensorDifference(changed={n: {"before": TENSOR, "after": TENSOR} for n in names})
    content = condensed(diff(FileDifference(), tensors))

    rows = rows_of(sides(version(1), version(2)), 0, [None, content])

    cells = {id(cell) for one in rows if one.section == "tensors" and one.name
             for cell in one.cells}  # fmt: skip
    assert len(cells) == 2


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        ((version(1), version(2)), ["@1", "@2"]),
        ((version(1), version(2, "other")), ["ranker@1", "other@2"]),
    ],
)
def test_columns_of_one_model_are_called_by_number(
    versions: tuple[VersionAnswer, ...], expected: list[str]
) -> None:
    assert titles(versions) == expected


def test_a_heading_in_words_tells_what_its_counts_mean() -> None:
    rows = compared(version(1, params={"a": 1, "b": 1}), version(2, params={"a": 1, "b": 2}))

    assert explained(row(rows, "params"), 1, 0, ["@1", "@2"]) == ["@2: 1 changed, 1 the same"]


def test_markdown_has_a_table_for_each_section() -> None:
    rows = compared(
        version(1, metrics={"loss": 0.5}, params={"seed": 1}),
        version(2, metrics={"loss": 0.4}, params={"seed": 1}),
        loss="min",
    )

    text = markdown(differing(rows), ["ranker@1", "ranker@2"], 0)

    assert text == (
        "# ranker@1 compared with ranker@2\n"
        "\n"
        "## Metrics\n"
        "\n"
        "|  | ranker@1 (baseline) | ranker@2 |\n"
        "| --- | --- | --- |\n"
        "| *in all* |  | \\~1 |\n"
        "| loss (less is better) | 0.5 | **0.4** best (better, -0.1, -20 %) |\n"
    )


def test_markdown_escapes_what_people_typed() -> None:
    rows = compared(version(1, params={"a|b": "*x*\n# y"}), version(2, params={"a|b": "<script>"}))

    text = markdown(differing(rows), ["ranker@1", "ranker@2"], 0)

    assert "| a\\|b | \\*x\\* \\# y | \\<script\\> (changed) |" in text
