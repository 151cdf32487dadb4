"""Compressed streams, unpacked as far as they are read.

zlib, gzip, bzip2, xz and lzma, which joblib and people write pickles into. A chunk of at most
256 KiB is unpacked at a time and nothing is kept, so an array of any size passes through.

Invariants: no more is unpacked than 32 times the compressed size, and `Limits.header_bytes` beyond
it for all streams of a reading together; honest weights shrink by far less, and a bomb ends there.
Several streams in a row count as one, as gzip, bzip2 and xz define it and their loaders read it:
zeros may lie between those of gzip, and a loader of xz goes on with lzma and back.

Failure: `Excess` at the bound, `Ended` where the compressed bytes end too early, `Unreadable` where
they are damaged. lz4 is known and not unpacked: the standard library can't.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Final, Protocol

from regtui.formats.reading import Reading
from regtui.formats.streams import CHUNK, Ended, Stream, Unreadable
from regtui.formats.values import Source

_RATIO: Final = 32
_XZ_MEMORY: Final = 128 << 20  # the dictionary that an xz file may ask for
_READ: Final = 64 << 10
_STREAM: Final = 100  # steps that a stream costs at least, for its bytes are read again
_EITHER: Final = {"xz", "lzma"}  # one loader reads both
_OLD: Final = b"ZF0x"  # joblib before 0.10: the unpacked size in 19 characters, then zlib
_OLD_START: Final = 21


class Unpacker(Protocol):
    """What unpacks one compressed stream."""

    @property
    def eof(self) -> bool:
        """Whether the stream is over."""

    @property
    def unused_data(self) -> bytes:
        """What was given of the bytes behind it."""

    def unpack(self, data: bytes, most: int) -> bytes:
        """Take packed bytes and return at most `most` unpacked ones."""

    @property
    def hungry(self) -> bool:
        """Whether it needs more packed bytes to go on."""


class _Zlib:
    """zlib's own interface hands back what it did not take."""

    def __init__(self, bits: int) -> None:
        self._inner = zlib.decompressobj(bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return not self._inner.unconsumed_tail

    def unpack(self, data: bytes, most: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, most)


class _Inner:
    """bzip2 and xz keep what they did not take themselves."""

    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def hungry(self) -> bool:
        return self._inner.needs_input

    def unpack(self, data: bytes, most: int) -> bytes:
        return self._inner.decompress(data, most)


_KINDS: Final[tuple[tuple[bytes, str, Callable[[], Unpacker] | None], ...]] = (
    (b"\x1f\x8b", "gzip", lambda: _Zlib(16 + zlib.MAX_WBITS)),
    (b"BZh", "bzip2", lambda: _Inner(bz2.BZ2Decompressor())),
    (
        b"\xfd7zXZ\x00",
        "xz",
        lambda: _Inner(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)),
    ),
    (
        b"]\x00",
        "lzma",
        lambda: _Inner(lzma.LZMADecompressor(lzma.FORMAT_ALONE, memlimit=_XZ_MEMORY)),
    ),
    (b"\x04\x22\x4d\x18", "lz4", None),
    (b"ZF0x", "zlib", lambda: _Zlib(zlib.MAX_WBITS)),
    (b"x\x01", "zlib", lambda: _Zlib(zlib.MAX_WBITS)),
    (b"x\x5e", "zlib", lambda: _Zlib(zlib.MAX_WBITS)),
    (b"x\x9c", "zlib", lambda: _Zlib(zlib.MAX_WBITS)),
    (b"x\xda", "zlib", lambda: _Zlib(zlib.MAX_WBITS)),
)


def kind_of(head: bytes) -> str | None:
    """Return the name of the compression that a file starts with, None if it is none of ours."""
    return next((name for magic, name, _ in _KINDS if head.startswith(magic)), None)


class CompressedStream(Stream):
    """The unpacked bytes of a source.

    Args:
        source: What is compressed.
        reading: Bounds how much is unpacked.
        position: How many unpacked bytes to pass.

    Raises:
        Unreadable: It is packed in a way that can't be read here, or ends before `position`.
    """

    def __init__(self, source: Source, reading: Reading, position: int = 0) -> None:
        super().__init__()
        head = source.read(0, 8)
        found = next((kind for kind in _KINDS if head.startswith(kind[0])), None)
        if found is None or found[2] is None:
            name = found[1] if found else "an unknown way"
            raise Unreadable(f"it is compressed with {name}, which can't be read here")
        self._name, self._make = found[1], found[2]
        self._source = source
        self._reading = reading
        self._next = _OLD_START if head.startswith(_OLD) else 0
        self._left = _RATIO * source.size
        self._unpacker = self._make()
        if position:
            self.skip(position)

    def fork(self, position: int) -> Stream:
        """Return a second stream at `position`; it unpacks everything again."""
        return CompressedStream(self._source, self._reading, position)

    def _more(self) -> bytes:
        data = self._unpacked()
        self._left -= len(data)
        if self._left < 0:
            self._reading.unpack(-self._left)
            self._left = 0
        return data

    def _unpacked(self) -> bytes:
        while True:
            if self._unpacker.eof and not self._renew():
                return b""
            packed = self._packed() if self._unpacker.hungry else b""
            data = self._unpack(packed)
            if data:
                return data
            if not packed and not self._unpacker.eof and self._unpacker.hungry:
                raise Ended(f"the {self._name} file ends too early")

    def _unpack(self, packed: bytes) -> bytes:
        try:
            return self._unpacker.unpack(packed, CHUNK)
        except (OSError, zlib.error, lzma.LZMAError, EOFError, ValueError) as error:
            raise Unreadable(f"it is a damaged {self._name} file") from error

    def _renew(self) -> bool:
        """Go on with the stream behind this one, if its loader would."""
        start = self._next - len(self._unpacker.unused_data)
        if self._name == "gzip":
            start = self._behind_zeros(start)
        head = self._source.read(start, 8)
        following = next((kind for kind in _KINDS if head.startswith(kind[0])), None)
        if following is None or following[2] is None:
            return False
        if following[1] != self._name and {following[1], self._name} != _EITHER:
            return False
        if self._name == "zlib":
            return False
        self._reading.step(_STREAM)
        self._name, self._make = following[1], following[2]
        self._next = start
        self._unpacker = self._make()
        return True

    def _behind_zeros(self, place: int) -> int:
        while data := self._source.read(place, _READ):
            rest = data.lstrip(b"\0")
            if rest:
                return place + len(data) - len(rest)
            place += len(data)
        return place

    def _packed(self) -> bytes:
        data = self._source.read(self._next, _READ)
        self._next += len(data)
        return data
