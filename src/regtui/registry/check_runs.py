"""Runs of checks: what was told of versions, and telling it."""

import platform
from collections.abc import Mapping
from typing import get_args

from regtui.checks.bounded_log import BoundedLog
from regtui.checks.command import Ended, Outcome
from regtui.checks.figures import figures_of
from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.governance.evidence import order_of_runs
from regtui.core.identity import name_key, short_id
from regtui.core.operations import Change, ReportBody
from regtui.core.policies import check_named
from regtui.registry.answers import iso
from regtui.registry.answers_checks import CheckRunAnswer
from regtui.registry.checks import all_checks
from regtui.registry.context import Context
from regtui.registry.lookups import actor_names
from regtui.registry.references import find_version
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.ids import uuid7
from regtui.replica.unit import wall_clock

_RUNS = (
    "select d.body, d.id::varchar from base.check_run r join base.document d on d.key = r.key "
    "where r.version = ?"
)


def check_runs(context: Context, reference: str, name: str | None = None) -> list[CheckRunAnswer]:
    """Return what checks of a version told, newest first.

    Args:
        context: The registry.
        reference: The version.
        name: Only the runs of this check.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference or the name is malformed.
    """
    wanted = None if name is None else name_key(name, segments=False)
    with context.reading() as connection:
        key, version = find_version(connection, reference)
        return run_answers(connection, version, _runs(connection, key, wanted))


def check_log(context: Context, reference: str, name: str) -> tuple[CheckRunAnswer, str]:
    """Return the last run of a check of a version, and what it printed.

    Args:
        context: The registry.
        reference: The version.
        name: Of the check, or the id of a run of it, or the beginning or end of that.

    Raises:
        NotFound: There is no such version, or no such run.
        BadInput: The reference or the name is malformed.
    """
    with context.reading() as connection:
        key, version = find_version(connection, reference)
        found = _runs(connection, key, None)
        named = [one for one in found if one.facts["check"] == name.lower()]
        if not named and len(name) >= 4:  # noqa: PLR2004 -- fewer digits name nothing
            named = [one for one in found if one.id.startswith(name) or one.id.endswith(name)]
        if not named:
            raise NotFound(
                f"{name!r} was not run on {reference} yet",
                f"`regtui check run {reference} {name}` does",
            )
        (answer,) = run_answers(connection, version, named[:1])
        row = connection.execute(
            "select value from base.text where digest = ?", [answer.log]
        ).fetchone()
    return answer, "" if row is None else str(row[0])


def report(  # noqa: PLR0913 -- everything that is told of a run, by name
    context: Context,
    reference: str,
    name: str,
    outcome: str,
    *,
    figures: Mapping[str, float] | None = None,
    log: str = "",
    runner: str | None = None,
) -> CheckRunAnswer:
    """Tell how a check of a version ended that was run elsewhere.

    Args:
        context: The registry.
        reference: The version.
        name: Of the check; there need be no definition of it.
        outcome: `passed`, `failed`, `error` or `timeout`.
        figures: What was measured, by name.
        log: What it printed; of a long one beginning and end are kept.
        runner: Where it ran; None for here.

    Raises:
        NotFound: There is no such version.
        BadInput: Something is malformed.
        Denied: This person tells nothing of this model.
    """
    if outcome not in get_args(Outcome):
        raise BadInput(f"{outcome!r} is no outcome", f"one of {', '.join(get_args(Outcome))}")
    found = figures_of(figures or {})
    if found.problems:
        raise BadInput(found.problems[0])
    kept = BoundedLog()
    kept.add(log.encode("utf-8", "replace"))
    ended = Ended(outcome=outcome, log=kept.text(), figures=found.figures)  # type: ignore[arg-type]
    key = name_key(name, segments=False)
    with context.writing() as authority:
        _, version = find_version(authority.connection, reference)
        model = authority.view.document(version.stream)
        shown = "" if model is None else str(model.value("name"))
        defined = check_named(all_checks(authority.connection), shown, key)
        stamp = None if defined is None else defined.stamp("definition")
        return submit_report(
            authority,
            version,
            key,
            stamp,
            ended,
            began=wall_clock(),
            runner=runner or platform.node(),
        )


def submit_report(  # noqa: PLR0913 -- everything that is told of a run, by name
    authority: SoloAuthority,
    version: Document,
    name: str,
    definition: str | None,
    ended: Ended,
    *,
    began: int,
    runner: str,
    inputs: str | None = None,
) -> CheckRunAnswer:
    """Submit how a check ended, and return it as it is kept.

    Args:
        authority: Of a unit of work.
        version: What was tried.
        name: Of the check.
        definition: Stamp of the definition that was run; None where there is none.
        ended: How it ended.
        began: When, in microseconds.
        runner: Where it ran.
        inputs: Digest of what went in beside the version.

    Raises:
        NotFound, BadInput, Denied: It is refused.
    """
    identity, now = uuid7(wall_clock()), wall_clock()
    body = ReportBody(
        version=version.id,
        check=name,
        definition=definition,
        outcome=ended.outcome,
        figures=ended.figures,  # type: ignore[arg-type]
        runner=runner[:200],
        started=min(began, now),
        ended=now,
        inputs=inputs,
        set={"log": Change(ended.log)} if ended.log else {},
    )
    authority.submit("check.report", version.stream, identity, body)
    authority.flush()
    made = authority.view.document(identity)
    return run_answers(authority.connection, version, [] if made is None else [made])[0]


def run_answers(
    connection: Connection, version: Document, runs: list[Document]
) -> list[CheckRunAnswer]:
    """Return the answers for runs of a version, in their order."""
    row = connection.execute(
        "select m.name from base.model m where m.id = ?", [version.stream]
    ).fetchone()
    model = "" if row is None else str(row[0])
    definitions = all_checks(connection)
    authors = actor_names(connection, {str(one.facts["author"]) for one in runs})
    return [_answer(one, version, model, definitions, authors) for one in runs]


def _runs(connection: Connection, version: int, name: str | None) -> list[Document]:
    condition, parameters = ("", []) if name is None else (" and r.name = ?", [name])
    rows = connection.execute(_RUNS + condition, [version, *parameters]).fetchall()
    return sorted((stored_document(*row) for row in rows), key=order_of_runs, reverse=True)


def _answer(
    run: Document,
    version: Document,
    model: str,
    definitions: list[Document],
    authors: dict[str, str],
) -> CheckRunAnswer:
    facts = run.facts
    defined = check_named(definitions, model, str(facts["check"]))
    stamp = None if defined is None else defined.stamp("definition")
    return CheckRunAnswer(
        id=run.id,
        check=facts["check"],
        model=model,
        number=version.facts["number"],
        version_id=version.id,
        short_id=short_id(version.id),
        outcome=facts["outcome"],
        figures=facts["figures"],
        stale=facts["definition"] != stamp,
        counts=facts["counts"],
        runner=facts["runner"],
        author=authors.get(facts["author"], facts["author"]),
        started=iso(facts["started"]),
        seconds=round((facts["ended"] - facts["started"]) / 1e6, 3),
        told=iso(facts["told"]),
        log=run.value("log"),
        pending=run.seq == 0,
    )
