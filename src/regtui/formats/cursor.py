"""Reading a source forwards, each step checked before it is taken.

A `Cursor` keeps one block of the source in memory, so that a header of many small fields costs few
reads and a payload of gigabytes costs none (`skip`). What a file claims is compared with what it
has before anything is allocated: a length beyond the end is `Truncated`, one beyond
`Limits.header_bytes` is `TooMuch`, and `step` counts the records and blocks, so that no claim makes
it slow.

All three are `Malformed`, which never leaves a reader: `unread` makes the answer of it.
"""

import struct
from typing import Any, Final

from regtui.formats.values import LIMITS, Facts, Limits, Source

_BLOCK: Final = 1 << 16
_READ: Final = 20  # steps that reading a block costs
_BYTES_IN_A_STEP: Final = 512


class Malformed(Exception):
    """What a file holds is not what its format says."""


class Truncated(Malformed):
    """The file ends before its format says."""


class TooMuch(Malformed):
    """A file needs more than the limits allow."""


def unread(kind: str, error: Malformed) -> Facts:
    """Return the answer of a reader that could not go on."""
    complete = False if isinstance(error, Truncated) else None
    return Facts(kind, "unread", complete=complete, problem=str(error))


class Cursor:
    """A place in a source that moves forwards.

    Attributes:
        at: The place, in bytes from the start of the source.
        size: The bytes of the source.
        limits: The bounds that it keeps.
    """

    def __init__(
        self, source: Source, at: int = 0, limits: Limits = LIMITS, *, order: str = "<"
    ) -> None:
        self._source = source
        self._block = b""
        self._from = 0
        self._order = order
        self._steps = limits.steps
        self.at = at
        self.size = source.size
        self.limits = limits

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes.

        Raises:
            Malformed: The file ends before, or it is more than the limits allow.
        """
        start = self.at - self._from
        if start < 0 or length < 0 or start + length > len(self._block):
            self._fill(length)
            start = 0
        self.at += length
        return self._block[start : start + length]

    def skip(self, length: int) -> None:
        """Go on by `length` bytes without reading them.

        Raises:
            Truncated: The file ends before.
        """
        if length < 0 or self.at + length > self.size:
            raise Truncated(f"the file ends at byte {self.size}, before what it announces")
        self.at += length

    def step(self, count: int = 1) -> None:
        """Count records.

        Raises:
            TooMuch: There are more than the limits allow.
        """
        self._steps -= count
        if self._steps < 0:
            raise TooMuch("the file has more parts than can be read")

    def unpack(self, code: str) -> tuple[Any, ...]:
        """Return the next fields, by the codes of `struct` and without padding between them.

        Raises:
            Truncated: The file ends before.
        """
        code = self._order + code
        return struct.unpack(code, self.take(struct.calcsize(code)))

    def number(self, code: str) -> Any:
        """Return the next field, by its code of `struct`.

        Raises:
            Truncated: The file ends before.
        """
        return self.unpack(code)[0]

    def uint(self, width: int) -> int:
        """Return the next unsigned number of `width` bytes.

        Raises:
            Truncated: The file ends before.
        """
        order = self._order
        return int.from_bytes(self.take(width), "big" if order == ">" else "little")

    def _fill(self, length: int) -> None:
        if self.at < 0 or length < 0 or self.at + length > self.size:
            raise Truncated(f"the file ends at byte {self.size}, before what it announces")
        if length > self.limits.header_bytes:
            raise TooMuch(f"{length} bytes in one piece are more than can be read")
        self.step(_READ + length // _BYTES_IN_A_STEP)
        self._block = self._source.read(self.at, max(length, _BLOCK))
        self._from = self.at
        if len(self._block) < length:
            raise Truncated(f"the file ended while it was read, at byte {self.at}")
