"""The one error of the query language: a sentence and the place in the query that it is about."""

from regtui.core.errors import BadInput


class QueryError(BadInput):
    """A query that can't be understood.

    Args:
        message: What is wrong, in one sentence without the final full stop.
        query: The whole query.
        position: Where the faulty piece starts, in characters.
        length: How many characters it has; 0 when something is missing there.
        hint: What to write instead.
    """

    def __init__(
        self, message: str, query: str, position: int, length: int, hint: str = ""
    ) -> None:
        super().__init__(printable(message), printable(hint))
        self.query = query
        self.position = position
        self.length = length

    @property
    def pointer(self) -> str:
        """The query with a line below it whose `^` stands under the faulty piece."""
        before = printable(self.query[: self.position])
        return f"{printable(self.query)}\n{' ' * _columns(before)}^"


def printable(text: str) -> str:
    """Return the text with every control character and lone surrogate as one visible cell."""
    return "".join(char if char.isprintable() else _stand_in(char) for char in text)


def _stand_in(char: str) -> str:
    return " " if char.isspace() else "\N{REPLACEMENT CHARACTER}"


def _columns(text: str) -> int:
    """Return how many terminal columns the text takes."""
    import unicodedata

    def width(char: str) -> int:
        if unicodedata.combining(char) or unicodedata.category(char) in {"Mn", "Me"}:
            return 0
        return 2 if unicodedata.east_asian_width(char) in {"W", "F"} else 1

    return sum(width(char) for char in text)
