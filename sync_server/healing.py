"""Healing: what a server takes back that it lost with a restore from an older backup.

The first replica that was ahead shows it: the history that it knows is not this one. A new epoch
begins, and until it is closed replicas bring back what they have receipts for. It gets the verdict
and the number that it had, and what refers to something that is not back yet waits.
"""

from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from regtui.core import encoding
from regtui.core.documents import decode_document
from regtui.core.operations import Operation, subject
from regtui.core.verdicts import Accepted, Rejected, Unsupported, encode_verdict
from regtui.wire import statements
from regtui.wire.messages import Claim, Evidence, Offer, Push
from sync_server import schema
from sync_server.authority import (
    Authority,
    RegistryRow,
    Sent,
    decoded_verdict,
    is_same,
    known_verdict,
    read_operation,
)
from sync_server.database import upsert
from sync_server.rights import Rights
from sync_server.secrets import Secrets

RESTORED = "restored"
"""Why an epoch began: its operator put a backup back, so its base is where the histories part."""


def was_issued(connection: Connection, row: RegistryRow, epoch: str) -> bool:
    """Tell whether an epoch is one of this registry's, as far as its database remembers."""
    c = schema.epoch.c
    found = connection.execute(
        sa.select(c.base).where(c.registry == row.key, c.id == epoch)
    ).first()
    return found is not None


def shared(connection: Connection, row: RegistryRow, epoch: str) -> int:
    """Return the number up to which who knows an epoch knows this history for sure; 0 for none.

    An older file that was put back without a word is noticed by whoever was ahead. Others may have
    written before he came, and nothing tells where the histories part.
    """
    c = schema.epoch.c
    began = connection.execute(
        sa.select(c.began).where(c.registry == row.key, c.id == epoch)
    ).scalar()
    if began is None:
        return 0
    later = connection.execute(
        sa.select(c.base, c.reason).where(c.registry == row.key, c.began >= began, c.id != epoch)
    ).all()
    is_known = all(one.reason == RESTORED for one in later)
    return min((int(one.base) for one in later), default=0) if is_known else 0


def new_epoch(
    connection: Connection, authority: Authority, reason: str, secrets: Secrets, seed: bytes
) -> None:
    """Begin an epoch, in which replicas bring back what was lost."""
    row = authority.row
    # From all of what it follows: two servers that were restored alike part here.
    row.epoch = secrets.mark(
        encoding.encode(["epoch", row.id, row.epoch, row.seq, authority.moment(), seed.hex()])
    )
    row.healing = True
    row.clock_us = authority.moment()  # epochs follow upon each other, whatever the clock says
    note_epoch(connection, row, reason, row.clock_us)


def note_epoch(connection: Connection, row: RegistryRow, reason: str, now: int) -> None:
    """Write down the present epoch of a registry."""
    epoch = {
        "registry": row.key,
        "id": row.epoch,
        "base": row.seq,
        "reason": reason,
        "began": now,
    }
    upsert(connection, schema.epoch, [epoch])


def close(authority: Authority) -> int:
    """End the healing: versions that wait for a number get one; return how many did."""
    row, e = authority.row, schema.entity.c
    row.healing = False
    bodies = authority.connection.execute(
        sa.select(e.body)
        .where(e.registry == row.key, e.kind == "version", e.number.is_(None))
        .order_by(e.seq)
    ).scalars()
    waiting = [decode_document(bytes(body)) for body in bodies]
    numbered = 0
    for document in waiting:
        if document.facts["number"] is not None:
            continue
        number = authority.view.next_number(document.stream, document.id)
        number = number or authority.view.last_number(document.stream) + 1
        authority.renumber(document, number)
        numbered += 1
    c = schema.claim.c
    authority.connection.execute(sa.delete(schema.claim).where(c.registry == row.key))
    return numbered


KEPT = frozenset(
    {
        "model.create",
        "model.edit",
        "version.capture",
        "version.edit",
        "comment.add",
        "comment.edit",
        "dataset.put",
        "check.report",
        "promotion.request",
        "promotion.review",
    }
)
"""What comes back as it was accepted, however late, but for what it set off: it adds something."""


def _alone(operation: Operation, before: Accepted) -> Accepted:
    """Return a verdict without what the operation set off: that is decided anew, if at all."""
    own = {one: digest for one, digest in before.documents.items() if one == subject(operation)}
    return msgspec.structs.replace(before, documents=own, applied=())


class Healing:
    """Takes back what a replica offers.

    Args:
        authority: Of the registry.
        secrets: By which receipts and certificates are checked.
        rights: Of who offers.
    """

    def __init__(self, authority: Authority, secrets: Secrets, rights: Rights) -> None:
        self._authority = authority
        self._secrets = secrets
        self._rights = rights

    def take_claims(self, claims: Sequence[Claim]) -> None:
        """Note the numbers that versions had; a version that has none yet gets it at once."""
        row = self._authority.row
        good = []
        for claim in claims:
            statement = statements.certificate_statement(
                row.id, claim.model, claim.version, claim.number
            )
            if self._secrets.marked(statement, claim.certificate):
                good.append(claim)
        view = self._authority.view
        view.load([one.version for one in good], ())
        lost = []
        for claim in good:
            self._authority.reserve(claim.model, claim.number)
            document = view.document(claim.version)
            # What has its number needs no claim, and stands behind an older one that comes back.
            if document is None or document.facts.get("number") != claim.number:
                lost.append(claim)
        upsert(
            self._authority.connection,
            schema.claim,
            [
                {
                    "registry": row.key,
                    "version": one.version,
                    "stream": one.model,
                    "number": one.number,
                }
                for one in lost
            ],
            replace=False,
        )
        for claim in lost:
            self._authority.claim(claim.model, claim.version, claim.number)
            document = view.document(claim.version)
            if document is not None and document.facts.get("number") is None:
                number = view.next_number(document.stream, document.id)
                self._authority.renumber(document, number or claim.number)

    def take_offers(self, push: Push, judged: list[bytes], verdicts: list[bytes]) -> list[str]:
        """Judge operations by their receipts; return the ids of those that wait.

        Args:
            push: What was sent.
            judged: The others are added to it.
            verdicts: What was said of them is, too.
        """
        good = [self._is_good(evidence) for evidence in push.evidence]
        sent = [read_operation(bytes(offer.op)) for offer in push.offers]
        self._authority.load(sent)
        parked = []
        for offer, one in zip(push.offers, sent, strict=True):
            verdict = self._take(offer, one, push, good)
            if verdict is None:
                parked.append(one.header.id)
            else:
                judged.append(one.data)
                verdicts.append(verdict)
        return parked

    def _take(self, offer: Offer, sent: Sent, push: Push, good: list[bool]) -> bytes | None:
        authority = self._authority
        past = authority.view.past(sent.header.id)
        before = decoded_verdict(bytes(offer.verdict))
        evidence = push.evidence[offer.evidence] if offer.evidence < len(push.evidence) else None
        proven = (
            evidence is not None
            and good[offer.evidence]
            and before.op == sent.header.id
            and statements.verdict_digest(sent.data, bytes(offer.verdict)) in evidence.verdicts
            and sent.header.actor == self._rights.user
        )
        lost = past is not None and isinstance(past.verdict, Rejected | Unsupported)
        if past is not None and not (lost and proven and isinstance(before, Accepted)):
            # To others it is like one that is not here, and what stands for something else is, too.
            is_own = past.operation.actor == self._rights.user
            is_known = is_own and is_same(past.operation, sent.operation)
            return known_verdict(past) if is_known else encode_verdict(self._unproven(sent))
        if not proven or not isinstance(before, Accepted):
            return authority.decide_refusal(sent, self._unproven(sent))
        operation = sent.operation
        if operation is None:
            return self._take_unread(sent)
        # A certificate tells what became of a number that was given another version since.
        if before.number is not None and authority.view.claimed(operation.entity) is None:
            authority.claim(operation.stream, operation.entity, before.number)
        if authority.row.healing or operation.kind in KEPT:
            # It was allowed when it was judged; what its author may do now does not count.
            before = before if authority.row.healing else _alone(operation, before)
            actor = authority.view.person(operation.actor)
            again, judged = authority.weigh(sent, actor, settled=before)
        else:
            # Whoever held it back until now may have lost his rights, or others decided since.
            again, judged = authority.weigh(sent, self._rights.actor, late=before.decided)
        if not isinstance(again, Accepted):
            if authority.row.healing:
                return None  # what it builds on is not back yet: it was accepted once
            return authority.decide_refusal(sent, again) if past is None else known_verdict(past)
        if lost:
            authority.forget_refusal(sent.header.id)
        return authority.decide(sent, again, judged, is_told=True)

    def _take_unread(self, sent: Sent) -> bytes | None:
        """Let what an older program can't read wait for the newer one that accepted it."""
        authority = self._authority
        if authority.row.healing:
            return None
        known = authority.view.unread(sent.header.id)
        if known is not None:
            return known_verdict(known)
        header, now = sent.header, authority.moment()
        return authority.decide_refusal(sent, Unsupported(op=header.id, now=now, kind=header.kind))

    def _unproven(self, sent: Sent) -> Rejected:
        return Rejected(
            op=sent.header.id,
            now=self._authority.moment(),
            code="unproven",
            message="the server can't tell that it accepted this before",
            hint="`regtui outbox retry` sends it again",
        )

    def _is_good(self, evidence: Evidence) -> bool:
        row = self._authority.row
        statement = statements.receipt_statement(row.id, evidence.epoch, evidence.verdicts)
        return self._secrets.signed(statement, evidence.signature)
