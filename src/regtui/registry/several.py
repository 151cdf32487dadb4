"""Several versions at once: what the verbs that change them in one unit of work share."""

import contextlib
from collections.abc import Iterable, Iterator

from regtui.core.documents import Document
from regtui.core.errors import RegtuiError
from regtui.registry.references import find_version
from regtui.replica.database import Connection


def versions_named(
    connection: Connection, references: Iterable[str]
) -> Iterator[tuple[str, Document]]:
    """Yield each version once, with the first reference that names it.

    Raises:
        NotFound: There is no such version.
        BadInput: A reference is malformed, or names a model.
    """
    known: set[int] = set()
    for reference in references:
        key, document = find_version(connection, reference)
        if key not in known:
            known.add(key)
            yield reference, document


@contextlib.contextmanager
def telling(doing: str) -> Iterator[None]:
    """Put in front of an error what could not be done, where that is one of several things."""
    try:
        yield
    except RegtuiError as error:
        raise type(error)(f"{doing}: {error.message}", error.hint) from None
