"""The dossier of a model or version: everything is in it, and nothing in it is more than text."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.dossier.blocks import Card, Dossier, Facts, Section, Table
from regtui.registry.dossier.html import html
from regtui.registry.dossier.markdown import escaped, markdown
from tests.registry.governed import govern

CARD = """---
license: mit
---
# Ranker

<script>alert(1)</script> ![a picture](http://example.org/p.png) [bad](javascript:alert(1))
[good](https://example.org/paper) <img src=x onerror=alert(1)>

| a | b |
|---|---|
| 1 | 2 |
"""
EVIL = '"><script>alert(1)</script>|`x`\n# heading ![](http://example.org/x.png)'


@pytest.fixture
def governed(registry: Registry, tmp_path: Path) -> Registry:
    found = govern(registry, tmp_path)
    found.edit_card("team/ranker", lambda _: CARD)
    return found


class Elements(HTMLParser):
    """Collects the elements of a page with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_a_version_is_told_with_all_that_is_known_of_it(governed: Registry) -> None:
    text = governed.report_text("team/ranker@1")

    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## What it is",
        "## Model and card",
        "## Where it comes from",
        "## Lineage",
        "## Metrics",
        "## Params",
        "## Files",
        "## Checks",
        "## Approvals and gates",
        "## Deployments",
        "## History of its aliases",
        "## Comments",
    ]
    for told in (
        "number 1",
        "weights-1.bin",
        "| lr | 0.1 |",
        "This is the version in production.",  # it was rolled back to
        "1 of 1 approval",
        "looks fine",
        "took back",
        "worse",
        governed.version("team/ranker@1").digest,
    ):
        assert told in text, told


def test_figures_stand_beside_those_of_what_is_in_production(governed: Registry) -> None:
    text = governed.report_text("team/ranker@2")

    assert "| ndcg | 0.7 |  | 0.6 | +0.1 (better) |" in text
    assert "an outage" in text
    assert "rolled back" in text


def test_a_model_is_told_with_its_versions_policies_and_aliases(governed: Registry) -> None:
    text = governed.report_text("team/ranker")

    for told in ("team/ranker@2", "prod", "approvals = 1", "production"):
        assert told in text, told


def test_a_page_runs_and_loads_nothing_whatever_is_in_it(governed: Registry) -> None:
    governed.edit("team/ranker@1", {"description": EVIL, f"tags/{EVIL[:20]}": EVIL})
    governed.add_comment("team/ranker@1", EVIL)
    page = governed.report_text("team/ranker@1", "html")

    elements = Elements(page).found
    names = {name for name, _ in elements}
    assert not names & {"script", "img", "link", "iframe", "object", "embed", "base", "form"}
    attributes = {name for _, found in elements for name in found}
    assert attributes <= {"lang", "charset", "http-equiv", "content", "name", "class", "href"}
    links = [found["href"] for _, found in elements if "href" in found]
    assert links == ["https://example.org/paper"]
    assert "default-src 'none'" in page
    assert "url(" not in page
    assert "@import" not in page


def test_in_markdown_a_value_stays_in_its_cell() -> None:
    table = Table(("A", "B"), [[EVIL, "b"]])
    text = markdown(Dossier("t", "m", [Section("s", [Facts([("n", EVIL)]), table])]))

    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert len(re.findall(r"(?<!\\)\|", rows[2])) == 3
    assert not [line for line in text.splitlines() if line.startswith("# heading")]
    assert "<script" not in text.replace("\\<script", "")


def test_a_card_can_not_end_the_block_that_it_stands_in() -> None:
    text = markdown(Dossier("t", "m", [Section("s", [Card("```\n````\n# out")])]))

    fences = [line for line in text.splitlines() if line.startswith("`````")]
    assert fences == ["`````markdown", "`````"]


def test_control_characters_reach_neither_page() -> None:
    found = Dossier("a\x1b[2Jb", "m", [Section("s", [Card("c\x1b[2J\x00d")])])

    assert not [c for c in markdown(found) + html(found) if not c.isprintable() and c != "\n"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1. x", "1\\. x"),
        ("-3", "-3"),
        ("- a", "\\- a"),
        ("# a", "\\# a"),
        ("a\n\nb", "a b"),
        ("<b>", "\\<b\\>"),
        ("", ""),
    ],
)
def test_a_text_means_nothing_but_itself(text: str, told: str) -> None:
    assert escaped(text) == told


def test_a_report_is_a_file_by_its_suffix(governed: Registry, tmp_path: Path) -> None:
    made = governed.report("team/ranker@1", tmp_path / "x.html")

    assert (made.format, made.about) == ("html", "team/ranker@1")
    assert (tmp_path / "x.html").stat().st_size == made.bytes
    with pytest.raises(BadInput, match="exists already"):
        governed.report("team/ranker@1", tmp_path / "x.html")
    assert governed.report("team/ranker", tmp_path / "x.md").format == "markdown"
    with pytest.raises(BadInput, match="neither"):
        governed.report("team/ranker@1", tmp_path / "x.pdf")
    with pytest.raises(NotFound):
        governed.report("team/none@1", tmp_path / "y.md")
    assert not (tmp_path / "y.md").exists()
