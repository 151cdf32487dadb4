"""Origins: what versions were made from, and where they were found."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers_compare import LineageAnswer, PlaceAnswer
    from regtui.registry.answers_records import DatasetAnswer, MadeFrom


class OriginVerbs(Verbs):
    """Tell what versions were made from, and change it."""

    def lineage(
        self, reference: str, *, up: bool = True, down: bool = True, depth: int | None = None
    ) -> "LineageAnswer":
        """Return what a version was made from, and what was made from it.

        Args:
            reference: The version.
            up: Whether ancestors are wanted.
            down: Whether descendants are wanted.
            depth: Steps to go; None for all.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference is malformed or names a model.
        """
        from regtui.registry import lineage

        return lineage.lineage(self.context, reference, up=up, down=down, depth=depth)

    def places(self, reference: str) -> "list[PlaceAnswer]":
        """Return the places where a version's content was found, oldest first, with their context.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference is malformed or names a model.
        """
        from regtui.registry import surroundings

        return surroundings.places(self.context, reference)

    def origins(
        self,
        reference: str,
        *,
        inputs: Mapping[str, str | None] | None = None,
        parents: Iterable[str] = (),
        without: Iterable[str] = (),
    ) -> dict[str, Any]:
        """Return what `edit` has to set for a version to have been made from these.

        Args:
            reference: The version.
            inputs: Address by name; None takes over that of the dataset of this name.
            parents: References of versions that it was made from.
            without: References of versions that it was not made from.

        Raises:
            NotFound: There is no such version or dataset.
            BadInput: It is a model, or a parent of itself.
        """
        from regtui.registry import origins

        return origins.origins(
            self.context, reference, inputs=inputs or {}, parents=parents, without=without
        )

    def put_dataset(self, name: str, values: Mapping[str, Any]) -> "tuple[DatasetAnswer, bool]":
        """Make a dataset known, or change what is known of it; tell whether anything changed.

        Args:
            name: Its name, such as `team/reviews`.
            values: Value by path: `uri`, `digest`, `description`, `tags/NAME`; None takes it away.

        Raises:
            BadInput: The name or a value is malformed, or a new one has no address.
        """
        from regtui.registry import datasets

        return datasets.put_dataset(self.context, name, values)

    def remove_dataset(self, name: str) -> "DatasetAnswer":
        """Remove a dataset; versions that were made from it keep its address.

        Raises:
            NotFound: There is no such dataset.
        """
        from regtui.registry import datasets

        return datasets.remove_dataset(self.context, name)

    def datasets(self, pattern: str | None = None) -> "list[DatasetAnswer]":
        """Return the datasets, by name.

        Args:
            pattern: A name, a name's beginning up to a `/`, or a glob with `*`.
        """
        from regtui.registry import datasets

        return datasets.datasets(self.context, pattern)

    def dataset(self, name: str) -> "DatasetAnswer":
        """Return one dataset.

        Raises:
            NotFound: There is no such dataset.
        """
        from regtui.registry import datasets

        return datasets.dataset(self.context, name)

    def made_from(self, name: str) -> "list[MadeFrom]":
        """Return the versions that were made from a dataset, by model and number.

        Raises:
            NotFound: There is no such dataset.
        """
        from regtui.registry import datasets

        return datasets.made_from(self.context, name)
