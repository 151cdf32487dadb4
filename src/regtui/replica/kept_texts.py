"""Texts that documents name: cards, series and what stands in conflicts.

They stand in `base.text` by their digests, and no row there says who needs it; so what is lost is
found from the documents.
"""

from collections.abc import Iterable

from regtui.core.documents import Document, texts_of
from regtui.replica.database import Connection


def lost_texts(connection: Connection, documents: Iterable[Document]) -> dict[str, str]:
    """Return the digests of texts that documents name and that are not here.

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
