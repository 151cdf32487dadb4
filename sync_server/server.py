"""The server: its database, its key and its registry, opened or made."""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import sqlalchemy as sa
from msgspec import Struct

from regtui.core import chain
from regtui.core.errors import BadInput, NotFound
from sync_server import schema
from sync_server.administration import Administration, operator
from sync_server.authority import RegistryRow, registry_row
from sync_server.database import Database, insert
from sync_server.directory import Directory
from sync_server.healing import note_epoch
from sync_server.secrets import Secrets, new_private
from sync_server.sync import Caller, SyncService
from sync_server.token_uses import TokenUses

Clock = Callable[[], int]

_Result = TypeVar("_Result")
_Seen = TypeVar("_Seen")

SQLITE_NAME = "registry.sqlite"


class Made(Struct, frozen=True):
    """A new registry: its id and name, its first admin, and the token that he logs in with."""

    registry: str
    name: str
    admin: str
    token: str


def wall_clock() -> int:
    """Return the machine's time in microseconds."""
    return time.time_ns() // 1000


def uuid7(microseconds: int) -> str:
    """Return a UUIDv7 for a time."""
    milliseconds, rest = divmod(microseconds, 1000)
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    value = milliseconds << 80 | 0x7 << 76 | (rest * 4096 // 1000) << 64 | 0b10 << 62 | random
    return str(uuid.UUID(int=value))


def database_url(data: Path, chosen: str | None) -> str:
    """Return where the database is: the one chosen, else a file in the data folder."""
    return chosen or f"sqlite:///{data / SQLITE_NAME}"


class Server:
    """An open server.

    Args:
        database: Its database, with its tables.
        clock: Returns microseconds.
        seed: Returns 16 random bytes.
        mint: Returns a new UUIDv7 for a time.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock = wall_clock,
        seed: Callable[[], bytes] = lambda: os.urandom(16),
        mint: Callable[[int], str] = uuid7,
    ) -> None:
        self.database = database
        self.clock = clock
        self.mint = mint
        self.seed = seed
        self.uses = TokenUses(database, clock)
        self._ids: dict[int, str] = {}
        self.secrets = _load_secrets(database)
        self.service = SyncService(database, self.secrets, clock, seed)

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    def registry(self, name: str | None = None) -> RegistryRow:
        """Return a registry by id or name; the only one without.

        Raises:
            NotFound: There is none.
        """
        c = schema.registry.c
        with self.database.reading() as connection:
            query = sa.select(c.id)
            if name is not None:
                query = query.where(sa.or_(c.id == name, c.name == name))
            found = connection.execute(query.order_by(c.key)).scalars().first()
            row = None if found is None else registry_row(connection, found, lock=False)
        if row is None:
            raise NotFound("there is no registry here", "`regtui-server init` makes one")
        return row

    def registry_id(self, key: int) -> str:
        """Return the id of a registry by its number; a number is never given anew."""
        if key not in self._ids:
            c = schema.registry.c
            with self.database.reading() as connection:
                self._ids = {row.key: row.id for row in connection.execute(sa.select(c.key, c.id))}
        return self._ids[key]

    def look(
        self,
        registry: str,
        view: Callable[[Directory], _Result],
        *,
        caller: Caller | None = None,
    ) -> _Result:
        """Look up who is there and may do what.

        Args:
            registry: Id.
            view: Takes what is wanted out of what may be seen.
            caller: Who asks; None for the operator.

        Raises:
            NotFound: It is not there, or the caller may not know.
            Refused: The caller may not sign in (any more).
        """
        with self.database.reading() as connection:
            row = registry_row(connection, registry, lock=False)
            if row is None:
                raise NotFound("there is no such registry")
            rights = None
            if caller is not None:
                rights = self.service.rights_of(connection, row.key, caller)
            people = self.service.people.get(connection, row.key)
            return view(Directory(connection, row.key, people, rights))

    def administrate(
        self,
        registry: str,
        change: Callable[[Administration], _Result],
        *,
        caller: Caller | None = None,
    ) -> _Result:
        """Change who may do what, in one transaction.

        Args:
            registry: Id.
            change: Does it.
            caller: Who asks, with the rights that he has when it is his turn; None for the
                operator.

        Raises:
            RegtuiError: It was refused; nothing is changed.
            Refused: The caller may not sign in (any more).
        """
        return self.administrate_and_look(registry, change, lambda result, _: result, caller=caller)

    def administrate_and_look(
        self,
        registry: str,
        change: Callable[[Administration], _Result],
        view: Callable[[_Result, Directory], _Seen],
        *,
        caller: Caller | None = None,
    ) -> _Seen:
        """Change who may do what, and look at what came of it, in one transaction.

        Args:
            registry: Id.
            change: Does it.
            view: Takes what is wanted out of what may be seen afterwards, by the rights of before:
                who gives up his own sees what he did.
            caller: Who asks; None for the operator.

        Raises:
            RegtuiError: It was refused; nothing is changed.
            Refused: The caller may not sign in (any more).
        """
        with self.database.writing() as connection:
            row = registry_row(connection, registry, lock=True)
            if row is None:
                raise NotFound("there is no such registry")
            who, rights = operator(), None
            if caller is not None:
                rights = self.service.rights_of(connection, row.key, caller)
                who = rights.actor
            made = Administration(connection, row, self.secrets, who, self.clock(), self.mint)
            result = change(made)
            people = made.finish()
            self.service.people.forget()
            return view(result, Directory(connection, row.key, people, rights))


def make_registry(  # noqa: PLR0913, PLR0917 -- what a run is repeated by
    database: Database,
    name: str,
    admin: str,
    clock: Clock = wall_clock,
    mint: Callable[[int], str] = uuid7,
    seed: Callable[[], bytes] = lambda: os.urandom(16),
    identity: str | None = None,
) -> Made:
    """Make a registry with its first admin, in one transaction.

    Raises:
        BadInput: There is one of that name, or a name makes no sense; nothing is kept.
    """
    if not name.strip() or not name.isprintable():
        raise BadInput(f"a registry can't be called {name!r}", "--registry NAME says how it is")
    server = Server(database, clock, seed, mint)
    now = clock()
    with database.writing() as connection:
        c = schema.registry.c
        taken = connection.execute(sa.select(c.key).where(c.name == name)).first()
        if taken is not None:
            raise BadInput(f"there is a registry {name!r} already", "choose another --registry")
        newest = connection.execute(sa.select(sa.func.max(c.key))).scalar()
        row = RegistryRow(
            key=int(newest or 0) + 1,
            id=identity or str(uuid.uuid4()),
            name=name,
            epoch=server.secrets.mark(b"first epoch" + seed()),
            seq=0,
            link=chain.FIRST_LINK,
            clock_us=0,
            healing=False,
        )
        insert(connection, schema.registry, [
            {"key": row.key, "id": row.id, "name": name, "created": now, "epoch": row.epoch,
             "seq": 0, "link": row.link, "clock_us": 0, "healing": False}
        ])  # fmt: skip
        note_epoch(connection, row, "made", now)
        first = Administration(connection, row, server.secrets, operator(), clock(), mint)
        user = first.put_user(admin)
        first.grant(admin, "admin", "*")
        token = first.create_token(user.id, "first login", once=True)
        first.finish()
    return Made(row.id, name, admin, token)


def make_tables(database: Database) -> None:
    """Make whatever table is missing, and change whatever an older program made.

    Raises:
        BadInput: The database belongs to a newer program.
        Unreachable: It does not answer.
    """
    from sync_server.migrate import upgrade  # what only looks at a database needs no Alembic

    upgrade(database)


def _load_secrets(database: Database) -> Secrets:
    """Return the server's key, made at first use."""
    c = schema.setting.c
    query = sa.select(c.value).where(c.name == "key")
    with database.writing() as connection:
        found = connection.execute(query).scalar()
        if found is None:
            private = new_private()
            insert(connection, schema.setting, [{"name": "key", "value": private}])
            return Secrets(private)
        return Secrets(bytes(found))
