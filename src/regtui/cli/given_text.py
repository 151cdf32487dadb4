"""Text from a file or from standard input, no more of it than can be meant."""

import sys
from pathlib import Path

from regtui.core.errors import BadInput, NotFound

LIMIT = 4 << 20
"""Bytes of a text, unless told otherwise; one that is kept in the registry has fewer."""


def read_given(path: str, *, limit: int = LIMIT, option: str | None = None) -> str:
    """Return the text of a file, its lines ended as everywhere; `-` is standard input.

    Args:
        path: Of the file.
        limit: Bytes that it may have; no more of them is read.
        option: That named it; None where it is an argument.

    Raises:
        NotFound: There is no such file, and it is an argument.
        BadInput: It can't be read, has more, or is not UTF-8.
    """
    name = "standard input" if path == "-" else path
    name = name if option is None else f"{option} {path}"
    try:
        if path == "-":
            data = sys.stdin.buffer.read(limit + 1)
        else:
            with Path(path).open("rb") as file:
                data = file.read(limit + 1)
    except (OSError, ValueError) as error:
        if isinstance(error, FileNotFoundError) and option is None:
            raise NotFound(f"there is no file {path}", "name a text file") from None
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(f"can't read {name}: {reason}", "name a text file") from None
    if len(data) > limit:
        raise BadInput(f"{name} has more than {limit:,} bytes")
    try:
        return data.decode().replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        raise BadInput(f"{name} is not written in UTF-8", "give a text") from None
