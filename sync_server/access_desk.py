"""What the routes of access have in common: looking and changing on behalf of who asks.

What one may not see answers as what is not there. Who may not change something is refused before
anything is looked up, so that the refusal tells nothing.
"""

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from sync_server.administration import Administration
from sync_server.asking import Signed, own_registry
from sync_server.directory import Directory
from sync_server.server import Server

_Answer = TypeVar("_Answer")
_Done = TypeVar("_Done")

BASE = "/v1/registries/{registry}"

Text = Annotated[str, Field(min_length=1, max_length=400)]


class AccessRequest(BaseModel):
    """A body; what it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


class Desk:
    """Looks and changes for whoever asks.

    Args:
        server: The server.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    def look(self, registry: str, asking: Signed, view: Callable[[Directory], _Answer]) -> _Answer:
        """Return what a view takes out of what the caller may see.

        Raises:
            NotFound: It is not there, or the caller may not know.
            Refused: The registry is not the caller's.
        """
        own_registry(self.server, registry, asking)
        return self.server.look(registry, view, caller=asking[1])

    def change(
        self, registry: str, asking: Signed, act: Callable[[Administration], _Answer]
    ) -> _Answer:
        """Change something in one transaction, with the caller's rights.

        Raises:
            RegtuiError: It was refused; nothing is changed.
            Refused: The registry is not the caller's.
        """
        own_registry(self.server, registry, asking)
        return self.server.administrate(registry, act, caller=asking[1])

    def change_and_look(
        self,
        registry: str,
        asking: Signed,
        act: Callable[[Administration], _Done],
        view: Callable[[_Done, Directory], _Answer],
    ) -> _Answer:
        """Change something, and return what a view takes out of what came of it.

        Both in one transaction and with the rights that the caller had before: who disables
        himself, or leaves the team that he was an admin by, is told what he did.

        Raises:
            RegtuiError: It was refused; nothing is changed.
            Refused: The registry is not the caller's.
        """
        own_registry(self.server, registry, asking)
        return self.server.administrate_and_look(registry, act, view, caller=asking[1])
