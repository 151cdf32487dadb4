"""A dotted name as a chain of keys, which costs one link for each and is joined only when told.

A pickle of half a megabyte can hold half a million values under a key of four thousand letters;
their names in full would be gigabytes.
"""


class DottedName:
    """The name of one place in nested values.

    Attributes:
        length: Of the name in full.
    """

    __slots__ = ("above", "key", "length")

    def __init__(self, key: str, above: "DottedName | None" = None) -> None:
        self.key = key
        self.above = above
        self.length: int = len(key) + (above.length + 1 if above else 0)

    def under(self, key: str) -> "DottedName":
        """Return the name of what has `key` within this place; without a key it is the same."""
        if not key:
            return self
        return DottedName(key, self if self.length else None)

    def __str__(self) -> str:
        keys = []
        name: DottedName | None = self
        while name is not None:
            keys.append(name.key)
            name = name.above
        return ".".join(reversed(keys))
