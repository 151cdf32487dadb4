"""Keeping texts: each once, by its digest.

Nothing else writes to `base.text` of a registry. Rows that older programs wrote there twice stay,
so readers take any of those with a digest.
"""

from collections.abc import Iterable, Iterator

from regtui.replica.database import Connection

PAGE_CHARACTERS = 4 << 20
"""Characters of texts that one statement writes, so that they fit the memory limit. One text alone
may have more."""


def keep(connection: Connection, texts: Iterable[tuple[str, str]]) -> None:
    """Keep texts that are not here yet.

    Args:
        connection: Inside a transaction that also writes what needs them.
        texts: Digest and text of each.
    """
    for page in _pages(texts):
        connection.execute(
            "insert into base.text "
            "select n.digest, n.value "
            "from (select unnest(?::varchar[]) as digest, unnest(?::varchar[]) as value) n "
            "anti join base.text t on t.digest = n.digest",
            [list(page), list(page.values())],
        )


def _pages(texts: Iterable[tuple[str, str]]) -> Iterator[dict[str, str]]:
    page: dict[str, str] = {}
    size = 0
    for digest, text in texts:
        if page and size + len(text) > PAGE_CHARACTERS:
            yield page
            page, size = {}, 0
        page[digest] = text
        size += len(text)
    if page:
        yield page
