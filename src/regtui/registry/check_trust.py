"""Trust: which definitions of checks may run on this machine.

A check's command runs as who runs the check. So what somebody else defined, and sync or a bundle
brought, does not run before the owner of the machine has said so. Trust is by the digest of the
definition: whatever is changed of it has to be trusted anew, and the same definition under another
name runs the same. It belongs to this home and is never synced. Checks that are built in run no
command, and need no trust.
"""

import re
from typing import Any

from regtui.core.documents import Document
from regtui.core.errors import BadInput, NotFound
from regtui.core.policies import definition_digest
from regtui.registry.answers import iso
from regtui.registry.answers_checks import TrustedAnswer
from regtui.registry.context import Context
from regtui.replica.database import Connection
from regtui.replica.unit import wall_clock

_DIGEST = re.compile(r"[0-9a-f]{8,64}")


def trust(context: Context, which: str, models: str | None = None) -> TrustedAnswer:
    """Let a definition run here.

    Args:
        context: The registry.
        which: The name of a check, as it is defined now, or the digest of its definition.
        models: The scope of the check, where there are several of that name.

    Raises:
        NotFound: There is no such check.
        BadInput: There are several.
    """
    with context.replica.changing() as connection:
        digest = _digest_of(connection, which, models)
        trust_digest(connection, digest)
        return next(one for one in _trusted(connection) if one.digest == digest)


def untrust(context: Context, which: str, models: str | None = None) -> TrustedAnswer:
    """Let a definition run here no more.

    Args:
        context: The registry.
        which: The name of a check, or the beginning of the digest of a definition.
        models: The scope of the check, where there are several of that name.

    Raises:
        NotFound: There is no such check, or it is not trusted.
        BadInput: There are several.
    """
    with context.replica.changing() as connection:
        found = _trusted(connection)
        wanted = [one for one in found if _DIGEST.fullmatch(which) and one.digest.startswith(which)]
        if not wanted:
            digest = _digest_of(connection, which, models)
            wanted = [one for one in found if one.digest == digest]
        if not wanted:
            raise NotFound(f"{which!r} is not trusted here", "`regtui check trust` lists what is")
        if len(wanted) > 1:
            raise BadInput(f"{len(wanted)} digests begin with {which!r}", "add more of its digits")
        connection.execute("delete from base.trusted where digest = ?", [wanted[0].digest])
        return wanted[0]


def trusted(context: Context) -> list[TrustedAnswer]:
    """Return the definitions that may run here, in the order in which they were trusted."""
    with context.reading() as connection:
        return _trusted(connection)


def trusted_digests(connection: Connection) -> set[str]:
    """Return the digests of the definitions that may run here."""
    return {row[0] for row in connection.execute("select digest from base.trusted").fetchall()}


def is_trusted(definition: Any, digests: set[str]) -> bool:
    """Tell whether a definition may run: it runs no command, or one that is trusted."""
    return definition.get("run") is None or definition_digest(definition) in digests


def trust_digest(connection: Connection, digest: str) -> None:
    """Let a definition run from now on; the connection is inside a transaction."""
    connection.execute(
        "insert into base.trusted select ?, ? "
        "where not exists (select 1 from base.trusted where digest = ?)",
        [digest, wall_clock() // 1000, digest],
    )


def _digest_of(connection: Connection, which: str, models: str | None) -> str:
    from regtui.registry.checks import all_checks, find_check

    if models is None and _DIGEST.fullmatch(which):
        digests = {_digest(one) for one in all_checks(connection)}
        found = [one for one in digests if one.startswith(which)]
        if len(found) > 1:
            raise BadInput(f"{len(found)} digests begin with {which!r}", "add more of its digits")
        if found:
            return found[0]
    return _digest(find_check(connection, which, models))


def _digest(document: Document) -> str:
    return definition_digest(document.value("definition"))


def _trusted(connection: Connection) -> list[TrustedAnswer]:
    from regtui.registry.checks import all_checks

    names: dict[str, list[str]] = {}
    for one in all_checks(connection):
        shown = f"{one.facts['name']} ({one.facts['models']})"
        names.setdefault(_digest(one), []).append(shown)
    rows = connection.execute(
        "select digest, min(since) from base.trusted group by digest order by 2, 1"
    ).fetchall()
    return [
        TrustedAnswer(digest=digest, since=iso(since * 1000), checks=names.get(digest, []))
        for digest, since in rows
    ]
