"""Doctor: examine the registry, and mend what can be mended without losing anything.

The checks go from the outside inwards. A database that does not open or can't be read ends them,
unless it may be repaired (`regtui.replica.salvage`): then all the rest is examined in the new one.
Nothing is deleted but what killed commands left half-written: what is damaged is moved to
`damaged/`. Long checks go in pages, so that others get their turn.
"""

from collections.abc import Iterator

from msgspec import Struct

from regtui.artifacts.copying import Progress
from regtui.artifacts.faults import disk_errors
from regtui.core.errors import Busy, Damaged, RegtuiError
from regtui.registry.content_checks import check_contents
from regtui.registry.context import Context
from regtui.registry.gc import GRACE
from regtui.registry.home_checks import RESTORE, Finding, check_home
from regtui.registry.hook_rules import check_hooks
from regtui.registry.watch_rules import check_watch_rules
from regtui.replica.examine import Examination, examine
from regtui.replica.locks import ReplicaLock
from regtui.replica.migrate import schema_version
from regtui.replica.rebuild import Rebuilt, key_ranges, rebuild_range
from regtui.replica.salvage import salvage, set_log_aside


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What the checks found.

    Attributes:
        home: The folder that was examined.
        healthy: Whether there is no problem.
        checks: One finding a check.
    """

    home: str
    healthy: bool
    checks: list[Finding]


def doctor(
    context: Context,
    *,
    repair: bool = False,
    rebuild: bool = False,
    deep: bool = False,
    on_progress: Progress | None = None,
) -> Diagnosis:
    """Examine the registry.

    Args:
        context: The registry; one that is not there is not made.
        repair: Whether to mend what can be mended.
        rebuild: Whether to make the typed tables anew in any case.
        deep: Whether to read every stored file again; damaged ones are then set aside.
        on_progress: Is told how many more bytes are read.

    Raises:
        Busy: Others held the replica past the deadline.
    """
    checks: list[Finding] = []
    if not context.replica.home.exists() and not context.replica.home.has_lost_database():
        checks.append(Finding("home", "ok", f"there is no registry in {context.home} yet"))
    else:
        home, now = context.replica.home, context.replica.clock()
        checks += check_home(home, now, repair=repair)
        checks.append(check_watch_rules(context.home))
        checks.append(check_hooks(context.home))
        checks += _check_database(context, repair=repair, forced=rebuild)
        is_sound = all(one.status != "problem" for one in checks if one.check == "database")
        if is_sound and home.exists():
            checks += check_contents(context, repair=repair, deep=deep, on_progress=on_progress)
    return Diagnosis(
        home=str(context.home),
        healthy=all(one.status != "problem" for one in checks),
        checks=checks,
    )


def _check_database(context: Context, *, repair: bool, forced: bool) -> Iterator[Finding]:
    home = context.replica.home
    if not home.exists():
        yield from _lost_database(context, repair=repair)
        if not home.exists():
            return
    try:
        if forced:
            yield _rebuilt(context)
        found = examine(context.reading)
    except Busy:
        raise
    except Damaged as error:
        mended = _salvaged(context, error, repair=repair)
        yield mended
        if mended.status == "problem":
            return
        found = examine(context.reading)
    except RegtuiError as error:
        yield Finding("database", "problem", error.message, error.hint)
        return
    else:
        with context.reading() as connection:
            schema = schema_version(connection)
        yield Finding("database", "ok", f"{found.documents} documents, schema {schema}")
    yield from _examined(context, found, repair=repair)


def _lost_database(context: Context, *, repair: bool) -> Iterator[Finding]:
    gone = Damaged(f"the database {context.replica.home.database} is gone")
    yield _salvaged(context, gone, repair=repair)


def _salvaged(context: Context, error: Damaged, *, repair: bool) -> Finding:
    home, now = context.replica.home, context.replica.clock()
    if not repair:
        return Finding(
            "database", "problem", error.message,
            "`regtui doctor --repair` gets back what it can; nothing is deleted",
        )  # fmt: skip
    try:
        with disk_errors(f"writing {home.path}"), ReplicaLock(home.path).exclusive():
            was_there = home.exists()
            if not was_there:
                set_log_aside(home, now)
            done = salvage(home, now)
    except Busy:
        raise
    except RegtuiError as hindrance:
        return Finding(
            "database", "problem", f"{error.message}; its repair failed: {hindrance.message}",
            hindrance.hint,
        )  # fmt: skip
    if done is None:
        return Finding(
            "database", "problem", f"{error.message}, and no copy of it is here",
            "`regtui backup restore FILE --home DIR` makes the registry from a backup; "
            f"the stored files are in {home.path / 'objects'}",
        )  # fmt: skip
    loss = f"; {done.loss}" if done.loss else ""
    where = f"the damaged file is in {home.path / 'damaged'}; " if was_there else ""
    return Finding(
        "database", "repaired", f"{error.message}; made again from {done.source}{loss}",
        f"{where}stored files that nothing names any more stay for {GRACE // 86_400} days",
    )  # fmt: skip


def _rebuilt(context: Context) -> Finding:
    with context.reading() as connection:
        ranges = list(key_ranges(connection))
    done = _made_anew(context, ranges)
    return Finding(
        "rebuild", "repaired",
        f"the typed tables were made anew of {done.documents} documents"
        + (f"; {_unreadable(done.unreadable)} kept their rows" if done.unreadable else ""),
    )  # fmt: skip


def _made_anew(context: Context, ranges: list[tuple[int, int]]) -> Rebuilt:
    """Make the rows of ranges of keys anew, each in a unit of work of its own."""
    count = 0
    unreadable: list[str] = []
    for low, high in ranges:
        with context.writing() as authority:
            done = rebuild_range(authority.connection, low, high)
        count, unreadable = count + done.documents, unreadable + done.unreadable
    return Rebuilt(count, unreadable)


def _examined(context: Context, found: Examination, *, repair: bool) -> Iterator[Finding]:
    if found.operations:
        yield Finding("operations", "problem", f"{found.operations} are missing", RESTORE)
    elif found.malformed:
        yield Finding(
            "operations", "problem",
            f"{len(found.malformed)} can't be read, such as #{found.malformed[0]}", RESTORE,
        )  # fmt: skip
    else:
        yield Finding("operations", "ok", "all are there")
    if found.lost:
        yield Finding(
            "documents", "problem",
            f"{len(found.lost)} are missing, such as {found.lost[0]}", RESTORE,
        )  # fmt: skip
    elif found.unvouched:
        yield Finding(
            "documents", "problem",
            f"{len(found.unvouched)} are not what was decided: {found.unvouched[0]}"
            + (f"; {_unreadable(found.unreadable)} among them" if found.unreadable else ""),
            RESTORE,
        )  # fmt: skip
    else:
        yield Finding("documents", "ok", "all are what was decided")
    if found.texts:
        yield Finding(
            "texts", "problem",
            f"{len(found.texts)} are missing, such as one of {found.texts[0]}",
            f"for a series, `regtui capture --series` of the same once more; else {RESTORE}",
        )  # fmt: skip
    else:
        yield Finding("texts", "ok", "cards and series are all there")
    if found.lists:
        yield Finding(
            "lists of files", "problem",
            f"{len(found.lists)} are not what was captured, such as that of {found.lists[0]}",
            "capture the same content again, or restore a backup",
        )  # fmt: skip
    else:
        yield Finding("lists of files", "ok", "all are what was captured")
    yield _projection(context, found, repair=repair)


def _projection(context: Context, found: Examination, *, repair: bool) -> Finding:
    if not found.differing:
        return Finding("tables", "ok", "all say what the documents say")
    shown = ", ".join(f"{count} in {table}" for table, count in sorted(found.differing.items()))
    if not repair or found.lost:  # what the tables still know of lost documents is all there is
        return Finding(
            "tables", "problem", f"rows differ from the documents: {shown}",
            RESTORE if found.lost else "`regtui doctor --repair` makes them anew",
        )  # fmt: skip
    _made_anew(context, found.ranges)
    return Finding("tables", "repaired", f"made anew from the documents: {shown}")


def _unreadable(identities: list[str]) -> str:
    return f"{len(identities)} that can't be read, such as {identities[0]},"
