"""The characters of a query, one after the other.

A scanner is a position in the text that only moves forward, and the few questions that the parser
asks about what stands there. It is where every complaint gets its place in the text.
"""

from typing import NoReturn

from regtui.core.query.errors import QueryError

QUOTE = '"'
OPERATORS = ("!=", ">=", "<=", ">", "<", "=", ":")


class Scanner:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def phrase(self) -> str:
        """Read a quoted phrase; a doubled quote in it is a quote."""
        start = self.position
        end = self.text.find(QUOTE, start + 1)
        while end >= 0 and self.text[end + 1 : end + 2] == QUOTE:
            end = self.text.find(QUOTE, end + 2)
        if end < 0:
            self.fail("this quote is not closed", start)
        self.position = end + 1
        return self.text[start + 1 : end].replace(QUOTE * 2, QUOTE)

    def operator_here(self) -> str | None:
        """Return the operator that stands here."""
        for operator in OPERATORS:
            if self.text.startswith(operator, self.position):
                return operator
        return None

    def operator(self) -> str | None:
        """Move over the operator that stands here and return it."""
        operator = self.operator_here()
        self.position += len(operator or "")
        return operator

    def peek(self) -> str:
        """Return the character here; empty at the end."""
        return self.text[self.position : self.position + 1]

    def take(self, char: str) -> bool:
        """Move over the character if it stands here; say whether it did."""
        taken = self.peek() == char
        self.position += taken
        return taken

    def at_end_of_word(self) -> bool:
        """Say whether a space or the end is here."""
        char = self.peek()
        return not char or char.isspace()

    def skip_spaces(self) -> bool:
        """Move to the next character that is no space; say whether there is one."""
        while (char := self.peek()).isspace():
            self.position += 1
        return bool(char)

    def check_characters(self) -> None:
        """Refuse what can't be written as UTF-8: it could be neither stored nor searched for."""
        try:
            self.text.encode()
        except UnicodeEncodeError as error:
            self.fail("this character is no valid text", error.start)

    def fail(self, message: str, position: int, length: int = 1, hint: str = "") -> NoReturn:
        """Complain about the characters from the position on."""
        raise QueryError(message, self.text, position, length, hint)
