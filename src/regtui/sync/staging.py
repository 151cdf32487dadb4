"""Staging: the pages of a walk are kept aside until it ends.

A page has megabytes, and a database that writes a checkpoint holds some thousand values of a column
in memory at once. So a page is cut into short pieces, a row each. It is packed before that, since
whatever is kept is written again by checkpoints to come, several times in a long walk.
"""

import binascii
from collections.abc import Iterator

import msgspec

from regtui.replica.database import Connection
from regtui.wire.messages import Answer

PIECE = 2_000
"""Characters of one row."""

_PIECES = 1 << 20
"""Pieces that a page may have: the column `page` counts both, as `page * _PIECES + piece`."""

_answers = msgspec.json.Decoder(Answer)


def stage(connection: Connection, answer: Answer) -> None:
    """Keep a page behind those that are kept already, inside the caller's transaction."""
    text = _packed(msgspec.json.encode(answer))
    pieces = [text[start : start + PIECE] for start in range(0, len(text), PIECE)]
    connection.execute(
        "insert into base.staged "
        "select (select coalesce(max(page), 0) // ? + 1 from base.staged) * ? + i, piece "
        "from (select unnest(?::varchar[]) as piece, unnest(range(?)) as i)",
        [_PIECES, _PIECES, pieces, len(pieces)],
    )


def staged_answers(connection: Connection) -> Iterator[Answer]:
    """Yield the kept pages in their order, one at a time: there may be many."""
    row = connection.execute("select coalesce(max(page), 0) from base.staged").fetchone()
    last = 0 if row is None else int(row[0])
    for page in range(last // _PIECES + 1):
        pieces = connection.execute(
            "select body from base.staged where page >= ? and page < ? order by page",
            [page * _PIECES, (page + 1) * _PIECES],
        ).fetchall()
        if page == 0:  # an earlier release kept each page in one piece
            yield from (_answers.decode(body) for (body,) in pieces)
        else:
            yield _answers.decode(_unpacked("".join(body for (body,) in pieces)))


def unstage(connection: Connection) -> None:
    """Let go of what is kept."""
    connection.execute("delete from base.staged")


def _packed(page: bytes) -> str:
    import zstandard  # only who reads a walk of several pages needs it

    packed = zstandard.ZstdCompressor(level=1).compress(page)
    return binascii.b2a_base64(packed, newline=False).decode()


def _unpacked(text: str) -> str | bytes:
    """Return a page; an earlier release kept it as it is, and its JSON is no base64."""
    if text.startswith("{"):
        return text
    import zstandard

    return zstandard.ZstdDecompressor().decompress(binascii.a2b_base64(text))
