"""A log of bounded size: the beginning and the end of whatever a command prints."""

import re

HEAD = 64 * 1024
"""Bytes that are kept from the beginning."""

TAIL = 192 * 1024
"""Bytes that are kept from the end."""

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class BoundedLog:
    """What was printed, as far as it is kept."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self.dropped = 0
        """Bytes between beginning and end that are not kept."""

    def add(self, data: bytes) -> None:
        """Take what was printed next."""
        room = HEAD - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        self._tail += data
        if len(self._tail) > 2 * TAIL:
            self._shorten()

    def text(self) -> str:
        """Return it as a text of lines, which can't steer a terminal."""
        self._shorten()
        if not self.dropped:
            return plain_text(bytes(self._head + self._tail))
        told = f"\n[… {self.dropped:,} bytes are left out …]\n"
        return plain_text(bytes(self._head)) + told + plain_text(bytes(self._tail))

    def _shorten(self) -> None:
        over = len(self._tail) - TAIL
        if over > 0:
            del self._tail[:over]
            self.dropped += over


def plain_text(data: bytes) -> str:
    """Return bytes as text without colours and control characters; a line ends with a return."""
    text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", _ESCAPES.sub("", text))
