"""What only a server decides and nobody leaves for later: it is sent at once, or not at all."""

from collections.abc import Sequence

from regtui.core.errors import BadInput, Denied, NotFound, RegtuiError, Unreachable
from regtui.core.verdicts import Rejected, Unsupported, decode_verdict
from regtui.registry.context import Context
from regtui.registry.outbox import too_old
from regtui.registry.requested import let_go
from regtui.replica.authority import refusal_error
from regtui.replica.remote import read_remote


def require_server(context: Context) -> None:
    """Make sure that who decides can be asked, before anything is made that he decides alone.

    What was sent once can't be taken back, so it is asked first. What was decided so far is read,
    for a copy that is behind does not tell whether there is anything to change.

    Raises:
        Unreachable: The server does not answer.
        NotFound: Nobody is signed in.
        Denied: The token is not good any more.
        RegtuiError: Reading failed otherwise.
    """
    from regtui.registry.syncing import sync

    with context.reading() as connection:
        if read_remote(connection) is None:
            return
    try:
        sync(context, artifacts="none", direction="pull")
    except (Unreachable, NotFound, Denied) as error:
        hint = error.hint.replace("your work is kept here", "nothing was changed")
        raise type(error)(f"only the server decides this, and {error.message}", hint) from None


def decide_now(context: Context, operations: Sequence[str]) -> None:
    """Have the server decide about operations that wait; what was not sent yet is dropped.

    Args:
        context: The registry.
        operations: Their ids; none where this replica decides for itself.

    Raises:
        Unreachable: The server does not answer; nothing was changed, or it may have been.
        RegtuiError: Syncing failed otherwise; likewise.
        NotFound, BadInput, Denied, Blocked: The server refused one; nothing waits any more.
    """
    if not operations:
        return
    from regtui.registry.syncing import sync

    try:
        sync(context, artifacts="none")
    except RegtuiError as error:  # whatever it was, a change like this waits for nothing
        if _drop(context, operations):
            raise type(error)(
                f"only the server decides this, and {error.message}", error.hint
            ) from None
        raise
    refused = refusal_of(context, operations)
    if refused is not None:
        _drop(context, operations)
        raise refused


def refusal_of(context: Context, operations: Sequence[str]) -> RegtuiError | None:
    """Return why the server refused one of some operations; None where it did not."""
    with context.reading() as connection:
        rows = connection.execute(
            "select verdict from base.outbox "
            "where id in (select unnest(?::uuid[])) and state = 'refused' order by position",
            [list(operations)],
        ).fetchall()
    verdicts = [decode_verdict(row[0]) for row in rows]
    for one in verdicts:
        if isinstance(one, Unsupported):
            return BadInput(*too_old(one))
    rejected = [one for one in verdicts if isinstance(one, Rejected)]
    # Of what was refused as a whole, one part says why.
    causes = [one for one in rejected if one.code != "depends_on_rejected"]
    return next((refusal_error(one) for one in causes + rejected), None)


def _drop(context: Context, operations: Sequence[str]) -> bool:
    """Let go of operations that were not sent, or were refused; False where one was sent."""
    with context.replica.changing() as connection:
        states = dict(
            connection.execute(
                "select id::varchar, state from base.outbox where id in (select unnest(?::uuid[]))",
                [list(operations)],
            ).fetchall()
        )
        let_go(
            connection, [one for one, state in states.items() if state in {"pending", "refused"}]
        )
    return "sent" not in states.values()
