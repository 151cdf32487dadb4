"""The view: what judging needs to know of the registry's state.

A replica and the server implement it over their stores, tests over dictionaries. All answers must
be of one moment, namely right before the operation that is judged.
"""

from typing import Protocol

from msgspec import Struct

from regtui.core.access import Actor
from regtui.core.documents import Document
from regtui.core.operations import Operation
from regtui.core.verdicts import Verdict


class Past(Struct, frozen=True):
    """An operation that was judged before, with its verdict and its sequence number."""

    operation: Operation
    verdict: Verdict
    seq: int


class Contents(Struct, frozen=True):
    """What is known of a version's files where it is asked.

    Attributes:
        complete: Whether all of their bytes are where it is decided; None where nobody here knows.
        safe: Whether none of them runs code when it is loaded; None where nobody here knows.
        reason: One sentence to that: which file, and what it does.
    """

    complete: bool | None
    safe: bool | None
    reason: str = ""


class View(Protocol):
    """One moment of a registry."""

    @property
    def seq(self) -> int:
        """The sequence number that the operation will have; 0 on a replica that is no authority."""

    @property
    def was_restored(self) -> bool:
        """Whether the server lost something once, which replicas may bring back however late."""

    def document(self, entity: str) -> Document | None:
        """Return an entity's document, deleted or not."""

    def past(self, operation: str) -> Past | None:
        """Return an operation judged before."""

    def text(self, digest: str) -> str | None:
        """Return a kept text."""

    def open_conflict(self, entity: str, path: str) -> Document | None:
        """Return the unresolved conflict on a value."""

    def holder(self, name: str) -> Document | None:
        """Return the model, not deleted, that holds a name (identity form) now."""

    def generation(self, name: str) -> int | None:
        """Return the newest generation in which a name was given; None if it never was."""

    def aliases_of(self, version: str) -> list[Document]:
        """Return the aliases that point to a version."""

    def next_number(self, model: str, version: str) -> int | None:
        """Return the number that a new version of a model gets; None where it has to wait."""

    def changed_by_others(self, entity: str, since: str | None, by: Operation) -> str | None:
        """Return an operation of another replica than `by` that changed the entity after `since`.

        Where `since` is None or unknown, every change of another replica counts.
        """

    def in_stream(self, stream: str, kind: str) -> list[Document]:
        """Return the documents of a kind that belong to a stream."""

    def about(self, version: str, kind: str) -> list[Document]:
        """Return the check runs, promotion requests or deployments of a version."""

    def deployed_in(self, environment: str) -> list[Document]:
        """Return the deployments of all models in an environment, by its name (identity form)."""

    def person(self, user: str) -> Actor | None:
        """Return somebody with the grants that hold now; None where nobody here knows them.

        One who may do nothing any more has none.
        """

    def contents(self, version: Document) -> Contents:
        """Return what is known of a version's files."""

    def public_key(self, replica: str) -> str | None:
        """Return the key (hex digits) of a replica that may act now; None where nobody knows."""
