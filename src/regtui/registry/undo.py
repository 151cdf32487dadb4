"""Undo and redo: intents taken back, whole, by operations of their own.

An *intent* is what somebody did at once (`regtui.registry.intents`). It is taken back in reverse by
the inverses of its operations (`regtui.core.inverse`), which form an intent themselves,
and redo takes back an undo. A redo stands for what it gave back: undoing it takes back that.
Whether an intent is in effect follows from the chain of intents over it, each of which took back
the one before: it is if their number is even.

A bare `undo` looks for the last intent that this person made by hand here and that is in effect, so
doing it again goes further back, also to what the remote accepted since. What came from another
replica of the same person is passed over: whoever types `undo` means what he did last at this
machine. A bare `redo` looks for the newest undo in effect, up to where the person made another
change by hand. `revert` moves an alias back and counts as a change of its own: its operation is the
only one that names in `undoes` what it took back and has no group.

What is only requested and was not sent yet is forgotten instead: nobody heard of it, and there is
nothing to redo.

All of it is one transaction: what is refused leaves nothing behind.
"""

import heapq
import itertools
import re
from collections.abc import Iterator

from msgspec import Struct

from regtui.core.errors import BadInput, ConflictOpen, NotFound, RegtuiError
from regtui.core.inverse import DECIDED, Draft, inverse
from regtui.core.verdicts import Accepted, Conflicted
from regtui.core.view import Past
from regtui.registry.context import Context
from regtui.registry.figures import seq_text
from regtui.registry.history import OperationAnswer, operation_answers
from regtui.registry.intents import Intent, Intents
from regtui.registry.rehearsal import unit_of_work
from regtui.registry.released import without_files
from regtui.registry.requested import REQUESTS, check_unsent, is_requested, let_go, requested_by
from regtui.replica.authority import SoloAuthority
from regtui.replica.history import Wanted, matching, named, newest, operations, rows_of
from regtui.replica.own_ids import OwnIds, own_ids
from regtui.replica.remote import PENDING

BY_HAND = ("cli", "app", "api")
PAGE = 64
PREFIX_DIGITS = 8
SHOWN = 5
"""Versions that are named in a warning."""


class Undone(Struct, frozen=True, kw_only=True):
    """What was taken back.

    Attributes:
        undone: What was taken back, newest first.
        operations: Those that did it.
        warnings: What did not come back with it, such as files that are released.
        requested: Whether any of that waits for the server to decide, and nothing moved yet.
    """

    undone: list[OperationAnswer]
    operations: list[OperationAnswer]
    warnings: list[str]
    requested: bool

    @property
    def lines(self) -> list[str]:
        """What became of it, a line each: done, asked for, or let go before anybody heard of it."""
        let_go = [f"let go: {one.summary}" for one in self.undone if _shows_nothing(one)]
        return let_go + [_line(one) for one in self.operations]


def _line(made: OperationAnswer) -> str:
    """Return what became of an operation that takes another one back."""
    if not _shows_nothing(made):
        return made.summary
    wanted = made.summary
    for done, asked in (("undid ", "undo "), ("redid ", "redo ")):
        wanted = asked + wanted.removeprefix(done) if wanted.startswith(done) else wanted
    return f"requested: {wanted}; the server decides at the next `regtui sync`"


def _shows_nothing(operation: OperationAnswer) -> bool:
    """Tell whether an operation waits for the server and changed nothing here."""
    return operation.waiting and operation.kind in REQUESTS and not operation.changes


def undo(context: Context, operation: str | None = None, *, dry_run: bool = False) -> Undone:
    """Take back an intent: the one that an operation belongs to, or this person's last.

    Args:
        context: The registry.
        operation: Id, its unique beginning, or sequence number; None for the last by hand.
        dry_run: Whether only to tell what would be done.

    Raises:
        NotFound: There is no such operation, or nothing to undo.
        BadInput: A value was set again since, or the operation is undone already.
        ConflictOpen: It would open a conflict.
    """
    return _taken_back(context, operation, dry_run=dry_run, again=False)


def redo(context: Context, operation: str | None = None, *, dry_run: bool = False) -> Undone:
    """Take back an undo: the one over an operation, or this person's last.

    Args:
        context: The registry.
        operation: What was undone, or an operation of the undo; None for the newest undo after
            which the person changed nothing by hand.
        dry_run: Whether only to tell what would be done.

    Raises:
        NotFound: There is no such operation, or nothing to redo.
        BadInput: A value was set again since, or the operation is in effect.
        ConflictOpen: It would open a conflict.
    """
    return _taken_back(context, operation, dry_run=dry_run, again=True)


def _taken_back(context: Context, operation: str | None, *, dry_run: bool, again: bool) -> Undone:
    with unit_of_work(context, dry_run=dry_run) as authority:
        story = _Story(authority)
        if operation is not None:
            chosen = story.of(_find(authority, operation))
            undone = story.take_back((story.to_redo if again else story.to_undo)(chosen))
        else:
            undone = story.redo_last() if again else story.undo_last()
        authority.flush()
        answer = _answer(authority, undone)
        let_go(authority.connection, [past.operation.id for past in undone if is_requested(past)])
        return answer


def _answer(authority: SoloAuthority, undone: list[Past]) -> Undone:
    connection = authority.connection
    made = operation_answers(connection, authority.submitted)
    seqs = list(dict.fromkeys(past.seq for past in undone))
    back = [one.entity for one in made if any(change.path == "state" for change in one.changes)]
    gone = without_files(connection, back)
    warnings = []
    if gone:
        more = f" and {len(gone) - SHOWN:,} more" if len(gone) > SHOWN else ""
        warnings.append(
            f"the files of {', '.join(gone[:SHOWN])}{more} were released by retention; "
            "capture the same content again to bring them back"
        )
    return Undone(
        undone=operation_answers(connection, seqs),
        operations=made,
        warnings=warnings,
        requested=bool(authority.requested),
    )


class _Story:
    """The intents of a registry, as undo and redo see them."""

    def __init__(self, authority: SoloAuthority) -> None:
        self._authority = authority
        self._connection = authority.connection
        self._intents = Intents(authority.connection)
        self._own = OwnIds({}) if authority.remote is None else own_ids(authority.connection)
        authority.begin_group()

    def of(self, past: Past) -> Intent:
        """Return the intent that an operation belongs to."""
        return self._intents.of(past)

    def undo_last(self) -> list[Past]:
        """Take back the last intent by hand that is in effect and did anything."""
        for found in self._by_hand():
            if not found.is_undo and len(self._intents.over(found)) % 2 == 0:
                undone = self._submit(found)
                if undone:
                    return undone
        raise NotFound("there is nothing to undo", "`regtui log` tells what was done")

    def redo_last(self) -> list[Past]:
        """Take back the newest undo in effect, up to where another change was made by hand."""
        for found in self._by_hand():
            if not found.is_undo:
                break
            if self._depth(found) % 2 and len(self._intents.over(found)) % 2 == 0:
                undone = self._submit(self._newest(found))
                if undone:
                    return undone
        raise NotFound("there is nothing to redo", "a new change ends what can be redone")

    def to_undo(self, chosen: Intent) -> Intent:
        """Return what to take back so that an intent is not in effect any more."""
        wanted = self._redone(chosen)
        over = self._intents.over(wanted)
        if len(over) % 2:
            raise BadInput(f"{chosen.name} is undone already, by {over[-1].name}")
        return self._newest(wanted) if wanted.is_undo else wanted

    def to_redo(self, chosen: Intent) -> Intent:
        """Return the undo to take back: the one given, or the one over what is given."""
        wanted = self._redone(chosen)
        over = self._intents.over(wanted)
        if len(over) % 2:
            return self.to_undo(over[-1])
        if not wanted.is_undo:
            raise BadInput(f"{chosen.name} is in effect", "there is no undo to take back")
        return self._newest(wanted)

    def take_back(self, target: Intent) -> list[Past]:
        """Take back an intent; one that did nothing is refused."""
        undone = self._submit(target)
        if not undone:
            raise BadInput(f"{target.name} changed nothing that could be taken back")
        return undone

    def _by_hand(self) -> Iterator[Intent]:
        """Yield the intents that this person made by hand and here, newest first."""
        row = self._connection.execute(
            "select key from base.actor where id = ?", [self._authority.actor.id]
        ).fetchone()
        if row is None:
            return
        wanted = Wanted(actor=row[0], via=BY_HAND, replicas=list(self._own.until))
        seqs = heapq.merge(
            matching(self._connection, wanted, newest(self._connection) + 1),
            requested_by(self._connection, self._authority.actor.id, BY_HAND),
            reverse=True,
        )
        told: set[int] = set()
        while page := list(itertools.islice(seqs, PAGE)):
            pasts = [one for one in operations(self._connection, page) if self._is_made_here(one)]
            self._intents.load(pasts)
            for found in map(self.of, pasts):
                if found.first.seq not in told:
                    told.add(found.first.seq)
                    yield found

    def _is_made_here(self, past: Past) -> bool:
        """Tell whether an operation was made at this home.

        Without a remote it was judged as it was made; one that came by a file, only later. A
        replica's id would not do: a copy of the home goes on from the same history with a new one.
        """
        if self._authority.remote is not None:
            return past.seq >= PENDING or self._own.made(past.operation)
        verdict = past.verdict
        return isinstance(verdict, Accepted) and verdict.now == past.operation.at

    def _newest(self, undo: Intent) -> Intent:
        """Return the last intent that stands for an undo in effect: it knows what stood before."""
        over = self._intents.over(undo)
        return over[-1] if over else undo

    def _redone(self, found: Intent) -> Intent:
        """Return what a redo gave back, which is taken back in its place; else the intent itself.

        The redo of what made something takes more steps than there were at first (from deleted to
        archived there are two), and what became of it since is not its own doing.
        """
        while self._depth(found) and self._depth(found) % 2 == 0:
            below = self._intents.below(found)
            first = None if below is None else self._intents.below(below)
            if first is None:
                break
            found = first
        return found

    def _depth(self, found: Intent) -> int:
        """Return how many intents stand under one that `undo` or `redo` made."""
        depth = 0
        while found.is_undo:
            below = self._intents.below(found)
            depth += 1
            if below is None:
                break
            found = below
        return depth

    def _submit(self, target: Intent) -> list[Past]:
        """Submit what takes an intent back; return which operation each of them took back."""
        created = {
            past.operation.entity for past in target.pasts if past.operation.kind == "model.create"
        }
        rows = rows_of(self._connection, [past.seq for past in target.pasts])
        undone: list[Past] = []
        for past in reversed(target.pasts):
            try:
                if is_requested(past):
                    check_unsent(self._connection, past)
                    undone.append(past)
                    continue
                _refuse_waiting(past)
                drafts = inverse(past.operation, rows.get(past.seq, []), self._authority.view)
                for draft in drafts:
                    if draft.kind == "model.delete" and draft.entity in created:
                        self._refuse_filled(draft, len(undone))
                    self._make(draft, past)
                    undone.append(past)
            except RegtuiError as error:
                raise type(error)(
                    f"can't undo {seq_text(past.seq)}: {error.message}", error.hint
                ) from None
        return undone

    def _make(self, draft: Draft, past: Past) -> None:
        verdict = self._authority.submit(
            draft.kind, draft.stream, draft.entity, draft.body, undoes=past.operation.id
        )
        if isinstance(verdict, Conflicted):
            raise ConflictOpen("somebody changed the same meanwhile", "edit the value yourself")

    def _refuse_filled(self, draft: Draft, submitted: int) -> None:
        """Refuse to take back a model's creation when it has versions that live by now."""
        rows = self._connection.execute(
            "select v.id::varchar from base.version v join base.model m on m.key = v.model "
            "where m.id = ? and v.state <> 'deleted' limit ?",
            [draft.entity, submitted + 1],
        ).fetchall()
        found = [self._authority.view.document(row[0]) for row in rows]
        if any(document is not None and document.value("state") != "deleted" for document in found):
            model = self._authority.view.document(draft.entity)
            name = "" if model is None else model.value("name")
            raise BadInput(
                f"the model {name!r} has versions by now",
                f"undo their captures first, or `regtui model delete {name}`",
            )


def _refuse_waiting(past: Past) -> None:
    """Refuse to take back what waits and has no inverse: it is sent, and what comes after it, too.

    Raises:
        BadInput: It is one of those.
    """
    if past.seq >= PENDING and past.operation.kind in DECIDED:
        told = (
            "it waits to be sent, and nothing takes it back; what it did is changed by another step"
        )
        raise BadInput(told, DECIDED[past.operation.kind])


def _find(authority: SoloAuthority, text: str) -> Past:
    """Return the operation that somebody names.

    A number is a sequence number, unless it starts with 0, as ids do and numbers don't; `+3` is how
    the log calls what waits for the remote.
    """
    number = text.removeprefix("#")
    connection = authority.connection
    if re.fullmatch(r"[1-9][0-9]{0,17}", number):
        seqs = [int(number)]
    elif re.fullmatch(r"\+[1-9][0-9]{0,14}", text):
        seqs = [PENDING + int(text[1:])]
    else:
        digits = text.lower().replace("-", "")
        if not re.fullmatch(rf"[0-9a-f]{{{PREFIX_DIGITS},32}}", digits):
            raise BadInput(
                f"{text!r} names no operation",
                "give its number or 8 digits of its id, from the log",
            )
        seqs = named(connection, *(_uuid(digits.ljust(32, fill)) for fill in "0f"))
    found = operations(connection, seqs)
    if not found:
        raise NotFound(f"there is no operation {text}", "`regtui log` lists them")
    if len(found) > 1:
        raise BadInput(f"{text} names {len(found)} operations", "add more digits, or its number")
    return found[0]


def _uuid(digits: str) -> str:
    ends = (0, 8, 12, 16, 20, 32)
    return "-".join(digits[start:end] for start, end in itertools.pairwise(ends))
