"""Keeping texts: each once, by its digest.

Nothing else writes to `base.text` of a registry. Rows that older programs wrote there twice stay,
so readers take any of those with a digest. No row there says who needs it; so what is lost is found
from the documents, which name cards, series and what stands in conflicts.
"""

from collections.abc import Container, Iterable, Iterator

from regtui.core.documents import Document, named_texts, texts_of
from regtui.core.operations import CaptureBody, decode_operation
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


def lost_texts(connection: Connection, documents: Iterable[Document]) -> dict[str, str]:
    """Return the texts that documents name and that are not here.

    Returns:
        Id of a document that names it, by digest, sorted.
    """
    wanted = {digest: document.id for document in documents for digest in texts_of(document)}
    if not wanted:
        return {}
    rows = connection.execute(
        "select distinct digest from base.text where digest in (select unnest(?::varchar[]))",
        [list(wanted)],
    ).fetchall()
    return {digest: wanted[digest] for digest in sorted(wanted.keys() - {row[0] for row in rows})}


def forget_unnamed(connection: Connection, gone: Container[str]) -> None:
    """Let go of texts that no stream names any more and no operation in the outbox brings.

    An own edit of a text is kept with the words of others in it, and belongs to no stream before it
    is accepted.

    Args:
        connection: Inside a transaction, with streams' own texts gone already.
        gone: Streams that may not be read any more.
    """
    # Reading starts without the judge's modules.
    from regtui.core.judgement.shape import entity_kind

    named: set[str] = set()
    for (data,) in connection.execute("select bytes from base.outbox").fetchall():
        operation = decode_operation(data.encode())
        changes = operation.body.set
        named |= named_texts(entity_kind(operation), ((p, one.to) for p, one in changes.items()))
        if isinstance(operation.body, CaptureBody):
            named.add(operation.body.digest)
        if operation.stream not in gone:
            named |= {one.was for one in changes.values() if one.was is not None}
    connection.execute(
        "delete from base.text where digest not in (select digest from base.text_of) "
        "and digest not in (select unnest(?::varchar[]))",
        [sorted(named)],
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
