"""Digests of many parts of a file, in one pass over its bytes.

Parts come in *rows*: within a row they are sorted and lie apart, so one hasher a row is enough
whatever their number. Pieces are one row, tensors another. The file is read in blocks, once; the
calling thread reads a block and hashes the first row while a second thread hashes the other rows
of the block before. blake3 works without the interpreter's lock, so the two really run at once.

Memory is two blocks, whatever the size of file and parts.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias

from blake3 import blake3

from regtui.artifacts.file_source import FileSource

BLOCK = 4 << 20
"""Bytes that are read at a time."""

Span: TypeAlias = tuple[int, int]
"""Offset and length in bytes; the length is not 0."""

_WORTH_A_THREAD = 1 << 20


def digests(source: FileSource, rows: Sequence[Sequence[Span]]) -> list[dict[Span, str]]:
    """Return the blake3 digest of every part, row by row.

    Args:
        source: The file.
        rows: Parts inside the file, sorted and apart within each row.

    Raises:
        OSError: The file could not be read, or ends before a part does.
    """
    hashed = [_Row(row) for row in rows]
    first, others = hashed[0], [row for row in hashed[1:] if row.spans]
    begin = min((row[0][0] for row in rows if row), default=0)
    end = max((sum(row[-1]) for row in rows if row), default=0)
    if others and end - begin >= _WORTH_A_THREAD:
        with ThreadPoolExecutor(1, thread_name_prefix="layout") as second:
            _pass(source, (begin, end), first, others, second)
    else:
        _pass(source, (begin, end), first, others, None)
    return [row.found for row in hashed]


class _Row:
    """Parts that lie apart, hashed as their bytes come by."""

    def __init__(self, spans: Sequence[Span]) -> None:
        self.spans = spans
        self.found: dict[Span, str] = {}
        self._next = 0
        self._hasher: blake3 | None = None

    def feed(self, at: int, block: memoryview) -> None:
        """Take the bytes of the file from `at`, which follow those that were taken before."""
        end = at + len(block)
        while self._next < len(self.spans):
            offset, length = self.spans[self._next]
            if offset >= end:
                return
            if self._hasher is None:
                self._hasher = blake3()
            self._hasher.update(block[max(offset - at, 0) : offset + length - at])
            if offset + length > end:
                return
            self.found[self.spans[self._next]] = self._hasher.hexdigest()
            self._hasher = None
            self._next += 1


def _pass(
    source: FileSource,
    span: Span,
    first: _Row,
    others: Sequence[_Row],
    second: ThreadPoolExecutor | None,
) -> None:
    begin, end = span
    size = min(BLOCK, end - begin)
    buffers = [memoryview(bytearray(size)) for _ in range(1 if end - begin <= size else 2)]
    running: Future[None] | None = None
    for turn, at in enumerate(range(begin, end, BLOCK)):
        block = buffers[turn % 2][: end - at]
        source.fill(at, block)
        if running is not None:
            running.result()
        if second is not None:
            running = second.submit(_feed, others, at, block)
        else:
            _feed(others, at, block)
        first.feed(at, block)
    if running is not None:
        running.result()


def _feed(rows: Sequence[_Row], at: int, block: memoryview) -> None:
    for row in rows:
        row.feed(at, block)
