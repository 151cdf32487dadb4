"""The checks that are built in, on what the registry has of a version."""

from pathlib import Path

from msgspec import Struct

from regtui.artifacts.leases import reader_lease
from regtui.checks import builtin
from regtui.checks.builtin import Figure
from regtui.checks.command import Ended
from regtui.core import encoding
from regtui.core.documents import Document
from regtui.core.errors import NotFound
from regtui.core.policies import Check
from regtui.formats.values import Facts
from regtui.registry.answers import VersionAnswer
from regtui.registry.content import fetch_missing, verify
from regtui.registry.context import Context
from regtui.registry.layouts import read_files
from regtui.registry.references import direction_by_name, direction_of, document_of, find_version
from regtui.registry.released import refuse_released
from regtui.registry.versions import files, manifest


class Tried(Struct, frozen=True):
    """How a check ended, and the digest of what went in beside the version."""

    ended: Ended
    inputs: str | None = None


def try_builtin(context: Context, version: VersionAnswer, check: Check) -> Tried:
    """Try a version by a check that is built in.

    Args:
        context: The registry.
        version: What to try.
        check: How.

    Raises:
        RegtuiError: It could not be tried: files are not here and can't be fetched.
    """
    named = f":{version.id}"
    match check.builtin:
        case "files-intact":
            return Tried(_files_intact(context, named))
        case "safe-files":
            return Tried(_safe_files(context, named))
        case "loads":
            return Tried(_loads(context, named))
        case "card-complete":
            return _card_complete(context, version, check)
        case "metric-regression":
            return _metric_regression(context, version, check)
        case _:
            reason = f"this program has no check {check.builtin!r}"
            return Tried(Ended(outcome="error", reason=reason, log=f"{reason}\n"))


def _files_intact(context: Context, named: str) -> Ended:
    fetch_missing(context, named)
    _, entries = manifest(context, named)
    paths = {entry.digest: entry.path for entry in entries}
    found = verify(context, named)
    wrong = [(paths.get(one.digest, one.digest), one.problem) for one in found.damaged]
    return builtin.files_intact(found.files, wrong)


def _safe_files(context: Context, named: str) -> Ended:
    fetch_missing(context, named)
    _, found = files(context, named)
    return builtin.safe_files(
        {
            one.path: Facts(one.format, one.safety, globals=tuple(one.globals), problem=one.problem)  # type: ignore[arg-type]
            for one in found
        }
    )


def _loads(context: Context, named: str) -> Ended:
    """Read the files anew: what is kept of them says what they were."""
    fetch_missing(context, named)
    with reader_lease(context.home):
        answer, entries = manifest(context, named)
        refuse_released(context, answer, entries)
        names: dict[str, list[str]] = {}
        for entry in entries:
            names.setdefault(entry.digest, []).append(Path(entry.path).name)
        done, failed = read_files(context, names)
    found = done | failed
    return builtin.loads({entry.path: found[entry.digest].facts for entry in entries})


def _card_complete(context: Context, version: VersionAnswer, check: Check) -> Tried:
    with context.reading() as connection:
        _, document = find_version(connection, f":{version.id}")
        row = connection.execute(
            "select key from base.model where id = ?", [document.stream]
        ).fetchone()
        digest = None if row is None else document_of(connection, row[0]).value("card")
        text = connection.execute(
            "select value from base.text where digest = ?", [digest]
        ).fetchone()
    return Tried(builtin.card_complete(None if text is None else text[0], check.needs), digest)


def _metric_regression(context: Context, version: VersionAnswer, check: Check) -> Tried:
    against = check.against or ""
    with context.reading() as connection:
        _, document = find_version(connection, f":{version.id}")
        row = connection.execute(
            "select key from base.model where id = ?", [document.stream]
        ).fetchone()
        model = document_of(connection, -1 if row is None else row[0])
        try:
            _, other = find_version(connection, f"{model.value('name')}@{against}")
        except NotFound:
            other = None
    primary = model.value("primary_metric")
    names = check.metrics or ([] if primary is None else [str(primary)])
    if not names:
        reason = "the model has no primary metric, and the check names none"
        return Tried(Ended(outcome="error", reason=reason, log=f"{reason}\n"))
    figures = [
        Figure(
            name,
            direction_of(model) if name == primary else direction_by_name(name),
            _metric(document, name),
            None if other is None else _metric(other, name),
        )
        for name in names
    ]
    inputs = encoding.digest(
        encoding.encode([None if other is None else other.id, [str(one.other) for one in figures]])
    )
    return Tried(builtin.metric_regression(figures, against, check.tolerance), inputs)


def _metric(version: Document, name: str) -> float | None:
    found = version.value(f"metrics/{name}")
    return None if found is None else encoding.untag_float(found["value"])
