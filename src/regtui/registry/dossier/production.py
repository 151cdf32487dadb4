"""What dossiers tell of production: approvals, gates, deployments, and where aliases pointed."""

from collections.abc import Iterable, Iterator

from regtui.core.errors import RegtuiError
from regtui.registry.answers_audit import AuditRow
from regtui.registry.answers_production import DeploymentAnswer, PromotionAnswer, ReviewAnswer
from regtui.registry.context import Context
from regtui.registry.deployments import deployments
from regtui.registry.dossier.blocks import Block, Facts, Paragraph, Section, Table
from regtui.registry.figures import seq_text
from regtui.registry.holders import HolderAnswer, holders

PRODUCTION = "production"
"""The alias, and the kind of environment, that mean production where nothing else says so."""


def moment(time: str | None) -> str:
    """Return a time to the second."""
    return "" if time is None else f"{time[:19].replace('T', ' ')} UTC"


def in_production(context: Context, model: str) -> str | None:
    """Return the reference of the version that is in production; None where none is known to be.

    What is live in an environment of that kind counts, else what the alias of that name points to.
    """
    with context.reading() as connection:
        row = connection.execute(
            "select ':' || replace(v.id::varchar, '-', '') from base.deployment d "
            "join base.environment e on e.name = d.environment "
            "join base.version v on v.key = d.version join base.model m on m.key = d.model "
            "where m.name = ? and m.state <> 'deleted' and d.state = 'live' and e.kind = ? "
            "order by d.since desc, d.key desc limit 1",
            [model, PRODUCTION],
        ).fetchone()
        if row is None:
            row = connection.execute(
                "select ':' || replace(v.id::varchar, '-', '') from base.alias a "
                "join base.version v on v.key = a.version join base.model m on m.key = a.model "
                "where m.name = ? and m.state <> 'deleted' and a.name = ?",
                [model, PRODUCTION],
            ).fetchone()
    return None if row is None else str(row[0])


def deployed(context: Context, reference: str) -> Section:
    """Return where something is deployed, and where it was: since when, by whom, on whose word."""
    found = deployments(context, reference, ended=True)
    return Section("Deployments", [_deployments(found)] if found else [], "It was never deployed.")


def _deployments(found: Iterable[DeploymentAnswer]) -> Block:
    return Table(
        ("Environment", "Version", "State", "Since", "Until", "By", "Approved by", "Why"),
        [
            [
                f"{one.environment}/{one.target}" if one.target else one.environment,
                one.version,
                one.state.replace("_", " ") + (" (waits for the server)" if one.waiting else ""),
                moment(one.since),
                moment(one.until),
                one.by,
                ", ".join(one.approved_by),
                "; ".join(_why(one)),
            ]
            for one in found
        ],
    )


def _why(one: DeploymentAnswer) -> Iterator[str]:
    if one.reason:
        yield one.reason
    if one.rollback_of is not None:
        yield f"took back {one.rollback_of}"
    if one.break_glass is not None:
        yield f"past the gates, as an admin: {one.break_glass}"


def requests(found: Iterable[PromotionAnswer]) -> list[Block]:
    """Return what was asked for, what people said to it, and what each gate said."""
    blocks: list[Block] = []
    for one in found:
        place = f"env:{one.target}" if one.target_kind == "environment" else one.target
        blocks.append(
            Facts(
                [
                    ("request", f"{one.request}: {place} to {one.version or 'nothing'}"),
                    ("asked by", f"{one.author}, {moment(one.created)}"),
                    ("reason", one.reason or ""),
                    ("state", one.state + (" (waits for the server)" if one.waiting else "")),
                    ("past the gates, as an admin", one.break_glass or ""),
                ]
            )
        )
        if one.reviews:
            blocks.append(
                Table(
                    ("Said by", "As", "Verdict", "When", "Text"),
                    [
                        [
                            review.author,
                            review.role,
                            review.verdict + _counted(review, one.state),
                            moment(review.time),
                            review.text,
                        ]
                        for review in one.reviews
                    ],
                )
            )
        if one.gates:
            blocks.append(
                gates(
                    (gate.policy, gate.gate, _answer(gate.passed), gate.reason, gate.evidence)
                    for gate in one.gates
                )
            )
    return blocks


def moves(rows: Iterable[AuditRow]) -> list[Block]:
    """Return the moves that gates were asked about and that follow from no request."""
    blocks: list[Block] = []
    for row in rows:
        if not row.gates or row.request is not None:
            continue
        glass = (
            "" if row.break_glass is None else f" Past the gates, as an admin: {row.break_glass}."
        )
        said = f"{seq_text(row.seq)}, {moment(row.time)}, {row.actor}: {row.summary}.{glass}"
        blocks.append(Paragraph(said))
        answer = "passed" if row.break_glass is None else ""
        blocks.append(
            gates((one.policy, one.gate, answer, one.reason, one.evidence) for one in row.gates)
        )
    return blocks


def gates(found: Iterable[tuple[str, str, str, str, str | None]]) -> Table:
    """Return what gates said: policy, gate, answer, reason, and what they looked at."""
    headings = ("Policy", "Gate", "Says", "Because", "Evidence")
    return Table(headings, [[*one[:4], one[4] or ""] for one in found])


def pointed(context: Context, references: Iterable[str]) -> Section:
    """Return where aliases, given as `MODEL@ALIAS`, pointed, newest first."""
    rows: list[list[str]] = []
    for reference in references:
        try:
            found = holders(context, reference)
        except RegtuiError:  # it went meanwhile
            continue
        rows += [_holder(one) for one in found]
    table = Table(("Alias", "Version", "Since", "By", "Operation"), rows)
    return Section("History of its aliases", [table] if rows else [], "No alias.")


def _holder(one: HolderAnswer) -> list[str]:
    version = "nothing" if one.version_id is None else f"{one.model}@{one.number or one.short_id}"
    operation = "" if one.seq is None else seq_text(one.seq)
    return [one.alias, version, moment(one.since), one.author, operation]


def _answer(passed: bool | None) -> str:
    return {True: "passed", False: "failed", None: "known to the server"}[passed]


def _counted(review: ReviewAnswer, state: str) -> str:
    """Return why what somebody said does not count; once a request has ended, nobody asks."""
    if review.counts is False:
        return f" (does not count: {review.reason})"
    return f" ({review.reason})" if review.reason and state == "open" else ""
