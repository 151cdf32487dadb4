"""Checks of what the database names: stored files, layouts, the key, the signature, the clock."""

from collections.abc import Iterator

from regtui.artifacts.copying import Progress
from regtui.core.errors import BadInput, RegtuiError
from regtui.core.wording import count_text
from regtui.registry.answers import iso
from regtui.registry.content import verify
from regtui.registry.context import Context
from regtui.registry.home_checks import RESTORE, Finding
from regtui.registry.needed import unexpected
from regtui.registry.refreshing import count_stale, refresh
from regtui.registry.stored import lost_objects
from regtui.replica.authority import is_signed
from regtui.replica.keys import load_key

_FIVE_MINUTES = 300 * 10**6


def check_contents(
    context: Context, *, repair: bool, deep: bool, on_progress: Progress | None
) -> Iterator[Finding]:
    """Yield what every check beside the database's own finds.

    Args:
        context: The registry; its database is sound.
        repair: Whether to make layouts that are missing or out of date.
        deep: Whether to read every stored file again.
        on_progress: Is told how many more bytes are read.
    """
    try:
        unexpected(context)
    except BadInput as error:  # the rules that say what is needed
        yield Finding("stored files", "problem", error.message, error.hint)
    else:
        yield _objects(context, deep=deep, on_progress=on_progress)
        yield _layouts(context, repair=repair, on_progress=on_progress)
    with context.reading() as connection:
        row = connection.execute("select id::varchar, clock_us from base.replica").fetchone()
        signed = is_signed(connection)
    if row is None:
        return
    identity, last = row
    yield _key(context, identity)
    yield _signature(signed=signed)
    ahead = last - context.replica.clock()
    if ahead > _FIVE_MINUTES:
        yield Finding(
            "clock", "warning", f"the last change was made at {iso(last)}, which is yet to come",
            "set the machine's clock; changes keep their order all the same",
        )  # fmt: skip
    else:
        yield Finding("clock", "ok", "later than the last change")


def _objects(context: Context, *, deep: bool, on_progress: Progress | None) -> Finding:
    if deep:
        damaged = verify(context, on_progress=on_progress).damaged
        lost = [damage.used_by[0] if damage.used_by else damage.digest for damage in damaged]
    else:
        lost = lost_objects(context)
    if lost:
        return Finding(
            "stored files", "problem",
            f"{len(lost)} are missing or damaged, such as that of {lost[0]}",
            "`regtui verify` names all; capture the same content again from another copy, or "
            "restore a backup",
        )  # fmt: skip
    how = "every byte is intact" if deep else "all are there with their sizes"
    return Finding("stored files", "ok", how)


def _layouts(context: Context, *, repair: bool, on_progress: Progress | None) -> Finding:
    if repair:
        done = refresh(context, on_progress)
        unreadable = count_text(done.unreadable, "file")
        left = f"; {unreadable} can't be read" if done.unreadable else ""
        if done.made or done.unreadable:
            status = "repaired" if done.made else "warning"
            return Finding("layouts", status, f"made {done.made} anew{left}")
        return Finding("layouts", "ok", f"all {done.files} are those of the present readers")
    files, stale = count_stale(context)
    if stale:
        return Finding(
            "layouts", "warning",
            f"{stale} of {files} are missing or those of older readers",
            "each is made when somebody asks for it; `regtui doctor --repair` makes all",
        )  # fmt: skip
    return Finding("layouts", "ok", f"all {files} are those of the present readers")


def _signature(*, signed: bool) -> Finding:
    if not signed:
        return Finding(
            "signature", "problem", "the last changes have lost their signature, none is made anew",
            f"`regtui audit verify` tells what was changed; {RESTORE}",
        )  # fmt: skip
    return Finding("signature", "ok", "the history is signed to its end")


def _key(context: Context, identity: str) -> Finding:
    try:
        key = load_key(identity, context.home)
    except RegtuiError as error:
        return Finding("key", "problem", error.message, error.hint)
    if key is None:
        return Finding(
            "key", "warning", "the key that this replica signs with is not here",
            "the next change takes a new one; the history stays what it is",
        )  # fmt: skip
    return Finding("key", "ok", "here")
