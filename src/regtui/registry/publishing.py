"""Publishing: what was done without a server is made again at one, in its order.

A registry that decided for itself has numbers, stamps and signatures of its own. They can't become
the server's, whose registry may have the same models already. So everything that was accepted here
is made again (`regtui.registry.reminting`) by the one who publishes, with its own moments, so that
versions keep the time they were made. A server judges it like any other work: what it has already
of a model merges, or becomes a conflict that somebody settles.

All of it happens in a replica beside, which has read the server's state: what is told before is
what the same judge says of exactly these operations. Only then it takes the place of the old one,
of which a copy stays; a kill before that leaves nothing changed.

Numbers are the server's from then on. One that a version had here and will not have stays as its
tag `solo-number`. Grants and policies are not published, and neither is what was heard of
deployments. Which checks may run on this machine stays as it was.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from regtui.artifacts.faults import disk_errors
from regtui.artifacts.leases import lease
from regtui.core.errors import BadInput, Denied, RegtuiError
from regtui.core.identity import deployment_id
from regtui.core.judgement.moving import ONLINE, TRIGGERS
from regtui.core.operations import (
    CaptureBody,
    DeploymentBody,
    ModelBody,
    Operation,
    TransitionBody,
    decode_operation,
)
from regtui.core.verdicts import (
    Accepted,
    Conflicted,
    Rejected,
    Verdict,
    decode_verdict,
)
from regtui.registry.carried_texts import carry_texts
from regtui.registry.check_trust import trust_digest
from regtui.registry.context import Context
from regtui.registry.published_deployments import PublishedDeployments
from regtui.registry.reminting import Reminter, as_edits
from regtui.registry.remote import address_of, join, token_of, who_am_i
from regtui.replica.adoption import adopt
from regtui.replica.authority import SoloAuthority
from regtui.replica.database import Connection
from regtui.replica.file_lists import file_lists
from regtui.replica.keys import key_file
from regtui.replica.remote import read_remote
from regtui.replica.tables import insert
from regtui.replica.unit import Replica
from regtui.sync.client import SyncClient

if TYPE_CHECKING:
    from regtui.sync.transport import HttpTransport

PAGE = 500
"""Operations of one unit of work."""


class Renumbered(Struct, frozen=True, kw_only=True):
    """A version whose number changes, as far as can be told before the server gives it."""

    old: int
    new: int


class PublishedModel(Struct, kw_only=True):
    """A model that is published.

    Attributes:
        name: Its name.
        exists: Whether the server has it already; what differs merges or becomes a conflict.
        versions: Versions that are published.
        known: Of these, how many the server has already.
        renumbered: Versions whose number changes.
    """

    name: str
    exists: bool
    versions: int = 0
    known: int = 0
    renumbered: list[Renumbered] = []


class NotPublished(Struct, frozen=True, kw_only=True):
    """An operation that the server would refuse.

    Attributes:
        operation: Its id here.
        kind: Such as `version.edit`.
        model: Name of the model, None where it is about none.
        code: Why, a stable word.
        reason: The same in a sentence.
    """

    operation: str
    kind: str
    model: str | None
    code: str
    reason: str


class Publication(Struct, kw_only=True):
    """What publishing does, or did.

    Attributes:
        url: The server's address.
        registry: Name of the registry there.
        user: Who publishes.
        models: The models.
        operations: Operations that are made again.
        conflicts: Conflicts that this opens there and leaves open.
        left_out: Operations that are not published: grants, and resolutions of what is no conflict.
        refused: Operations that the server would refuse.
        published: Whether it is done; the next sync sends it.
    """

    url: str
    registry: str
    user: str
    models: list[PublishedModel] = []
    operations: int = 0
    conflicts: int = 0
    left_out: int = 0
    refused: list[NotPublished] = []
    published: bool = False


def publish(context: Context, *, dry_run: bool = False) -> Publication:
    """Make the history of a registry without a server ready to be sent to one.

    Args:
        context: The registry; somebody is signed in.
        dry_run: Whether to tell only.

    Raises:
        NotFound: There is no remote, or nobody is signed in.
        BadInput: It was published already, or has nothing to publish.
        Denied: Who is signed in may change nothing there.
        Unreachable: The server does not answer.
        RegtuiError: The disk is full, or somebody wrote to the registry meanwhile.
    """
    head = _solo_head(context)
    with lease(context.home) as folder, _beside(context, folder / "published") as beside:
        made = _Publishing(context, beside.replica, beside.answer).run(head)
        if not dry_run:
            _refuse_hopeless(made)
            with disk_errors(f"writing to {context.home}"):
                now = context.replica.clock() // 1000
                adopt(context.replica.home, beside.replica.home.database, now, replacing=head)
            made.published = True
    return made


def _solo_head(context: Context) -> int:
    with context.reading() as connection:
        if read_remote(connection) is not None:
            raise BadInput("this registry belongs to its remote already", "`regtui sync` sends it")
        row = connection.execute("select seq from base.replica").fetchone()
    head = 0 if row is None else int(row[0])
    if not head:
        raise BadInput(
            "there is nothing to publish: this registry is empty", "`regtui login` joins the remote"
        )
    return head


def _refuse_hopeless(made: Publication) -> None:
    if made.refused and not made.operations:
        raise Denied(
            f"{made.user} may publish nothing at {made.url}: {made.refused[0].reason}",
            "ask an admin there for the role contributor",
        )


class _Beside(Struct):
    """A replica beside the home, and what is said of publishing so far."""

    replica: Replica
    answer: Publication


@contextlib.contextmanager
def _beside(context: Context, folder: Path) -> Iterator[_Beside]:
    """Yield a new replica that has joined the remote and read its state."""
    from regtui.sync.transport import HttpTransport

    url = address_of(context)
    token = token_of(context, url)
    replica = Replica(folder, context.replica.clock)
    with HttpTransport(url, token) as transport:
        me = who_am_i(transport)
        with replica.changing() as connection:
            join(connection, url, me)
            (identity,) = connection.execute("select id::varchar from base.replica").fetchall()[0]
        try:
            SyncClient(replica, transport, context.session).sync()
            answer = Publication(url=url, registry=me.registry_name, user=me.name)
            yield _Beside(replica, answer)
        finally:
            _forget(transport, identity, me.registry)


def _forget(transport: "HttpTransport", identity: str, registry: str) -> None:
    """Let the identity go under which was read: the home takes another one."""
    with contextlib.suppress(RegtuiError, OSError):
        transport.ask("DELETE", f"/v1/registries/{registry}/replicas/{identity}")
        key_file(identity).unlink()


class _Publishing:
    """Makes the operations of a registry again in a replica beside it."""

    def __init__(self, context: Context, beside: Replica, answer: Publication) -> None:
        self._context = context
        self._beside = beside
        self._answer = answer
        self._models: dict[str, PublishedModel] = {}
        self._next: dict[str, int] = {}
        self._known: dict[str, int] = {}
        self._given = set[str]()
        """Versions of this publication: the same content may be captured several times."""
        self._existing: frozenset[str] = frozenset()
        self._applied: dict[str, list[tuple[str, str]]] = {}
        """Requests, with their streams, by the operation that ended them."""
        self._lost: list[str] = []
        """Versions of this page whose capture is refused."""
        self._open = set[str]()
        """Conflicts that opened, and were not settled since."""
        self._deployments = PublishedDeployments()
        self._requested = set[str | None]()
        """What is only requested, and the deployments that it may lead to."""

    def run(self, head: int) -> Publication:
        """Make everything again up to an operation; return what it comes to."""
        with self._beside.reading() as connection:
            self._read_known(connection)
            (replica,) = connection.execute("select id::varchar from base.replica").fetchall()
        self._read_applied()
        with self._context.reading() as connection:
            (own,) = connection.execute("select id::varchar from base.replica").fetchall()
        reminter = Reminter(replica[0], own[0])
        seq = 0
        while page := self._page(seq, head):
            seq = page[-1][0]
            captured: list[str] = []
            self._lost = []
            with self._beside.writing(self._context.actor, "cli", self._context.session) as unit:
                for _, data, sealed in page:
                    captured += self._take(unit, reminter, data.encode(), sealed.encode())
            self._add_files(captured)
        carry_texts(self._context.reading, self._beside.reading, self._beside.changing)
        self._carry_trust()
        self._answer.conflicts = len(self._open)
        self._answer.models = sorted(self._models.values(), key=lambda model: model.name)
        return self._answer

    def _page(self, seq: int, head: int) -> list[tuple[int, str, str]]:
        with self._context.reading() as connection:
            return connection.execute(
                "select seq, bytes, verdict from base.operation where seq > ? and seq <= ? "
                "order by seq limit ?",
                [seq, head, PAGE],
            ).fetchall()

    def _read_known(self, connection: Connection) -> None:
        """Read which models and numbers the server has."""
        for identity, last in connection.execute(
            "select m.id::varchar, coalesce(max(v.number), 0) from base.model m "
            "left join base.version v on v.model = m.key group by all"
        ).fetchall():
            self._next[identity] = last + 1
        self._known = dict(
            connection.execute(
                "select id::varchar, number from base.version where number is not null"
            ).fetchall()
        )
        self._existing = frozenset(self._next)

    def _take(
        self, unit: SoloAuthority, reminter: Reminter, data: bytes, sealed: bytes
    ) -> list[str]:
        """Make one operation again; return the version that it captured."""
        old, verdict = decode_operation(data), decode_verdict(sealed)
        left_out = old.stream == "access" or old.kind in ONLINE
        if not isinstance(verdict, Accepted) or left_out:
            self._answer.left_out += 1
            return []
        if not reminter.ends_none(old):
            return self._make(unit, reminter, old, verdict)
        edits = as_edits(old, unit.view)
        self._answer.left_out += not edits
        for edit in edits:
            self._make(unit, reminter, edit, verdict)
        return []

    def _make(
        self, unit: SoloAuthority, reminter: Reminter, old: Operation, verdict: Accepted
    ) -> list[str]:
        """Make an operation again that was accepted; return the version that it captured."""
        number = None
        if isinstance(old.body, CaptureBody):
            number = self._number(old, verdict.number)
        made = reminter.remint(
            old, unit, was_number=number, was_contested=isinstance(verdict, Conflicted)
        )
        if self._deployments.leave_out(made, unit.view):
            told = "another version is live there by the server's word"
            self._refuse(old, Rejected(op=made.id, now=0, code="in_use", message=told))
            return []
        leaves = self._rests_on_requested(made)
        new = unit.leave(made) if leaves else unit.bring(made)
        if leaves or (isinstance(new, Accepted) and not new.documents):
            # Whatever it moves stays where it is until the server has decided.
            self._requested |= {made.entity, deployment_id(made.entity)}
        if not isinstance(new, Accepted):
            self._refuse(old, new)
            if isinstance(old.body, CaptureBody):
                self._lost.append(old.entity)
            return []
        self._answer.operations += 1
        self._note_conflicts(unit, new)
        if isinstance(verdict, Conflicted):
            reminter.note_conflicts(verdict.conflicts, getattr(new, "conflicts", ()))
        self._count(old, verdict.number)
        for request in self._applied_by(old):
            self._apply(unit, reminter.applied(request, old, unit), old)
        return [old.entity] if isinstance(old.body, CaptureBody) else []

    def _note_conflicts(self, unit: SoloAuthority, verdict: Accepted) -> None:
        """Note which conflicts an operation opened, and which it settled or withdrew from."""
        if isinstance(verdict, Conflicted):
            self._open |= set(verdict.conflicts)
        for conflict in self._open & verdict.documents.keys():
            document = unit.view.document(conflict)
            if document is not None and document.value("resolution") is not None:
                self._open.discard(conflict)

    def _apply(self, unit: SoloAuthority, applies: Operation, old: Operation) -> None:
        """Apply a request that an operation had set off; what policies there forbid is told."""
        applied = unit.bring(applies)
        if isinstance(applied, Accepted):
            self._answer.operations += 1
        else:
            self._refuse(msgspec.structs.replace(applies, id=old.id), applied)

    def _rests_on_requested(self, made: Operation) -> bool:
        """Tell whether an operation is about a deployment that is only requested till now."""
        about = {made.entity} if isinstance(made.body, TransitionBody) else set[str | None]()
        if isinstance(made.body, DeploymentBody):
            about = {made.body.replaces, made.body.rollback_of}
        return not self._requested.isdisjoint(about)

    def _applied_by(self, old: Operation) -> list[tuple[str, str]]:
        """Return the requests, with their streams, that an operation made apply by themselves."""
        return self._applied.get(old.id, []) if old.kind in TRIGGERS else []

    def _read_applied(self) -> None:
        """Read which operations ended requests, once for all of them."""
        with self._context.reading() as connection:
            rows = connection.execute(
                "select d.body ->> '$.fields.state.by', d.id::varchar, m.id::varchar "
                "from base.promotion p join base.document d on d.key = p.key "
                "join base.model m on m.key = p.model where p.state = 'applied' order by p.key"
            ).fetchall()
        for by, request, model in rows:
            self._applied.setdefault(str(by), []).append((str(request), str(model)))

    def _carry_trust(self) -> None:
        """Let the checks that may run on this machine run here afterwards, too."""
        with self._context.reading() as connection:
            digests = [
                row[0] for row in connection.execute("select digest from base.trusted").fetchall()
            ]
        with self._beside.changing() as connection:
            for digest in digests:
                trust_digest(connection, digest)

    def _number(self, old: Operation, number: int | None) -> int | None:
        """Return the number of a version where it will have another one."""
        if old.entity in self._known or old.entity in self._given:
            return None
        new = self._next.get(old.stream, 1)
        return None if number is None or number == new else number

    def _count(self, old: Operation, number: int | None) -> None:
        if isinstance(old.body, ModelBody):
            exists = old.entity in self._existing
            self._models.setdefault(old.stream, PublishedModel(name=old.body.name, exists=exists))
        model = self._models.get(old.stream)
        if model is None or not isinstance(old.body, CaptureBody) or old.entity in self._given:
            return
        self._given.add(old.entity)
        model.versions += 1
        new = self._known.get(old.entity)
        if new is not None:
            model.known += 1
        else:
            new = self._next.setdefault(old.stream, 1)
            self._next[old.stream] = new + 1
        if number is not None and new != number:
            model.renumbered.append(Renumbered(old=number, new=new))

    def _refuse(self, old: Operation, verdict: Verdict) -> None:
        model = self._models.get(old.stream)
        code, reason = "unsupported", "the server is too old for it"
        if isinstance(verdict, Rejected):
            code, reason = verdict.code, verdict.message
        name = None if model is None else model.name
        if isinstance(old.body, ModelBody):
            name = old.body.name
        self._answer.refused.append(
            NotPublished(operation=old.id, kind=old.kind, model=name, code=code, reason=reason)
        )

    def _add_files(self, versions: list[str]) -> None:
        """Give captured versions, and those that were refused, the lists that they have here."""
        versions = [*dict.fromkeys(versions)]  # what was captured twice has one list
        if not versions and not self._lost:
            return
        with self._context.reading() as connection:
            files = file_lists(connection, [*dict.fromkeys([*versions, *self._lost])])
            since = dict(
                connection.execute(
                    "select d.id::varchar, r.since from base.released r "
                    "join base.document d on d.key = r.version "
                    "where d.id in (select unnest(?::uuid[]))",
                    [versions],
                ).fetchall()
            )
        with self._beside.writing(self._context.actor, "cli", self._context.session) as unit:
            run = unit.connection.execute
            keys = dict(
                run(
                    "select id::varchar, key from base.document "
                    "where id in (select unnest(?::uuid[]))",
                    [versions],
                ).fetchall()
            )
            listed = file_lists(unit.connection, versions)
            unit.view.load(versions)
            for version in versions:
                if version not in listed:
                    unit.add_files(version, files.get(version, []))
            for version in self._lost:
                unit.add_lost_list(files.get(version, []))
            # What the server sent is not here by that; what is here, is.
            run(
                "delete from base.released where version in (select unnest(?::bigint[]))",
                [list(keys.values())],
            )
            insert(
                unit.connection, "released", [(keys[one], moment) for one, moment in since.items()]
            )
