"""The values that a pickle would make, without making them.

Plain constants stand for themselves: None, bool, int, float, str and bytes. A tuple is a tuple of
values. What could grow, call or be changed has a class of its own here. Values are compared by
identity only and never hashed by content, for a hostile pickle nests and shares them as it likes.
"""

from collections.abc import Iterator
from typing import TypeAlias

Symbol: TypeAlias = (
    "bool | int | float | str | bytes | tuple[Symbol, ...] | Global | Made | Persistent | Blob"
    " | Items | Pairs | None"
)


class Global:
    """Something that loading imports: a class or function."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    @property
    def path(self) -> str:
        """Its module and name, joined by a dot."""
        return f"{self.module}.{self.name}"


class Made:
    """The result of calling something.

    Attributes:
        by: What is called: a `Global`, unless the pickle plays tricks.
        arguments: What it is called with; one value where that isn't a tuple.
        state: What the last BUILD gives it.
        builds: How often it is given a state.
        items: What is appended to it.
        pairs: What is set in it, key after value.
        array: What a reader found to lie in the stream right behind it.
    """

    __slots__ = ("arguments", "array", "builds", "by", "items", "pairs", "state")

    def __init__(self, by: Symbol, arguments: Symbol) -> None:
        self.by = by
        self.arguments = arguments
        self.state: Symbol = None
        self.builds = 0
        self.items: list[Symbol] | None = None
        self.pairs: Pairs | None = None
        self.array: object = None

    @property
    def path(self) -> str:
        """The name of what made it, empty if that has none."""
        return self.by.path if isinstance(self.by, Global) else ""

    def argument(self, place: int) -> Symbol:
        """Return one argument, None where there is none."""
        given = self.arguments
        return given[place] if isinstance(given, tuple) and len(given) > place else None


class Persistent:
    """Something that the loader is asked for by an id of its own, such as a storage of torch."""

    __slots__ = ("id",)

    def __init__(self, id: Symbol) -> None:  # noqa: A002 - pickle's own name for it
        self.id = id


class Blob:
    """A text, number or run of bytes that is too long to hold, or not certain.

    Attributes:
        kind: `text`, `bytes` or `int`, which is also a number that loaders read differently.
        offset: Where it lies in the source, None when it can't be read there.
        size: Bytes.
    """

    __slots__ = ("kind", "offset", "size")

    def __init__(self, kind: str, offset: int | None, size: int) -> None:
        self.kind = kind
        self.offset = offset
        self.size = size


class Items:
    """A list or set."""

    __slots__ = ("values",)

    def __init__(self, values: list[Symbol] | None = None) -> None:
        self.values = [] if values is None else values


class Pairs:
    """A dictionary as it was written: keys may repeat, and the last one counts."""

    __slots__ = ("flat",)

    def __init__(self, flat: list[Symbol] | None = None) -> None:
        self.flat = [] if flat is None else flat  # key, value, key, value …

    def __iter__(self) -> Iterator[tuple[Symbol, Symbol]]:
        """Go through the pairs in the order of the file."""
        flat = iter(self.flat)
        return zip(flat, flat, strict=True)

    def texts(self) -> dict[str, Symbol]:
        """Return the values whose keys are texts."""
        return {key: value for key, value in self if isinstance(key, str)}
