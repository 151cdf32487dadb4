"""TensorBoard's event files: records of protocol buffers; scalars and hyperparameters are read.

A record is its length (8 bytes), a checksum (4), that many bytes, and a checksum (4). A file grows
at its end while it is read, so what counts is the last whole record: `Events` goes on from there
when it is asked again. Checksums are not computed; lengths are checked against the file, and a
record that is larger than any scalar's is skipped unread.

A scalar is a `simple_value`, or a tensor of one number (the way of TensorFlow 2). Hyperparameters
(`add_hparams`) are what the plugin of this name wrote for itself at the start of a session.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from regtui.capture.readers.points import Points
from regtui.formats.cursor import Malformed, TooMuch
from regtui.formats.values import Source, Value

_HEADER: Final = 12
_FOOTER: Final = 4
_BLOCK: Final = 1 << 20
_LARGEST: Final = 1 << 18
"""Bytes of a record that is looked into: images and histograms are larger, scalars are not."""

_RECORDS: Final = 2_000_000
"""Records of one reading; it goes on behind them the next time."""

_SESSION: Final = b"_hparams_/session_start_info"
_HYPERPARAMETERS: Final = 10_000

_HEAD: Final = 64
_LATEST: Final = 1 << 43
_STEPS: Final = 1 << 53
_TYPES: Final = {1: ("<f", 4), 2: ("<d", 8), 3: ("<i", 4), 9: ("<q", 8)}
"""How the tensor types float, double, int32 and int64 lie in `tensor_content`."""

_Field = tuple[int, int, int | bytes]


class Events:
    """The scalars of one event file, as far as it has been read.

    Attributes:
        points: What was found.
        hyperparameters: Value by name.
        at: Where the next record starts.
    """

    def __init__(self) -> None:
        self.points = Points(100_000)
        self.hyperparameters: dict[str, Value] = {}
        self.at = 0
        self._head = b""

    def advance(self, source: Source) -> None:
        """Read the whole records that came since the last time; all of another file.

        Raises:
            Malformed: A record is no event.
            TooMuch: There are more records than are read at once; ask again for the rest.
            OSError: The file could not be read.
        """
        head = source.read(0, _HEAD)
        if source.size < self.at or head[: len(self._head)] != self._head:
            self.points, self.at, self.hyperparameters = Points(100_000), 0, {}
        self._head = head
        records = _Records(source, self.at)
        for count, record in enumerate(records):
            if count >= _RECORDS:
                raise TooMuch(f"more than {_RECORDS:,} records are not read at once")
            _take(record, self)
            self.at = records.at


class _Records:
    """The records of a file from a place on; `at` is the end of the one that was given last."""

    def __init__(self, source: Source, at: int) -> None:
        self._source = source
        self._block = b""
        self._from = at
        self.at = at

    def __iter__(self) -> Iterator[bytes]:
        size = self._source.size
        while self.at + _HEADER + _FOOTER <= size:
            (length,) = struct.unpack("<Q", self._bytes(self.at, 8))
            end = self.at + _HEADER + length + _FOOTER
            if end > size:
                return
            small = length <= _LARGEST
            record = self._bytes(self.at + _HEADER, length) if small else b""
            self.at = end
            yield record

    def _bytes(self, at: int, length: int) -> bytes:
        start = at - self._from
        if start < 0 or start + length > len(self._block):
            self._block = self._source.read(at, max(length, _BLOCK))
            self._from, start = at, 0
        found = self._block[start : start + length]
        if len(found) < length:
            raise Malformed("the file was cut while it was read")
        return found


def _take(record: bytes, events: Events) -> None:
    """Add the scalars of an event, and the hyperparameters."""
    time: int | None = None
    step = 0
    summaries: list[bytes] = []
    for number, wire, value in _fields(record):
        if number == 1 and wire == 1 and isinstance(value, bytes):
            (seconds,) = struct.unpack("<d", value)
            time = round(seconds * 1_000_000) if 0 <= seconds < _LATEST else None
        elif number == 2 and isinstance(value, int):  # noqa: PLR2004 - Event.step
            step = value - (1 << 64) if value >= 1 << 63 else value
        elif number == 5 and isinstance(value, bytes):  # noqa: PLR2004 - Event.summary
            summaries.append(value)
    for summary in summaries if abs(step) < _STEPS else ():
        for number, _, value in _fields(summary):
            if number == 1 and isinstance(value, bytes):
                scalar = _scalar(value)
                if scalar is not None:
                    events.points.add(scalar[0], step, scalar[1], time)
                elif _SESSION in value:
                    with suppress(Malformed):  # the plugin's own, which may be of another version
                        events.hyperparameters |= _hyperparameters(value)


def _scalar(message: bytes) -> tuple[str, float] | None:
    """Return tag and number of a `Summary.Value`, None where it has none."""
    tag = ""
    found: float | None = None
    for number, wire, value in _fields(message):
        if isinstance(value, int):
            continue
        if number == 1:
            tag = value.decode("utf-8", "replace")
        elif number == 2 and wire == 5:  # noqa: PLR2004 - simple_value, a fixed32
            (found,) = struct.unpack("<f", value)
        elif number == 8 and wire == 2:  # noqa: PLR2004 - tensor, a message
            found = _tensor(value)
    return (tag, float(found)) if tag and found is not None else None


def _hyperparameters(message: bytes) -> dict[str, Value]:
    """Return what a `Summary.Value` of the plugin says of the start of a session."""
    # Value.metadata.plugin_data.content.session_start_info.hparams
    messages = [message]
    for number in (9, 1, 2, 3, 1):
        messages = [found for one in messages for found in _parts(one, number)]
    found: dict[str, Value] = {}
    for entry in messages[:_HYPERPARAMETERS]:
        names, values = _parts(entry, 1), _parts(entry, 2)
        if names and values:
            for number, wire, value in _fields(values[-1]):
                name = names[-1].decode("utf-8", "replace")
                if number == 2 and wire == 1 and isinstance(value, bytes):  # noqa: PLR2004
                    found[name] = struct.unpack("<d", value)[0]
                elif number == 3 and isinstance(value, bytes):  # noqa: PLR2004 - string_value
                    found[name] = value.decode("utf-8", "replace")
                elif number == 4 and isinstance(value, int):  # noqa: PLR2004 - bool_value
                    found[name] = bool(value)
    return found


def _parts(message: bytes, number: int) -> list[bytes]:
    """Return the contents of a field that is a message or a text."""
    return [
        value
        for found, wire, value in _fields(message)
        if found == number and wire == 2 and isinstance(value, bytes)  # noqa: PLR2004
    ]


def _tensor(message: bytes) -> float | None:
    """Return the number of a `TensorProto` of one element."""
    kind = 0
    content = b""
    numbers: list[float] = []
    for number, wire, value in _fields(message):
        if isinstance(value, int):
            kind = value if number == 1 else kind
            if number in {7, 10}:
                numbers.append(value - (1 << 64) if value >= 1 << 63 else value)
        elif number == 4:  # noqa: PLR2004 - tensor_content
            content = value
        elif number in {5, 6} and wire in {1, 2, 5}:
            code, width = _TYPES[1 if number == 5 else 2]  # noqa: PLR2004 - float_val, double_val
            numbers += [struct.unpack(code, value)[0]] if len(value) == width else [0.0, 0.0]
    code, width = _TYPES.get(kind, ("", 0))
    if len(numbers) == 1 and width:
        return numbers[0]
    if not numbers and width and len(content) == width:
        return float(struct.unpack(code, content)[0])
    return None


def _fields(message: bytes) -> Iterator[_Field]:
    """Yield number, wire type and payload of the fields of a message."""
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        wire = key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield key >> 3, wire, value
            continue
        if wire == 2:  # noqa: PLR2004 - bytes
            length, at = _varint(message, at)
        elif wire in {1, 5}:
            length = 8 if wire == 1 else 4
        else:
            raise Malformed("a record is no event")
        if at + length > end:
            raise Malformed("a record is no event")
        yield key >> 3, wire, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(message):
            break
        byte = message[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:  # noqa: PLR2004 - the bit that says: more follows
            return value & ((1 << 64) - 1), at
    raise Malformed("a record is no event")
