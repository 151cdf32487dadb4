"""Files on the wire: a *piece* is what is sent under one digest, for now always a whole file.

An upload is one request whose body is the piece from the byte that `UPLOAD_OFFSET` names on. A body
that ends in order completes the piece; what came of one that was cut is kept, and the next request
goes on where the server says that it stands, or begins anew from byte 0.
"""

import re

from msgspec import Struct

DIGESTS_LIMIT = 10_000
"""Digests that one request may ask for."""

UPLOAD_OFFSET = "Upload-Offset"
"""Header: the first byte that a body carries, and in answers the byte that is waited for."""

_DIGEST = re.compile(r"[0-9a-f]{64}")


class MissingRequest(Struct, frozen=True):
    """Which of these pieces does a stream lack?"""

    digests: list[str]


class MissingAnswer(Struct, frozen=True):
    """The pieces that a stream lacks, in the order in which they were asked for."""

    missing: list[str]


class CopyRequest(Struct, frozen=True, rename={"source": "from"}):
    """Take a piece over from another stream, by its id."""

    source: str


class UploadState(Struct, frozen=True):
    """How an upload stands.

    Attributes:
        offset: Bytes that are there: the next request begins with this one.
        present: Whether the stream has the piece already.
    """

    offset: int
    present: bool


def is_digest(text: str) -> bool:
    """Tell whether a text is a digest: 64 lower-case hex digits."""
    return _DIGEST.fullmatch(text) is not None
