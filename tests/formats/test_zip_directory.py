import io
import struct
import zipfile
import zlib

import pytest

from regtui.formats.values import BytesSource, Limits
from regtui.formats.zip_directory import BadArchive, Member, content, members, part
from tests.formats.pickle_writing import zipped
from tests.formats.recorded_files import recorded

FILES = {"a.txt": b"first", "folder/b.bin": bytes(range(256)) * 40, "empty": b""}
END = struct.Struct("<4s4H2LH")


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_and_their_contents_are_those_that_were_written(method: int) -> None:
    source = BytesSource(zipped(FILES, method))
    found = members(source)

    assert {member.name: content(source, member) for member in found} == FILES
    assert [member.size for member in found] == [len(data) for data in FILES.values()]


def test_a_stored_member_is_a_window() -> None:
    source = BytesSource(zipped(FILES))
    member = members(source)[1]
    window = part(source, member.offset, member.size)

    assert window.size == member.size
    assert window.read(10, 5) == FILES["folder/b.bin"][10:15]
    assert window.read(member.size - 2, 100) == b"\xfe\xff"
    assert window.read(member.size, 1) == window.read(-1, 1) == b""


def test_comments_long_extras_and_wide_sizes_are_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        with archive.open(zipfile.ZipInfo("wide"), "w", force_zip64=True) as file:
            file.write(b"wide content")
        archive.comment = b"of several words"
    source = BytesSource(stream.getvalue())
    (member,) = members(source)

    assert content(source, member) == b"wide content"


def test_torch_s_padding_is_counted() -> None:
    source = BytesSource(recorded("pickles/state_dict.pt"))
    with zipfile.ZipFile(io.BytesIO(source.read(0, source.size))) as archive:
        expected = {info.filename: archive.read(info) for info in archive.infolist()}

    assert {member.name: content(source, member) for member in members(source)} == expected
    assert all(m.offset % 64 == 0 for m in members(source) if "/data/" in m.name)


def test_an_archive_cut_anywhere_is_refused() -> None:
    data = zipped(FILES)
    for length in range(len(data)):
        with pytest.raises(BadArchive):
            members(BytesSource(data[:length]))


def test_an_archive_without_its_end_is_said_to_be_cut() -> None:
    with pytest.raises(BadArchive) as caught:
        members(BytesSource(zipped(FILES)[:-30]))

    assert caught.value.truncated


def test_archives_that_two_readers_would_see_differently_are_refused() -> None:
    data = zipped(FILES)
    two = {
        "an end record in the comment": data[:-2] + b"\x1a\x00" + b"note" + data[-22:],
        "a name in the local header": data.replace(b"a.txt", b"b.txt", 1),
        "bytes before it": b"#!/bin/sh\n" + data,
        "bytes behind it": data + b"x",
        "a member less in the end record": changed_end(data, count=2),
        "a member more in the end record": changed_end(data, count=4),
        "another place of the table": changed_end(data, offset=10),
    }
    for name, changed in two.items():
        with pytest.raises(BadArchive):
            print(name, members(BytesSource(changed)))


def changed_end(data: bytes, count: int = 3, offset: int | None = None) -> bytes:
    fields = list(END.unpack(data[-END.size :]))
    fields[3] = fields[4] = count
    fields[6] = fields[6] if offset is None else offset
    return data[: -END.size] + END.pack(*fields)


def test_what_a_member_claims_is_checked() -> None:
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = bomb.compress(bytes(1 << 20)) + bomb.flush()
    source = BytesSource(packed)
    honest = Member("x", 0, 1 << 20, len(packed), 8, zlib.crc32(bytes(1 << 20)))

    assert content(source, honest) == bytes(1 << 20)
    for size, crc, method, encrypted in [
        (100, honest.crc, 8, False),
        (1 << 20, 1, 8, False),
        (1 << 40, honest.crc, 8, False),
        (1 << 20, honest.crc, 12, False),
        (1 << 20, honest.crc, 8, True),
        (len(packed) - 1, honest.crc, 0, False),
    ]:
        with pytest.raises(BadArchive):
            content(source, Member("x", 0, size, len(packed), method, crc, encrypted))
    with pytest.raises(BadArchive):
        content(source, honest, Limits(header_bytes=1 << 19))


def test_more_members_than_the_limit_are_refused() -> None:
    data = zipped({str(number): b"" for number in range(50)})

    assert len(members(BytesSource(data), Limits(tensors=50))) == 50
    with pytest.raises(BadArchive):
        members(BytesSource(data), Limits(tensors=49))
    with pytest.raises(BadArchive):
        members(BytesSource(data), Limits(header_bytes=500))
