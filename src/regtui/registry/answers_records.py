"""Answers about comments and datasets, in the shapes that scripts rely on (`docs/scripting.md`)."""

from msgspec import Struct


class CommentAnswer(Struct, frozen=True, kw_only=True):
    """What somebody said about a model or version.

    Attributes:
        id: UUID.
        model: Name of the model.
        number: Of the version it is about; None where it is about the model.
        version_id: UUID of that version.
        text: One line or more.
        author: Name of who said it.
        created: When.
        edited: When its author changed it last; None if never.
        state: `posted` or `withdrawn`.
    """

    id: str
    model: str
    number: int | None
    version_id: str | None
    text: str
    author: str
    created: str
    edited: str | None
    state: str


class DatasetAnswer(Struct, frozen=True, kw_only=True):
    """What is known of a dataset.

    Attributes:
        dataset: Its name.
        id: UUID.
        uri: Where it is.
        digest: Of its content, in whatever form its owner has one; None without one.
        description: One line or more; None without one.
        tags: Value by name.
        versions: How many versions were made from it, deleted ones not counted.
        state: `active` or `deleted`.
        created: When it was made known.
        author: Who made it known.
    """

    dataset: str
    id: str
    uri: str
    digest: str | None
    description: str | None
    tags: dict[str, str]
    versions: int
    state: str
    created: str
    author: str


class MadeFrom(Struct, frozen=True, kw_only=True):
    """A version that was made from a dataset, and the name of that input there.

    Attributes:
        model: Name of its model.
        number: 1, 2, 3 …; None until an authority has given one.
        version_id: UUID.
        short_id: `:` and the leading hex digits of the id.
        state: `captured` or `archived`.
        input: Name under which the version names the dataset.
        current: Whether it names the address and digest that the dataset has now.
    """

    model: str
    number: int | None
    version_id: str
    short_id: str
    state: str
    input: str
    current: bool

    @property
    def reference(self) -> str:
        """The shortest name that means this version for ever."""
        return self.short_id if self.number is None else f"{self.model}@{self.number}"
