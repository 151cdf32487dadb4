"""What every verb works on: the replica, the store of files, and who acts."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from regtui.core.errors import BadInput
from regtui.registry.contested import Listener, heard
from regtui.replica.database import Connection
from regtui.replica.home import find
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica, wall_clock

if TYPE_CHECKING:
    from regtui.artifacts.store import ObjectStore
    from regtui.core.access import Actor
    from regtui.core.documents import Document
    from regtui.core.view import Contents
    from regtui.replica.authority import SoloAuthority

HOOKS = "hooks.toml"
"""What a home with hooks has (`hooking.py`, which others do without)."""

INSIDE_HOOK = "REGTUI_HOOK"
"""Variable in the environment of a hook."""


class Context(Struct, frozen=True):
    """One invocation on one replica.

    Attributes:
        replica: The database.
        via: `cli`, `app`, `watcher`, `api` or `runner`.
        session: Id of the invocation.
        listener: Is told of references through contested aliases, and may refuse them.
    """

    replica: Replica
    via: str
    session: str
    listener: Listener | None = None

    @property
    def home(self) -> Path:
        """The folder that holds replica and files."""
        return self.replica.home.path

    @property
    def actor(self) -> "Actor":
        """Who acts on a replica without a remote: the system's user, its admin."""
        import pwd

        from regtui.core.access import Actor, Grant, Role
        from regtui.core.identity import user_id

        try:
            name = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:  # a container's user often has no entry
            name = f"uid-{os.getuid()}"
        return Actor(user_id(name), name, (Grant(Role.ADMIN, "*"),))

    @property
    def store(self) -> "ObjectStore":
        """The files; most commands that read need none of its modules."""
        from regtui.artifacts.store import ObjectStore

        return ObjectStore(self.home)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open the replica for reading."""
        with self.replica.reading() as connection, heard(self.listener):
            yield connection

    def look(self, connection: Connection) -> "Callable[[Document], Contents]":
        """Return what looks at a version's files, for gates that ask about them."""

        def contents(version: "Document") -> "Contents":
            from regtui.registry.looking import contents_of

            return contents_of(self, connection, version)

        return contents

    @contextlib.contextmanager
    def writing(self) -> "Iterator[SoloAuthority]":
        """Open the replica for one transaction of operations."""
        writing = self.replica.writing(self.actor, self.via, self.session)
        with writing as authority, heard(self.listener):
            authority.view.look = self.look(authority.connection)
            yield authority


def make_context(home: Path | None, via: str, listener: Listener | None = None) -> Context:
    """Return the context of a new invocation.

    Args:
        home: The replica's folder; None for the nearest `.regtui/` upwards, else the user's own.
        via: `cli`, `app`, `watcher`, `api` or `runner`.
        listener: Is told of references through contested aliases, and may refuse them.
    """
    try:
        folder = find(Path.cwd()).path if home is None else home.expanduser().absolute()
    except FileNotFoundError:
        raise BadInput("the current folder does not exist any more", "go to another one") from None
    except RuntimeError as error:
        told = "your home folder is not known" if home is None else f"there is no folder {home}"
        raise BadInput(f"{told}: {error}".rstrip("."), "or name one by --home") from None
    session = uuid7(wall_clock())
    if INSIDE_HOOK in os.environ:
        from regtui.registry import hooking

        hooking.note_session(folder, session)
    return Context(Replica(folder, on_change=_changed), via, session, listener)


def _changed(home: Path) -> None:
    """Have hooks run, where there are any."""
    if os.path.exists(home / HOOKS):  # noqa: PTH110 -- False where one may not look
        from regtui.registry import hooking

        hooking.changed(home)
