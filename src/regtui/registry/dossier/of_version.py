"""The dossier of a version."""

from typing import Any

from regtui.core.wording import count_text
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_compare import LineageNode
from regtui.registry.audit_export import audit_rows
from regtui.registry.capture_layouts import reason
from regtui.registry.check_runs import check_runs
from regtui.registry.comments import comments
from regtui.registry.context import Context
from regtui.registry.dossier.blocks import Block, Card, Facts, Paragraph, Section, Table
from regtui.registry.dossier.production import (
    deployed,
    in_production,
    moment,
    moves,
    pointed,
    requests,
)
from regtui.registry.edit import card
from regtui.registry.figures import number_text, size_text
from regtui.registry.lineage import lineage
from regtui.registry.models import model
from regtui.registry.promotions import promotions
from regtui.registry.references import direction_by_name
from regtui.registry.surroundings import flat, places
from regtui.registry.versions import files, version

ANCESTORS = 200
"""Versions that a dossier names in either direction."""


def of_version(context: Context, reference: str) -> tuple[str, list[Section]]:
    """Return the name of a version and what is known of it.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference is malformed.
        Damaged: The list of its files is not the one that was captured.
    """
    found = version(context, reference)
    named = found.short_id
    rows = list(audit_rows(context, named))
    asked = [
        one for one in promotions(context, found.model, state=None) if one.version_id == found.id
    ]
    aliases = {row.target for row in rows if row.kind == "alias.set" and row.target}
    aliases |= {one.target for one in asked if one.target_kind == "alias"} | {*found.aliases}
    return found.reference, [
        _what(found),
        described(context, found.model),
        _origin(context, named),
        _lineage(context, found),
        _metrics(context, found),
        _params(found),
        _files(context, named),
        _checks(context, named),
        Section(
            "Approvals and gates",
            [*requests(asked), *moves(rows)],
            "Nothing that policies govern was asked for it.",
        ),
        deployed(context, named),
        pointed(context, [f"{found.model}@{one}" for one in sorted(aliases)]),
        said(context, named),
    ]


def _what(found: VersionAnswer) -> Section:
    facts = [
        ("version", f"{found.reference} ({found.id})"),
        ("description", found.description or ""),
        ("state", found.state + (" (waits for the server)" if found.pending else "")),
        ("aliases", ", ".join(found.aliases)),
        ("contested aliases", ", ".join(found.contested)),
        ("captured", f"{moment(found.created)} by {found.author}"),
        ("content digest", f"{found.digest} (blake3)"),
        ("size", f"{size_text(found.size)} in {count_text(found.files, 'file')}"),
        ("tags", ", ".join(f"{name}={value}" for name, value in sorted(found.tags.items()))),
    ]
    return Section("What it is", [Facts(facts)])


def described(context: Context, name: str) -> Section:
    """Return what a model is for, with its card."""
    found, text = model(context, name), card(context, name)
    facts = Facts(
        [
            ("model", f"{found.display_name} ({found.model}, {found.id})"),
            ("description", found.description or ""),
            ("owners", ", ".join(found.owners)),
            ("primary metric", _primary(found.primary_metric, found.direction)),
            ("tags", ", ".join(f"{name}={value}" for name, value in sorted(found.tags.items()))),
            ("made", f"{moment(found.created)} by {found.author}"),
        ]
    )
    below: Block = Card(text) if text else Paragraph("It has no card.")
    return Section("Model and card", [facts, below])


def _primary(metric: str | None, direction: str | None) -> str:
    return "" if metric is None else f"{metric} ({direction})"


def _origin(context: Context, reference: str) -> Section:
    blocks: list[Block] = []
    for one in places(context, reference):
        facts = [
            ("found at", f"{one.folder.rstrip('/')}/{one.name}"),
            ("host", one.host),
            ("run", one.run or ""),
            ("captured", f"{moment(one.at)} by {one.author}"),
        ]
        facts += [(name, _value(value)) for name, value in sorted(flat(one.context).items())]
        blocks.append(Facts(facts))
    return Section("Where it comes from", blocks, "Nothing is known of where it was found.")


def _lineage(context: Context, found: VersionAnswer) -> Section:
    walked = lineage(context, found.short_id, most=ANCESTORS)
    rows = [_kin(one) for one in walked.nodes if one.id != found.id]
    blocks: list[Block] = []
    if rows:
        blocks.append(Table(("Relation", "Version", "State"), rows))
    if walked.cut:
        blocks.append(Paragraph("There are more; the nearest ones are listed."))
    if found.inputs:
        inputs = [
            [name, str(one.get("uri", "")), str(one.get("digest") or "")]
            for name, one in sorted(found.inputs.items())
        ]
        blocks.append(Table(("Dataset", "Address", "Digest"), inputs))
    return Section("Lineage", blocks, "No parents, children or datasets are known.")


def _kin(one: LineageNode) -> list[str]:
    steps = abs(one.depth)
    relation = ("parent" if one.depth < 0 else "child") + ("" if steps == 1 else f", {steps} steps")
    name = one.short_id if one.number is None else f"{one.model}@{one.number}"
    return [relation, name, one.state or "not in this registry"]


def _metrics(context: Context, found: VersionAnswer) -> Section:
    current = in_production(context, found.model)
    other = None if current is None else version(context, current)
    if other is not None and other.id == found.id:
        other = None
    chosen = model(context, found.model)
    names = sorted({*found.metrics, *(other.metrics if other else {})})
    rows = []
    for name in names:
        mine = found.metrics.get(name)
        row = [name, number_text(mine), str(found.steps.get(name, ""))]
        if other is not None:
            theirs = other.metrics.get(name)
            is_primary = name == chosen.primary_metric and chosen.direction is not None
            direction = str(chosen.direction) if is_primary else direction_by_name(name)
            row += [number_text(theirs), _compared(mine, theirs, direction)]
        rows.append(row)
    headings = ["Metric", found.reference, "Step"]
    blocks: list[Block] = []
    if other is not None:
        headings += [f"{other.reference} (in production)", "Difference"]
    elif current is not None:
        blocks.append(Paragraph("This is the version in production."))
    else:
        blocks.append(Paragraph("No version is known to be in production."))
    return Section("Metrics", [*blocks, *([Table(headings, rows)] if rows else [])])


def _compared(mine: float | str | None, theirs: float | str | None, direction: str) -> str:
    if not isinstance(mine, int | float) or not isinstance(theirs, int | float):
        return ""
    if mine == theirs:
        return "same"
    better = (mine > theirs) == (direction == "max")
    return f"{mine - theirs:+.6g} ({'better' if better else 'worse'})"


def _params(found: VersionAnswer) -> Section:
    rows = [[name, _value(value)] for name, value in sorted(found.params.items())]
    return Section("Params", [Table(("Param", "Value"), rows)] if rows else [])


def _files(context: Context, reference: str) -> Section:
    _, found = files(context, reference)
    rows = [
        [
            one.path,
            size_text(one.size),
            one.format,
            one.safety
            + (f": {reason(one.globals, one.problem)}" if one.safety == "dangerous" else ""),
            str(one.tensors or ""),
            one.digest,
        ]
        for one in found
    ]
    headings = ("File", "Size", "Format", "Safety", "Tensors", "Digest (blake3)")
    return Section("Files", [Table(headings, rows)] if rows else [])


def _checks(context: Context, reference: str) -> Section:
    rows = [
        [
            one.check,
            one.outcome,
            "yes" if one.counts else "no: told by no reporter",
            ", ".join(f"{name}={number_text(one.figures[name])}" for name in sorted(one.figures)),
            moment(one.told),
            one.runner,
            one.author,
        ]
        for one in check_runs(context, reference)
    ]
    headings = ("Check", "Outcome", "Counts", "Figures", "Told", "Runner", "By")
    return Section("Checks", [Table(headings, rows)] if rows else [], "No check was run.")


def said(context: Context, reference: str) -> Section:
    """Return what people said about something."""
    rows = [
        [one.author, moment(one.created), one.text]
        for one in comments(context, reference)
        if one.state == "posted"
    ]
    return Section("Comments", [Table(("By", "When", "Text"), rows)] if rows else [])


def _value(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return number_text(value) if isinstance(value, float) else str(value)
