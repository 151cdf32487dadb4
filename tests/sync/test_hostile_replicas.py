"""Replicas that send what no regtui sends: they learn nothing, and change nothing."""

import msgspec
import pytest

from regtui.core import encoding
from regtui.core.identity import grant_id, model_id, user_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import (
    KINDS,
    CaptureBody,
    Change,
    EditBody,
    GrantBody,
    encode_operation,
)
from regtui.replica.ids import uuid7
from regtui.sync.client import SyncClient, UpgradeNeeded
from regtui.wire.messages import MIN_PROTOCOL, PROTOCOL, Answer, Push, encoder, push_decoder
from sync_server.authority import Refused
from sync_server.rights import load_people
from tests.sync.world import Person, Wire, World, signed_in

SECRET = [FileEntry("secret-name.bin", 3, False, "ab" * 32)]


def register(person: Person, model: str, files: list[FileEntry], *, tells: bool) -> str:
    """Register a version of files that are nowhere, with or without the list of them."""
    digest, entity = content_digest(files), model_id(model, 0)
    version = version_id(entity, digest)
    with person.replica.writing(person.registry.context.actor, "cli", "s") as authority:
        body = CaptureBody(digest=digest, nonce="", size=3, files=len(files), set={})
        authority.submit("version.capture", entity, version, body)
        if tells:
            authority.add_files(version, files)
    return version


@pytest.fixture
def eve(world: World) -> Person:
    """Return somebody who may read nothing but her own models."""
    world.grant("eve", "contributor", "eve/*")
    return signed_in(world, "eve")


def test_who_knows_the_digest_of_a_list_of_files_is_not_sent_it(
    world: World, ann: Person, eve: Person
) -> None:
    ann.registry.create_model("secret/m")
    register(ann, "secret/m", SECRET, tells=True)
    ann.sync()
    eve.registry.create_model("eve/m")
    register(eve, "eve/m", SECRET, tells=False)
    assert eve.sync().rejected == 1  # as it is where nobody has that list
    assert eve.sync().rejected == 0
    assert eve.table("select path from base.file") == []
    assert eve.table("select value from base.text") == []
    # Who has the files herself tells them, and gets nothing that she did not have.
    world.grant("fay", "contributor", "eve/*")
    fay = signed_in(world, "fay")
    fay.sync()
    other = [FileEntry("own.bin", 3, False, "cd" * 32)]
    register(fay, "eve/m", other, tells=True)
    fay.sync()
    eve.sync()
    assert [str(path) for (path,) in eve.table("select path from base.file")] == ["own.bin"]


def test_who_knows_the_digest_of_a_text_is_not_sent_it(
    world: World, ann: Person, eve: Person
) -> None:
    ann.registry.create_model("secret/m", {"card": "# The secret\n"})
    ann.sync()
    digest = encoding.digest(b"# The secret\n")
    eve.registry.create_model("eve/m")
    version = register(eve, "eve/m", SECRET, tells=True)
    with eve.replica.writing(eve.registry.context.actor, "cli", "s") as authority:
        body = EditBody({"series/loss": Change(digest)})
        authority.submit("version.edit", model_id("eve/m", 0), version, body)
    for _ in range(2):
        eve.sync()
    assert "The secret" not in str(eve.table("select value from base.text"))


def test_who_may_do_what_is_not_changed_by_a_sync(world: World, ann: Person) -> None:
    """Not even by an admin: that one of them stays is not for the judge of operations to see."""
    ann.sync()

    def admins() -> set[str]:
        with world.database.reading() as connection:
            return load_people(connection, 1).admins()

    before = admins()
    with world.database.reading() as connection:
        held = load_people(connection, 1).documents
    for user in before:
        stamp = held[grant_id(user, "*")].stamp("role")
        body = GrantBody(user, "user", "*", {"role": Change(None, saw=stamp)})
        _queue(ann, "grant.remove", grant_id(user, "*"), body)
    done = ann.sync()
    assert (done.accepted, done.rejected) == (0, len(before))
    assert {one.code for one in ann.registry.outbox()} == {"denied"}
    assert admins() == before


def _queue(person: Person, kind: str, entity: str, body: GrantBody) -> None:
    """Let an operation wait that no program would make."""
    with person.replica.changing() as connection:
        row = connection.execute(
            "select id::varchar, (select coalesce(max(position), 0) from base.outbox) + 1 "
            "from base.replica"
        ).fetchone()
        assert row is not None
        replica, position = row
        operation = KINDS[kind](
            id=uuid7(person.clock()),
            replica=replica,
            at=person.clock(),
            actor=user_id(person.name),
            stream="access",
            entity=entity,
            body=body,
            via="cli",
            session="s",
        )
        connection.execute(
            "insert into base.outbox (position, id, state, bytes, created) values (?, ?, ?, ?, ?)",
            [position, operation.id, "pending", encode_operation(operation).decode(), 0],
        )


def test_the_protocol_is_the_first_one_where_it_is_not_said(ann: Person) -> None:
    """Else a later server would take a program of the first one for one of its own time."""
    push = encoder.encode(ann.client.prepare().push)
    assert push_decoder.decode(push.replace(b'"protocol":', b'"other":')).protocol == 1


def test_a_sync_with_nothing_new_takes_less_than_a_kibibyte(ann: Person) -> None:
    ann.registry.create_model("m")
    ann.sync()
    ann.wire.sizes.clear()
    ann.sync()
    (sizes,) = ann.wire.sizes
    assert sum(sizes) < 1024


@pytest.mark.parametrize("protocol", [MIN_PROTOCOL - 1, PROTOCOL + 1])
def test_a_program_of_another_time_is_told_to_upgrade(ann: Person, protocol: int) -> None:
    ann.registry.create_model("m")
    sync = ann.wire.sync

    def of_another_time(registry: str, push: Push) -> Answer:
        return sync(registry, msgspec.structs.replace(push, protocol=protocol))

    ann.wire.sync = of_another_time  # type: ignore[method-assign]
    with pytest.raises(Refused, match="too old"):
        ann.sync()
    ann.wire.sync = sync  # type: ignore[method-assign]
    assert ann.sync().accepted == 1


def test_a_server_of_a_later_time_is_not_talked_to_and_work_waits(ann: Person) -> None:
    ann.registry.create_model("m")
    sync = ann.wire.sync

    def later(registry: str, push: Push) -> Answer:
        return msgspec.structs.replace(sync(registry, push), min_protocol=PROTOCOL + 1)

    ann.wire.sync = later  # type: ignore[method-assign]
    with pytest.raises(UpgradeNeeded) as found:
        ann.sync()
    assert "kept here" in found.value.hint
    assert len(ann.registry.outbox()) == 1
    ann.wire.sync = sync  # type: ignore[method-assign]
    assert ann.sync().accepted == 1


@pytest.mark.parametrize(
    "text",
    [
        "no list",
        "[]",
        '[["a.bin",3,false,"x"]]',
        '[["../a.bin",3,false,"' + "ab" * 32 + '"],["b",0,false,"' + "ab" * 32 + '"]]',
        '[["a.bin",2,false,"' + "ab" * 32 + '"]]',
        '[["a.bin", 3, false, "' + "ab" * 32 + '"]]',
        '[["b",1,false,"' + "ab" * 32 + '"],["a",2,false,"' + "ab" * 32 + '"]]',
    ],
)
def test_what_is_no_list_of_the_files_is_captured_by_nobody(
    world: World, ann: Person, eve: Person, text: str
) -> None:
    eve.registry.create_model("eve/m")
    eve.sync()
    entity, digest = model_id("eve/m", 0), encoding.digest(text.encode())
    with eve.replica.writing(eve.registry.context.actor, "cli", "s") as authority:
        body = CaptureBody(digest=digest, nonce="", size=3, files=max(1, text.count('",')), set={})
        authority.submit("version.capture", entity, version_id(entity, digest), body)
    eve.wire = Telling(eve, {digest: text})
    eve.client = SyncClient(eve.replica, eve.wire, "session")
    assert eve.sync().rejected == 1
    assert [one.code for one in eve.registry.outbox()] == ["malformed"]
    assert ann.sync().rejected == 0
    assert ann.table("select count(*) from base.version") == [(0,)]


class Telling(Wire):
    """Sends texts along, whatever they are."""

    def __init__(self, person: Person, texts: dict[str, str]) -> None:
        super().__init__(person)
        self.texts = texts

    def sync(self, registry: str, push: Push) -> Answer:
        if push.ops:
            push = msgspec.structs.replace(push, texts={**push.texts, **self.texts})
        return super().sync(registry, push)


@pytest.mark.parametrize("card", ["no list at all", "[]"])
def test_a_card_is_no_list_of_files(world: World, ann: Person, eve: Person, card: str) -> None:
    eve.registry.create_model("eve/m", {"card": card})
    eve.sync()
    entity, digest = model_id("eve/m", 0), encoding.digest(card.encode())
    with eve.replica.writing(eve.registry.context.actor, "cli", "s") as authority:
        body = CaptureBody(digest=digest, nonce="", size=0, files=1, set={})
        authority.submit("version.capture", entity, version_id(entity, digest), body)
    assert eve.sync().rejected == 1
    ann.sync()
    assert ann.table("select count(*) from base.version") == [(0,)]
