"""A view with what an operation does on top, for gates that look at the state after it."""

from collections.abc import Mapping

from regtui.core.access import Actor
from regtui.core.documents import Document
from regtui.core.operations import Operation
from regtui.core.view import Contents, Past, View


class Overlay:
    """A `View` that shows changed documents in the place of those that it stands on.

    Args:
        view: The registry right before an operation.
        changed: The documents as the operation leaves them, by id.
        texts: The texts that it brings, by digest.
    """

    def __init__(
        self, view: View, changed: Mapping[str, Document], texts: Mapping[str, str]
    ) -> None:
        self._view = view
        self._changed = changed
        self._texts = texts

    @property
    def seq(self) -> int:
        """The sequence number that the operation will have."""
        return self._view.seq

    @property
    def was_restored(self) -> bool:
        """Whether the server lost something once."""
        return self._view.was_restored

    def document(self, entity: str) -> Document | None:
        """Return an entity's document."""
        return self._changed.get(entity) or self._view.document(entity)

    def past(self, operation: str) -> Past | None:
        """Return an operation judged before."""
        return self._view.past(operation)

    def text(self, digest: str) -> str | None:
        """Return a kept text."""
        return self._texts.get(digest) or self._view.text(digest)

    def open_conflict(self, entity: str, path: str) -> Document | None:
        """Return the unresolved conflict on a value."""
        found = self._view.open_conflict(entity, path)
        now = None if found is None else self._changed.get(found.id, found)
        if now is not None and now.value("resolution") is None:
            return now
        return next(
            (
                one
                for one in self._changed.values()
                if one.kind == "conflict"
                and (one.facts["of"], one.facts["path"]) == (entity, path)
                and one.value("resolution") is None
            ),
            None,
        )

    def holder(self, name: str) -> Document | None:
        """Return the model that holds a name."""
        return self._view.holder(name)

    def generation(self, name: str) -> int | None:
        """Return the newest generation in which a name was given."""
        return self._view.generation(name)

    def aliases_of(self, version: str) -> list[Document]:
        """Return the aliases that point to a version."""
        found = [one for one in self._view.aliases_of(version) if one.id not in self._changed]
        mine = [one for one in self._changed.values() if one.kind == "alias"]
        return found + [one for one in mine if one.value("version") == version]

    def next_number(self, model: str, version: str) -> int | None:
        """Return the number that a new version gets."""
        return self._view.next_number(model, version)

    def changed_by_others(self, entity: str, since: str | None, by: Operation) -> str | None:
        """Return an operation of another replica that changed the entity."""
        return self._view.changed_by_others(entity, since, by)

    def in_stream(self, stream: str, kind: str) -> list[Document]:
        """Return the documents of a kind that belong to a stream."""
        return self._over(
            self._view.in_stream(stream, kind),
            [one for one in self._changed.values() if (one.stream, one.kind) == (stream, kind)],
        )

    def about(self, version: str, kind: str) -> list[Document]:
        """Return the check runs, requests or deployments of a version."""
        mine = [one for one in self._changed.values() if one.kind == kind]
        return self._over(
            self._view.about(version, kind),
            [one for one in mine if one.facts.get("version") == version],
        )

    def deployed_in(self, environment: str) -> list[Document]:
        """Return the deployments of all models in an environment."""
        mine = [one for one in self._changed.values() if one.kind == "deployment"]
        return self._over(
            self._view.deployed_in(environment),
            [one for one in mine if one.facts["environment_name"] == environment],
        )

    def person(self, user: str) -> Actor | None:
        """Return somebody with the grants that hold now."""
        return self._view.person(user)

    def contents(self, version: Document) -> Contents:
        """Return what is known of a version's files."""
        return self._view.contents(version)

    def public_key(self, replica: str) -> str | None:
        """Return the key of a replica."""
        return self._view.public_key(replica)

    def _over(self, found: list[Document], mine: list[Document]) -> list[Document]:
        return [one for one in found if one.id not in self._changed] + mine
