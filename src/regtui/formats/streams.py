"""Bytes read once, from front to back, with large stretches left out.

A pickle is read through a `Stream`: from a file, where a skip costs nothing, or from a compressed
one (`compressed.py`), where a skip unpacks and forgets. No more than one chunk is held beside what
`take` returns, and callers bound what they take.

Failure: `Ended` when the bytes end too early, `Excess` when a bound of the reading is reached.
"""

from typing import Final

from regtui.formats.values import Source

CHUNK: Final = 256 << 10
LONGEST_LINE: Final = 2 << 30  # of a pickle; one of text may be a whole array
_FIRST: Final = 16 << 10  # most pickles are small, and so are most questions about a head


class Unreadable(Exception):
    """The content is not what it seems to be; the message says why in one sentence."""


class Ended(Unreadable):
    """The bytes end before their format does."""


class Excess(Unreadable):
    """More than the limits of one reading allow."""


class Stream:
    """A place in a run of bytes. Use one of its kinds."""

    seekable: bool = False
    """Whether a position is also an offset in a source that can be read there again."""

    def __init__(self, position: int = 0) -> None:
        self._buffer = b""
        self._at = 0
        self._base = position
        self.broken = False

    @property
    def position(self) -> int:
        """How many bytes are behind us."""
        return self._base + self._at

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes.

        Raises:
            Ended: There are fewer.
        """
        at = self._at
        end = at + length
        if end <= len(self._buffer):
            self._at = end
            return self._buffer[at:end]
        parts = [self._buffer[at:]]
        missing = end - len(self._buffer)
        while missing > 0:
            self._turn()
            parts.append(self._buffer[:missing])
            missing -= len(parts[-1])
        self._at = len(parts[-1])
        return b"".join(parts)

    def peek(self, length: int) -> bytes:
        """Return the next bytes without passing them: `length`, or fewer at the end."""
        while len(self._buffer) - self._at < length:
            more = self._more()
            if not more:
                break
            rest = self._buffer[self._at :]
            self._base += self._at
            self._buffer, self._at = rest + more, 0
        return self._buffer[self._at : self._at + length]

    def line(self, longest: int) -> tuple[bytes, int]:
        r"""Pass the bytes up to and with the next `\n`.

        At the end of all bytes some loaders take what there is, less one byte, for a line. So it is
        here, and `broken` is set.

        Returns:
            What is before it, or just the start if that is longer than `longest`; its length.

        Raises:
            Excess: It is longer than any line of an honest file.
        """
        kept = b""
        length = 0
        while True:
            found = self._buffer.find(b"\n", self._at)
            end = found if found >= 0 else len(self._buffer)
            kept += self._buffer[self._at : min(end, self._at + max(0, longest - len(kept)))]
            length += end - self._at
            if length > LONGEST_LINE:
                raise Excess("a line is longer than can be read")
            if found >= 0:
                self._at = found + 1
                return kept, length
            self._at = len(self._buffer)
            if self.ended():
                self.broken = True
                return (kept[:-1] if length <= longest else kept), length - 1

    def skip(self, length: int) -> None:
        """Pass the next `length` bytes.

        Raises:
            Ended: There are fewer.
        """
        while length > len(self._buffer) - self._at:
            length -= len(self._buffer) - self._at
            self._turn()
        self._at += length

    def ended(self) -> bool:
        """Tell whether nothing follows."""
        return not self.peek(1)

    def fork(self, position: int) -> "Stream":
        """Return a second stream that starts at `position`."""
        raise NotImplementedError

    def _turn(self) -> None:
        """Replace the buffer by the bytes after it."""
        more = self._more()
        if not more:
            raise Ended("it ends too early")
        self._base += len(self._buffer)
        self._buffer, self._at = more, 0

    def _more(self) -> bytes:
        """Return the bytes after the buffer, empty at the end."""
        raise NotImplementedError


class SourceStream(Stream):
    """The bytes of a source from `position` on."""

    seekable = True

    def __init__(self, source: Source, position: int = 0) -> None:
        super().__init__(position)
        self._source = source

    def skip(self, length: int) -> None:
        """Pass the next `length` bytes without reading them.

        Raises:
            Ended: There are fewer.
        """
        target = self.position + length
        if target > self._source.size:
            raise Ended("it ends too early")
        if target - self._base <= len(self._buffer):
            self._at = target - self._base
        else:
            self._base, self._buffer, self._at = target, b"", 0

    def fork(self, position: int) -> Stream:
        """Return a second stream that starts at `position`."""
        return SourceStream(self._source, position)

    def left(self) -> int:
        """Return how many bytes follow."""
        return self._source.size - self.position

    def _more(self) -> bytes:
        return self._source.read(self._base + len(self._buffer), CHUNK if self._buffer else _FIRST)
