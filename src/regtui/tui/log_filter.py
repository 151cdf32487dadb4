"""The filter of the activity: which operations are told, in a few words.

A reference (`team/model`, `team/model@7`, `team/model@champion`, `dataset:NAME`) stands alone or
after `model:`; `author:`, `kind:` and `since:` narrow it down. Each may stand once. What is wrong
knows its place in the line.
"""

import re

from msgspec import Struct

from regtui.core.errors import BadInput, NotFound
from regtui.core.query.errors import QueryError
from regtui.registry.context import Context
from regtui.registry.history import DATASET, LogRequest, wanted_operations

KEYS = {
    "model": "reference",
    "version": "reference",
    "ref": "reference",
    "author": "author",
    "kind": "kind",
    "since": "since",
}
"""The field of a request, by what people call it."""

_WORD = re.compile(r'(?:(?P<key>\w+):)?(?P<value>"(?:[^"]|"")*"?|[^\s"]\S*)?')


class Word(Struct, frozen=True):
    """One word of the filter.

    Attributes:
        field: Of a request.
        value: What is asked for.
        position: Where it starts, in characters.
        length: How many it has.
    """

    field: str
    value: str
    position: int
    length: int


def parse(text: str) -> list[Word]:
    """Return the words of a filter.

    Raises:
        QueryError: It is malformed; it knows where.
    """
    words: list[Word] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        word = _word(text, place)
        if any(word.field == other.field for other in words):
            raise QueryError(f"{_called(word.field)} is given twice", text, place, word.length)
        words.append(word)
        place += word.length
    return words


def request(words: list[Word]) -> LogRequest:
    """Return what the words ask for."""
    return LogRequest(**{word.field: word.value for word in words})


def checked(context: Context, text: str) -> LogRequest:
    """Return what a filter asks for, where there is something of these names.

    Raises:
        QueryError: It is malformed, or there is no such model, version, alias, dataset, person or
            kind; it knows where.
    """
    words = parse(text)
    with context.reading() as connection:
        for word in words:
            try:
                wanted_operations(context, connection, request([word]))
            except (BadInput, NotFound) as error:
                message = error.message.removeprefix("--since ")
                raise QueryError(message, text, word.position, word.length, error.hint) from None
    return request(words)


def _word(text: str, place: int) -> Word:
    found = _WORD.match(text, place)
    if found is None or not found[0]:
        raise QueryError("this is no word", text, place, 1)
    key, value = found["key"], found["value"] or ""
    length = len(found[0])
    if key == DATASET.rstrip(":") and value:
        return Word("reference", DATASET + _plain(value), place, length)
    if key is not None and key not in KEYS:
        raise QueryError(
            f"there is no {key}: here",
            text,
            place,
            len(key),
            "author:, kind:, since:, or a reference such as team/model@7",
        )
    if not _plain(value):
        raise QueryError(f"what is asked for is missing after {key}:", text, place + length, 0)
    return Word("reference" if key is None else KEYS[key], _plain(value), place, length)


def _plain(value: str) -> str:
    """Return a value without its quotes; one within is doubled."""
    if not value.startswith('"'):
        return value
    return value[1:].removesuffix('"').replace('""', '"')


def _called(field: str) -> str:
    return "a reference" if field == "reference" else f"{field}:"
