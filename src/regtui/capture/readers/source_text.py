"""A text file line by line, whatever its size, within bounds."""

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from regtui.capture.run_files import TEXT_LIMIT
from regtui.formats.cursor import TooMuch
from regtui.formats.values import Source

if TYPE_CHECKING:
    from typing_extensions import Buffer

LINES_LIMIT: Final = 1_000_000
_LONGEST: Final = 1 << 20
"""Characters of one line."""


def lines(source: Source, limit: int = LINES_LIMIT) -> Iterator[str]:
    """Yield the lines of a text with their ends; bytes that are no UTF-8 are replaced.

    Args:
        source: The text.
        limit: Lines that it may have.

    Raises:
        TooMuch: The text, a line of it, or the number of lines is beyond the limits.
        OSError: The file could not be read.
    """
    if source.size > TEXT_LIMIT:
        raise TooMuch(f"it has {source.size:,} bytes, more than can be read")
    buffer = io.BufferedReader(_Raw(source), 1 << 16)
    text = io.TextIOWrapper(buffer, "utf-8-sig", "replace", newline="")
    for _ in range(limit):
        line = text.readline(_LONGEST + 1)
        if len(line) > _LONGEST:
            raise TooMuch("a line is longer than can be read")
        if not line:
            return
        yield line
    if text.read(1):
        raise TooMuch(f"it has more than {limit:,} lines")


class _Raw(io.RawIOBase):
    """A source as Python's text layer reads it."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "Buffer", /) -> int:
        view = memoryview(buffer)
        found = self._source.read(self._at, len(view))
        view[: len(found)] = found
        self._at += len(found)
        return len(found)
