"""Running checks: of a version, on capture, or of everything that waits for it.

Nothing is held while a check runs: what holds for a version is read first, then it is tried outside
of any unit of work, and each outcome is told in a unit of its own as soon as it is there. A run is
of the definition that was read, so one that is changed meanwhile makes it stale and no more.

A command runs in the folder of who runs it, never in that of the version's files, where Python
would import what somebody captured. `{files}` and `REGTUI_FILES` name a fresh copy of the files,
made for this run alone and removed after it.

What waits (`pending`): for `on = ["capture"]` the newest captured versions, at most `NEWEST` for a
check; for `on = ["request"]` those with an open promotion request. A run that does not count waits
still for who is a reporter.
"""

import platform
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from regtui.core.access import REQUIRED, Actor, has_role, reports
from regtui.core.documents import Document
from regtui.core.errors import BadInput, Busy, Denied, NotFound, RegtuiError, Unreachable
from regtui.core.identity import name_key
from regtui.core.policies import (
    Check,
    bytes_of,
    check_named,
    check_of,
    duration,
)
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_checks import Checked, CheckRunAnswer
from regtui.registry.check_runs import submit_report
from regtui.registry.check_trust import is_trusted, trusted_digests
from regtui.registry.checks import all_checks, holding
from regtui.registry.context import Context
from regtui.registry.lookups import one_version, version_answers
from regtui.registry.references import find_version
from regtui.replica.database import Connection
from regtui.replica.remote import read_remote
from regtui.replica.unit import wall_clock

if TYPE_CHECKING:
    from regtui.registry.check_builtins import Tried

NEWEST = 100
"""Captured versions that a check looks at for runs that it has not had yet."""

AT_ONCE = 100
"""Runs of one turn over what waits."""

OnStart = Callable[[str, str], object]
"""Is told the reference of a version and the name of the check that begins."""


class Pending(Struct, frozen=True, kw_only=True):
    """A check that waits to be run on a version.

    Attributes:
        check: Its name.
        version: The version.
        on: What it is run on: `capture` or `request`.
        trusted: Whether it may run here.
    """

    check: str
    version: VersionAnswer
    on: str
    trusted: bool


class _Wanted(Struct, frozen=True):
    """A check of a version, as it was when it was read."""

    version: VersionAnswer
    document: Document
    trusted: bool

    @property
    def name(self) -> str:
        return str(self.document.facts["name"])


def run_checks(  # noqa: PLR0913 -- everything that may be said of a run, by name
    context: Context,
    reference: str,
    names: Iterable[str] = (),
    *,
    on: str | None = None,
    stop: Event | None = None,
    on_start: OnStart | None = None,
) -> Checked:
    """Run checks of a version, and tell how each ended.

    Args:
        context: The registry.
        reference: The version.
        names: Which checks; none for all that hold for its model.
        on: Only those that are run on `capture` or `request` and have not been yet.
        stop: Ends it: what runs is killed and tells nothing.
        on_start: Is told what begins.

    Raises:
        NotFound: There is no such version, it is deleted, or its model has no such check.
        BadInput: The reference or a name is malformed.
        Denied: One that was named is not trusted here, or this person tells nothing of the model.
        Stopped: It was ended.
    """
    with context.reading() as connection:
        wanted = _wanted(connection, context.actor, reference, list(names), on)
    return _run(context, wanted, stop, on_start)


def pending(context: Context, *, limit: int = AT_ONCE) -> list[Pending]:
    """Return the checks that wait to be run, those of requests first and then the newest versions.

    Args:
        context: The registry.
        limit: How many at most.
    """
    with context.reading() as connection:
        found = _pending(connection, context.actor)[0][:limit]
    return [
        Pending(check=one.name, version=one.version, on=on, trusted=one.trusted)
        for on, one in found
    ]


def run_pending(
    context: Context,
    *,
    limit: int = AT_ONCE,
    stop: Event | None = None,
    on_start: OnStart | None = None,
    on_offline: Callable[[str], object] | None = None,
) -> Checked:
    """Run what waits to be run and is trusted here.

    Where somebody is signed in to a remote, it is synced before and after: this is what a machine
    does that runs the checks of others.

    Args:
        context: The registry.
        limit: How many at most.
        stop: Ends it: what runs is killed and tells nothing.
        on_start: Is told what begins.
        on_offline: Is told why the remote could not be reached; then what is here is done.

    Raises:
        Denied: Something waits, and this person may tell of none of it.
        Stopped: It was ended.
    """
    _sync(context, on_offline)
    with context.reading() as connection:
        waiting, barred = _pending(connection, context.actor)
    found = [one for _, one in waiting]
    if barred and not found:
        raise Denied(
            "check.report needs the role contributor, or reporter, for what waits", "ask an admin"
        )
    ready = [one for one in found if one.trusted]
    left = [one for one in found if not one.trusted]
    checked = _run(context, [*left, *ready[:limit]], stop, on_start)
    refused = _sync(context, on_offline) if checked.runs else 0
    return structs.replace(checked, more=max(0, len(ready) - limit), refused=refused)


def _sync(context: Context, on_offline: Callable[[str], object] | None) -> int:
    """Sync, where somebody is signed in; return how many changes were refused."""
    from regtui.registry.syncing import is_signed_in, sync

    if not is_signed_in(context):
        return 0
    try:
        return sync(context).rejected
    except Unreachable as error:
        if on_offline is not None:
            on_offline(error.message)
    return 0


def _wanted(
    connection: Connection, local: Actor, reference: str, names: list[str], on: str | None
) -> list[_Wanted]:
    """Return what to run of a version.

    Raises:
        NotFound: There is no such version or check, or the version is deleted.
        Denied: A check that was named is not trusted here.
    """
    key, document = find_version(connection, reference)
    version = one_version(connection, key, document)
    if version.state == "deleted":
        raise NotFound(
            f"{version.reference} is deleted", f"`regtui version restore {reference}` undoes it"
        )
    found = holding(all_checks(connection), version.model)
    if not _may_tell(_actor(connection, local), version.model):
        raise Denied("check.report needs the role contributor, or reporter")
    digests = trusted_digests(connection)
    if on is not None:
        found = [one for one in found if on in _triggers(one)]
        actor = _actor(connection, local)
        found = [one for one in found if not _has_run(connection, key, version.model, one, actor)]
    if names:
        found = _named(found, names, version.model)
        untrusted = [one for one in found if not is_trusted(one.value("definition"), digests)]
        if untrusted:
            name, command = untrusted[0].facts["name"], untrusted[0].value("definition")["run"]
            raise Denied(
                f"the command of {name!r} is not trusted on this machine: {command}",
                f"if it may run here, `regtui check trust {name}`",
            )
    return [_Wanted(version, one, is_trusted(one.value("definition"), digests)) for one in found]


def _named(found: list[Document], names: list[str], model: str) -> list[Document]:
    by_name = {str(one.facts["name"]): one for one in found}
    keys = list(dict.fromkeys(name_key(name, segments=False) for name in names))
    for key in keys:
        if key not in by_name:
            hint = f"there are {', '.join(by_name)}" if by_name else "`regtui check put FILE`"
            raise NotFound(f"there is no check {key!r} for {model}", hint)
    return [by_name[key] for key in keys]


def _run(
    context: Context, wanted: list[_Wanted], stop: Event | None, on_start: OnStart | None
) -> Checked:
    runs = []
    for one in wanted:
        if not one.trusted:
            continue
        if on_start is not None:
            on_start(one.version.reference, one.name)
        runs.append(_run_one(context, one, stop))
    untrusted = dict.fromkeys(one.name for one in wanted if not one.trusted)
    return Checked(runs=runs, untrusted=list(untrusted))


def _run_one(context: Context, wanted: _Wanted, stop: Event | None) -> CheckRunAnswer:
    began = wall_clock()
    tried = _try(context, wanted, stop)
    runner = structs.replace(context, via="runner")
    with runner.writing() as authority:
        _, version = find_version(authority.connection, f":{wanted.version.id}")
        return submit_report(
            authority,
            version,
            wanted.name,
            wanted.document.stamp("definition"),
            tried.ended,
            began=began,
            runner=platform.node(),
            inputs=tried.inputs,
        )


def _try(context: Context, wanted: _Wanted, stop: Event | None) -> "Tried":
    """Try a version; whatever keeps a check from saying something is an outcome, too."""
    from regtui.checks.command import Ended
    from regtui.registry.check_builtins import Tried, try_builtin

    try:
        check = _definition(wanted.document)
        if check.run is None:
            return try_builtin(context, wanted.version, check)
        return _try_command(context, wanted, check, stop)
    except Busy:
        raise
    except RegtuiError as error:
        reason = str(error)
    except OSError as error:
        reason = f"no folder can be made for it: {error.strerror or error}"
    return Tried(Ended(outcome="error", reason=reason, log=f"regtui: {reason}\n"))


def _try_command(context: Context, wanted: _Wanted, check: Check, stop: Event | None) -> "Tried":
    from regtui.checks.command import Command, run, split
    from regtui.registry.check_builtins import Tried
    from regtui.registry.content import checkout

    version = wanted.version
    with tempfile.TemporaryDirectory(prefix="regtui-check-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        files, scratch, figures = folder / "files", folder / "tmp", folder / "figures.json"
        scratch.mkdir()
        checkout(context, f":{version.id}", files)
        command = Command(
            words=split(check.run or "", {"version": version.reference, "files": str(files)}),
            folder=Path.cwd(),
            variables={
                "REGTUI_VERSION": version.reference,
                "REGTUI_MODEL": version.model,
                "REGTUI_NUMBER": "" if version.number is None else str(version.number),
                "REGTUI_FILES": str(files),
                "REGTUI_CHECK": wanted.name,
                "REGTUI_FIGURES": str(figures),
                "TMPDIR": str(scratch),
            },
            figures=figures,
            seconds=duration(check.timeout) / 1e6,
            memory=None if check.memory is None else bytes_of(check.memory),
        )
        return Tried(run(command, stop))


def _definition(document: Document) -> Check:
    """Return what a check does; one of a newer program is an error of its run."""
    return check_of(document.value("definition"))


def _actor(connection: Connection, local: Actor) -> Actor:
    """Return who acts, with the grants that hold."""
    remote = read_remote(connection)
    return local if remote is None else remote.actor


def _may_tell(actor: Actor, model: str) -> bool:
    """Tell whether what somebody runs may be told: else it is not run."""
    return reports(actor, model) or has_role(actor, model, REQUIRED["check.report"])


def _has_run(
    connection: Connection, version: int, model: str, check: Document, actor: Actor
) -> bool:
    rows = connection.execute(
        "select counts from base.check_run where version = ? and name = ? and definition = ?",
        [version, check.facts["name"], check.stamp("definition")],
    ).fetchall()
    return any(counts for (counts,) in rows) or (bool(rows) and not reports(actor, model))


def _pending(connection: Connection, local: Actor) -> tuple[list[tuple[str, _Wanted]], bool]:
    """Return what waits, each with what it is run on, and once; and whether others have to run it.

    That is where this person may tell of no model that has checks.
    """
    waits, tells = False, False
    actor, digests = _actor(connection, local), trusted_digests(connection)
    documents = all_checks(connection)
    found: dict[tuple[int, str], tuple[str, Document]] = {}
    for on, query in (("request", _OF_REQUESTS), ("capture", _OF_CAPTURES)):
        for one in documents:
            if on not in _triggers(one):
                continue
            for key, model, ran, counted in _candidates(connection, one, query):
                may_tell = _may_tell(actor, model)
                tells = tells or may_tell
                if counted or (ran and not reports(actor, model)):
                    continue
                waits = True
                if not may_tell:
                    continue
                if check_named(documents, model, str(one.facts["name"])) is one:
                    found.setdefault((key, one.id), (on, one))
    answers = version_answers(connection, list(dict.fromkeys(key for key, _ in found)))
    by_key = dict(zip(dict.fromkeys(key for key, _ in found), answers, strict=True))
    waiting = [
        (on, _Wanted(by_key[key], one, is_trusted(one.value("definition"), digests)))
        for (key, _), (on, one) in found.items()
    ]
    return waiting, waits and not tells


def _triggers(document: Document) -> list[str]:
    try:
        return list(_definition(document).on)
    except BadInput:  # of a newer program
        return []


_OF_CAPTURES = "true"
_OF_REQUESTS = (
    "v.key in (select version from base.promotion where state = 'open' and version is not null)"
)
_CANDIDATES = """
  with newest as (
    select v.key, m.name, v.created from base.version v join base.model m on m.key = v.model
     where v.state = 'captured' and m.state = 'active' and {scope} and {which}
     order by v.created desc, v.key desc limit ?)
select n.key, n.name, count(r.key) > 0, coalesce(bool_or(r.counts), false)
  from newest n
  left join base.check_run r on r.version = n.key and r.name = ? and r.definition = ?
 group by n.key, n.name, n.created
 order by n.created desc, n.key desc
"""


def _candidates(
    connection: Connection, check: Document, which: str
) -> list[tuple[int, str, bool, bool]]:
    """Return versions in scope: key, model, whether the check has run, and whether that counts."""
    models = str(check.facts["models"])
    scope, value = ("true", []) if models == "*" else ("m.name = ?", [models])
    if models.endswith("/*"):
        scope, value = "starts_with(m.name, ?)", [models[:-1]]
    return connection.execute(
        _CANDIDATES.format(scope=scope, which=which),
        [*value, NEWEST, check.facts["name"], check.stamp("definition")],
    ).fetchall()
