"""The audit as rows: who did what, when, from where, and on whose approval."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry, audit_export
from regtui.registry.audit_export import CSV_COLUMNS, safe_cell
from regtui.replica.database import connected
from tests.cli.schemas import check
from tests.registry.governed import POLICY, govern


@pytest.fixture
def governed(registry: Registry, tmp_path: Path) -> Registry:
    return govern(registry, tmp_path)


def exported(registry: Registry, folder: Path, reference: str | None = None) -> list[Any]:
    made = registry.export_audit(reference, folder / "audit.jsonl", replace=True)
    lines = (folder / "audit.jsonl").read_text(encoding="utf-8").splitlines()
    assert made.rows == len(lines)
    return [json.loads(line) for line in lines]


def kinds(registry: Registry, reference: str | None) -> list[str]:
    return [row.kind for row in registry.audit_rows(reference)]


def test_every_operation_is_a_row_as_documented_oldest_first(
    governed: Registry, tmp_path: Path
) -> None:
    rows = exported(governed, tmp_path)

    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        check(row, "audit-row")
    assert rows[-1]["link"] == governed.anchor().link


def test_a_move_tells_who_approved_it_and_what_the_gates_said(governed: Registry) -> None:
    rows = list(governed.audit_rows("team/ranker@production"))

    by_kind = {row.kind: row for row in rows}
    assert [row.kind for row in rows] == [
        "policy.put",
        "promotion.request",
        "promotion.review",
        "promotion.request",
        "promotion.apply",
    ]
    review = by_kind["promotion.review"]  # which was the last gate, so it moved the alias
    assert review.approved_by == [review.actor]
    assert [one.text for one in review.reviews] == ["looks fine"]
    assert {one.gate: one.reason for one in review.gates if one.policy} == {
        "approvals": "1 of 1 approval",
        "metadata:description": "description is filled in",
    }
    assert (review.version, review.target) == ("team/ranker@1", "production")
    broken = by_kind["promotion.apply"]
    assert (broken.break_glass, broken.version) == ("an outage", "team/ranker@2")
    assert broken.approved_by == []


def test_an_approval_that_did_not_count_approved_nothing(governed: Registry) -> None:
    description = "a change of what the policy reads"
    asked = governed.request_promotion("team/ranker@1", "production", auto=False)
    governed.review(asked.request, "approve", "before the change")
    governed.edit("team/ranker@1", {"description": description})
    governed.apply_promotion(asked.request, break_glass="an outage")
    (move,) = [row for row in governed.audit_rows() if row.request == asked.id][-1:]

    why = "what the policies read was changed"
    assert move.approved_by == []
    assert [(one.text, one.not_counted) for one in move.reviews] == [("before the change", why)]
    (review,) = governed.promotion(asked.request).reviews
    assert (review.counts, review.reason) == (False, why)


def test_what_the_gates_said_is_told_of_every_move_not_of_the_last_one(
    registry: Registry, tmp_path: Path
) -> None:
    for number in (1, 2):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(bytes([number]))
        registry.capture(file, model="team/ranker", description="some")
    registry.put_policies([{**POLICY, "approvals": 0}])
    for number in (1, 2):
        registry.set_alias(f"team/ranker@{number}", "production")
    moves = [row for row in registry.audit_rows() if row.kind == "alias.set"]

    assert [[one.gate for one in row.gates if one.policy] for row in moves] == [
        ["metadata:description"]
    ] * 2
    assert registry.undo().undone
    assert all(
        change.path != "evidence"
        for operation in registry.log().operations
        for change in operation.changes
    )


def test_of_a_history_without_rows_of_it_the_last_move_tells_what_the_gates_said(
    governed: Registry,
) -> None:
    before = [row.gates for row in governed.audit_rows()]
    with connected(governed.home / "registry.duckdb", read_only=False) as connection:
        connection.execute("delete from base.log where result = 'noted'")

    after = [row.gates for row in governed.audit_rows()]
    assert after == before
    assert any(after)


def test_a_version_an_environment_a_person_and_a_model_are_chosen(governed: Registry) -> None:
    everything = kinds(governed, None)
    actor = governed.log(limit=1).operations[0].actor

    assert kinds(governed, f"person:{actor}") == everything
    assert kinds(governed, "env:prod") == ["environment.put", *["deployment.record"] * 3]
    of_one = kinds(governed, "team/ranker@1")
    assert of_one == [
        "version.capture",
        "promotion.request",
        "promotion.review",
        "deployment.record",
        "promotion.apply",  # which moved the alias away from it
        "deployment.record",
        "deployment.record",
    ]
    assert "policy.put" not in kinds(governed, "team/ranker")
    places = [row.target for row in governed.audit_rows("env:prod")]
    assert places == ["env:prod"] * 4
    capture = next(row for row in governed.audit_rows("team/ranker@1"))
    assert capture.host


def test_the_log_of_an_environment_is_that_of_its_deployments(governed: Registry) -> None:
    assert [one.kind for one in governed.log("env:prod").operations] == [
        *["deployment.record"] * 3,
        "environment.put",
    ]


def test_csv_is_one_line_an_operation_and_no_formula(governed: Registry, tmp_path: Path) -> None:
    governed.edit("team/ranker@1", {"tags/=1+1": "x"})
    governed.add_comment("team/ranker@1", "=cmd|' /C calc'!A0\r\nsecond")
    made = governed.export_audit(None, tmp_path / "audit.csv", form="csv")

    text = (tmp_path / "audit.csv").read_text(encoding="utf-8")
    assert text.count("\n") == made.rows + 1
    rows = list(csv.DictReader(text.splitlines()))
    assert tuple(rows[0]) == CSV_COLUMNS
    assert not [v for row in rows for v in row.values() if v.startswith(("=", "+", "-", "@"))]
    assert any("second" in row["summary"] for row in rows)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("=1", "'=1"),
        (" =1", "' =1"),
        ("\t=1", "'\\t=1"),
        ("-3", "'-3"),
        ("\uff1d1", "'\uff1d1"),
        ("a\nb\x00\x1b[2J", "a\\nb\\x00\\x1b[2J"),
        ("plain, with = inside", "plain, with = inside"),
        ("a; =1;@x; b", "a; '=1;'@x; b"),
        ("", ""),
    ],
)
def test_a_cell_is_one_line_and_no_formula(text: str, told: str) -> None:
    assert safe_cell(text) == told


def test_pages_leave_out_nothing_and_repeat_nothing(
    governed: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = list(governed.audit_rows())
    monkeypatch.setattr(audit_export, "PAGE", 3)
    monkeypatch.setattr(audit_export, "WINDOW", 4)

    assert list(governed.audit_rows()) == whole


@pytest.mark.parametrize(
    "reference",
    ["nobody", "team/ranker@9", "env:none", "person:zoe", "dataset:x", "team/ranker@no"],
)
def test_what_is_not_there_is_said_and_no_file_is_made(
    governed: Registry, tmp_path: Path, reference: str
) -> None:
    with pytest.raises(NotFound):
        governed.export_audit(reference, tmp_path / "audit.jsonl")
    assert not (tmp_path / "audit.jsonl").exists()


def test_a_file_that_is_there_is_not_replaced_unasked(governed: Registry, tmp_path: Path) -> None:
    (tmp_path / "audit.jsonl").write_text("mine")
    with pytest.raises(BadInput, match="exists already"):
        governed.export_audit(None, tmp_path / "audit.jsonl")
    with pytest.raises(BadInput, match="no format 'xml'"):
        governed.export_audit(None, tmp_path / "other", form="xml")
    assert (tmp_path / "audit.jsonl").read_text() == "mine"


def test_since_leaves_out_what_is_older(governed: Registry) -> None:
    assert kinds(governed, None)
    assert list(governed.audit_rows(since="2999-01-01")) == []
