"""What is watched in every replica while a simulated run goes on, after each of its requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from regtui.core.access import Role, has_role
from regtui.core.documents import decode_document
from regtui.core.identity import model_id, user_id
from regtui.core.operations import CaptureBody, CommentBody, decode_operation
from regtui.replica.remote import read_remote
from tests.sync.edits import MODELS
from tests.sync.invariants import held_by

if TYPE_CHECKING:
    from tests.sync.world import Person


class Observer:
    """Remembers what replicas showed and were told, outside of them.

    Attributes:
        made: The stream of every operation that anybody made, by its id.
        acknowledged: Operations that the server said it accepted, and that a replica heard of.
    """

    def __init__(self) -> None:
        self.made: dict[str, str] = {}
        self.acknowledged: set[str] = set()
        self.numbers_may_change = False
        self._numbers: dict[str, int] = {}
        self._shown: dict[str, dict[str, str]] = {}
        self._known: dict[str, tuple[str, int, int]] = {}
        self._times: dict[str, tuple[str, dict[tuple[str, str], int]]] = {}

    def forget(self, person: Person) -> None:
        """Let go of what a replica showed: it was restored, or lost a right."""
        home = person.home
        for memory in (self._shown, self._known, self._times):
            memory.pop(home, None)

    def note_edits(self, person: Person) -> None:
        """Note what was made, right after it was."""
        shown = self._shown.setdefault(person.home, {})
        for identity, data in person.table(
            "select id::varchar, bytes from base.outbox where state = 'pending'"
        ):
            if str(identity) in self.made:
                continue
            operation = decode_operation(str(data).encode())
            self.made[operation.id] = operation.stream
            if isinstance(operation.body, CaptureBody | CommentBody):
                shown[str(identity)] = operation.entity

    def look(self, person: Person) -> None:
        """Look at a replica between two of its transactions."""
        self._take_acknowledgements(person)
        self._check_references(person)
        self._check_own_writes(person)
        self._check_progress(person)
        if not self.numbers_may_change:
            self._check_numbers(person)

    def _take_acknowledgements(self, person: Person) -> None:
        rows = person.table("select id::varchar from base.outbox where state = 'acknowledged'")
        self.acknowledged.update(str(identity) for (identity,) in rows)

    def _check_references(self, person: Person) -> None:
        """I9: no alias points to a version that is not there."""
        known = person.documents
        for body in known.values():
            document = decode_document(body)
            if document.kind == "alias" and document.value("version") is not None:
                assert document.value("version") in known, (
                    f"I9: an alias in {person.home} points to what is not there"
                )

    def _check_own_writes(self, person: Person) -> None:
        """I7: what was made here stays to be seen, unless it was refused.

        What waits in a model that he may not write is seen in the outbox alone: who only reads is
        not told yet that it is refused.
        """
        shown = self._shown.get(person.home, {})
        if not shown:
            return
        rows = person.table("select id::varchar from base.outbox where state = 'refused'")
        for (identity,) in rows:
            shown.pop(str(identity), None)
        there = {str(one) for (one,) in person.table("select id::varchar from base.document")}
        gone = {identity for identity, entity in shown.items() if entity not in there}
        if gone:
            actor = held_by(person.world).people.of(user_id(person.name)).actor
            own = {model_id(one, 0) for one in MODELS if has_role(actor, one, Role.CONTRIBUTOR)}
            rows = person.table(
                "select id::varchar from base.outbox where state in ('pending', 'sent')"
            )
            waiting = {str(identity) for (identity,) in rows}
            gone = {one for one in gone if one not in waiting or self.made[one] in own}
        assert not gone, f"I7: {person.home} does not show {gone} any more"

    def _check_progress(self, person: Person) -> None:
        """I8: within an epoch cursor, anchor and times of values never go back."""
        with person.replica.reading() as connection:
            remote = read_remote(connection)
        assert remote is not None
        if remote.anchor is None:
            return
        epoch, seq = remote.anchor["epoch"], remote.anchor["seq"]
        cursor = remote.cursor.get("seq", 0)
        before = self._known.get(person.home)
        if before is not None and before[0] == epoch:
            assert seq >= before[1], f"I8: the anchor of {person.home} went back"
            assert cursor >= before[2], f"I8: the cursor of {person.home} went back"
        self._known[person.home] = (epoch, seq, cursor)
        if remote.cursor:  # before that, what is here is of the epoch before
            self._check_times(person, epoch)

    def _check_times(self, person: Person, epoch: str) -> None:
        times: dict[tuple[str, str], int] = {}
        for body in person.documents.values():
            document = decode_document(body)
            if document.seq == 0:  # what waits is a preview
                continue
            for path, register in document.fields.items():
                times[document.id, path] = register.at
        known, before = self._times.get(person.home, (epoch, {}))
        if known == epoch:
            for place, at in before.items():
                assert times.get(place, at) >= at, f"I8: {place} of {person.home} went back in time"
        self._times[person.home] = (epoch, times)

    def _check_numbers(self, person: Person) -> None:
        """I13: a number never changes once anybody saw it."""
        for identity, number in person.table(
            "select id::varchar, number from base.version where number is not null"
        ):
            before = self._numbers.setdefault(str(identity), int(str(number)))
            assert before == number, f"I13: the number of {identity} changed: {before} {number}"
