"""Files that claim more than they hold, or tell two readers two things."""

import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from regtui.formats import detect
from regtui.formats.values import BytesSource, Limits
from regtui.formats.zip_directory import BadArchive, members
from tests.formats.pickle_writing import STOP, torch_archive, whole, zipped
from tests.formats.recorded_files import facts_of
from tests.formats.test_gguf import header, info, text
from tests.formats.test_onnx import field, model

PLAIN = {"class_name": "Sequential", "module": "keras", "config": {"name": "s", "layers": []}}
LAMBDA = {"class_name": "Lambda", "module": "keras.layers", "config": {"function": {}}}


def archive(members: list[tuple[bytes, bytes]], extra: bytes = b"") -> bytes:
    """Write a zip archive as no library does; `extra` goes to the last entry of its table."""
    content = table = b""
    for number, (name, data) in enumerate(members):
        own = extra if number == len(members) - 1 else b""
        sizes = (zlib.crc32(data), len(data), len(data), len(name))
        table += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 20, 20, 0x800, 0, 0, 0, *sizes, len(own), 0, 0, 0, 0,
            len(content),
        ) + name + own  # fmt: skip
        content += struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0x800, 0, 0, 0, *sizes, 0) + name + data
    return with_table(content, table, len(members))


def with_table(content: bytes, table: bytes, count: int) -> bytes:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(table), len(content), 0)
    return content + table + end


def repeated(name: bytes, data: bytes, count: int) -> bytes:
    """Write an archive whose table names one member many times."""
    once = archive([(name, data)])
    start, end = once.index(b"PK\1\2"), once.index(b"PK\5\6")
    return with_table(once[:start], once[start:end] * count, count)


# Zip archives.


@pytest.mark.parametrize("name", [b"a\0.txt", b"a\n", b"\x7f", b"\xff"])
def test_names_that_readers_cut_or_change_are_refused(name: bytes) -> None:
    assert members(BytesSource(archive([(b"a", b"x"), (b"", b"y")])))
    with pytest.raises(BadArchive):
        members(BytesSource(archive([(b"a", b"x"), (name, b"y")])))


def test_a_second_name_or_size_beside_the_table_is_refused() -> None:
    unicode_name = struct.pack("<HHBL", 0x7075, 6, 1, zlib.crc32(b"b")) + b"a"
    sizes = struct.pack("<HHQ", 1, 8, 5)
    assert members(BytesSource(archive([(b"b", b"")], sizes)))
    for extra in (unicode_name, sizes + sizes, b"\x01\x00\x09\x00x"):
        with pytest.raises(BadArchive):
            members(BytesSource(archive([(b"b", b"")], extra)))


def test_members_that_lie_on_each_other_are_refused() -> None:
    with pytest.raises(BadArchive, match="overlap"):
        members(BytesSource(repeated(b"a", b"x", 2)))
    inner = archive([(b"b", b"x")])
    once = archive([(b"a", inner)])
    table = once[once.rindex(b"PK\1\2") : once.rindex(b"PK\5\6")]
    start = once.index(inner)
    entry = bytearray(inner[inner.index(b"PK\1\2") : inner.index(b"PK\5\6")])
    entry[42:46] = struct.pack("<L", start)
    content = once[: once.rindex(b"PK\1\2")]
    with pytest.raises(BadArchive, match="overlap"):
        members(BytesSource(with_table(content, bytes(entry) + table, 2)))


def test_a_stored_member_of_two_sizes_is_refused() -> None:
    content = bytearray(archive([(b"a", b"xyz")]))
    place = content.index(b"PK\1\2") + 24
    content[place : place + 4] = struct.pack("<L", 30)
    with pytest.raises(BadArchive):
        members(BytesSource(bytes(content)))


def test_a_config_behind_another_name_leaves_a_keras_model_unread() -> None:
    plain = json.dumps(PLAIN).encode()
    code = json.dumps({**PLAIN, "config": {"name": "s", "layers": [LAMBDA]}}).encode()
    first = [(b"metadata.json", b"{}"), (b"config.json", plain)]
    second = struct.pack("<HHBL", 0x7075, 5 + 11, 1, zlib.crc32(b"a.txt")) + b"config.json"

    assert facts_of(archive(first), "m.keras").safety == "no-code"
    for content in (
        archive([*first, (b"config.json\0.txt", code)]),
        archive([*first, (b"a.txt", code)], second),
    ):
        assert facts_of(content, "m.keras").safety == "unread"


def test_a_schema_behind_another_name_leaves_a_skops_file_unread() -> None:
    plain = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode"}
    code = {"__class__": "system", "__module__": "posix", "__loader__": "TypeNode"}
    first = (b"schema.json", json.dumps(plain).encode())

    content = archive([first, (b"schema.json\0.txt", json.dumps(code).encode())])

    assert facts_of(archive([first]), "m.skops").safety != "unread"
    assert facts_of(content, "m.skops").safety == "unread"


def test_a_skops_file_names_no_function_that_is_only_to_be_called() -> None:
    node = {"__class__": "_load_from_bytes", "__module__": "torch.storage"}

    content = archive([(b"schema.json", json.dumps(node).encode())])

    assert facts_of(content, "m.skops").safety == "dangerous"


def npy(filling: int) -> bytes:
    told = b"{'descr':'<f8','fortran_order':False,'shape':(1,),'a':[" + b"1," * filling + b"]}"
    return b"\x93NUMPY\x02\0" + struct.pack("<I", len(told)) + told + bytes(8)


def test_long_headers_of_arrays_are_paid_for_by_the_archive() -> None:
    some = zipped({f"{number}.npy": npy(0) for number in range(200)})
    many = zipped({f"{number}.npy": npy(5_000) for number in range(200)}, zipfile.ZIP_DEFLATED)

    assert facts_of(some, "m.npz", Limits(steps=10_000)).safety == "no-code"
    assert facts_of(many, "m.npz", Limits(steps=1_000_000)).safety == "unread"


def test_trials_of_members_are_paid_for_by_the_archive() -> None:
    text = b"N0" * 2_000 + b"x"  # no pickle at all, as one finds at its end
    more = {f"m/{number}.bin": text for number in range(20)}
    content = torch_archive(whole(b"N"), more)

    assert facts_of(content, "m.pt").safety == "tensors-only"
    assert facts_of(content, "m.pt", Limits(steps=40_000)).safety == "unread"


def test_packed_members_unpack_to_no_more_than_one_alone_may() -> None:
    import gzip

    packed = gzip.compress(b"\x80\x04B" + struct.pack("<I", 900_000) + bytes(900_000) + STOP)
    content = torch_archive(whole(b"N"), {f"m/{number}.gz": packed for number in range(9)})

    assert facts_of(content, "m.pt").safety == "tensors-only"
    facts = facts_of(content, "m.pt", Limits(header_bytes=2_000_000))
    assert facts.safety == "unread"
    assert facts.problem == "it unpacks to far more than its size"


def test_weights_of_keras_share_what_may_be_unpacked() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("metadata.json", "{}")
        made.writestr("config.json", json.dumps(PLAIN))
        for number in range(5):
            made.writestr(f"{number}.weights.h5", bytes(300_000))
    content = stream.getvalue()

    facts = facts_of(content, "m.keras", Limits(header_bytes=1_000_000))

    assert facts.safety == "unread"


# HDF5.


def hdf5(messages: bytes, behind: bytes = b"") -> bytes:
    """Write a file with nothing but a root object of version 1."""
    head = 96
    end = head + 16 + len(messages) + len(behind)
    block = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0)
    block += struct.pack("<6Q", 0, 2**64 - 1, end, 2**64 - 1, 0, head) + bytes(24)
    started = struct.pack("<BBHII", 1, 0, 1, 1, len(messages)) + bytes(4)
    return block + started + messages + behind


def message(kind: int, content: bytes) -> bytes:
    return struct.pack("<HHB3x", kind, len(content), 0) + content


def continued(*blocks: tuple[int, int]) -> bytes:
    """Write messages that continue an object at places behind them."""
    start = 96 + 16 + 24 * len(blocks)
    return b"".join(
        message(0x10, struct.pack("<QQ", start + place, size)) for place, size in blocks
    )


def test_an_object_continues_elsewhere_but_not_twice_at_one_place() -> None:
    apart = hdf5(continued((0, 8), (8, 8)), bytes(16))
    overlapping = hdf5(continued((0, 16), (8, 16)), bytes(24))

    assert facts_of(apart, "m.h5").safety == "no-code"
    assert facts_of(overlapping, "m.h5").safety == "unread"


def test_an_object_of_very_many_blocks_is_unread() -> None:
    def of(count: int) -> bytes:
        return hdf5(continued(*((8 * place, 8) for place in range(count))), bytes(8 * count))

    assert facts_of(of(500), "m.h5").safety == "no-code"
    facts = facts_of(of(1_500), "m.h5")
    assert facts.safety == "unread"
    assert "more" in (facts.problem or "")


def test_messages_that_are_held_are_bounded_for_the_whole_file() -> None:
    content = hdf5(b"".join(message(0x0D, bytes(60_000)) for _ in range(10)))

    assert facts_of(content, "m.h5").safety == "no-code"
    assert facts_of(content, "m.h5", Limits(header_bytes=100_000)).safety == "unread"


def attributes_of_one_heap(count: int, size: int) -> bytes:
    """Write attributes whose texts are the same object of a heap, the last in it."""
    filler = b"".join(struct.pack("<HHIQ", 1, 0, 0, 0) for _ in range(500))
    body = filler + struct.pack("<HHIQ", 7, 0, 0, size) + bytes(b"a" * size)
    heap = b"GCOL\1\0\0\0" + struct.pack("<Q", len(body) + 16) + body
    kind = struct.pack("<BBBBI", 0x19, 1, 0, 0, 16)
    place = 0
    for _ in range(2):  # the second time with the right place
        value = struct.pack("<IQI", size, place, 7)
        parts = b"n\0" + bytes(6) + kind + struct.pack("<BBBx4x", 1, 0, 0) + value
        own = message(0x0C, struct.pack("<BxHHH", 1, 2, len(kind), 8) + parts)
        place = 96 + 16 + count * len(own)
    return hdf5(own * count, heap)


def test_texts_in_a_heap_are_bounded_for_the_whole_file() -> None:
    facts = facts_of(attributes_of_one_heap(3, 1_000), "m.h5")
    assert (facts.safety, facts.metadata) == ("no-code", {"n": "a" * 1_000})
    large = Limits(header_bytes=1 << 20)
    assert facts_of(attributes_of_one_heap(200, 60_000), "m.h5", large).safety == "unread"
    searched = Limits(steps=50_000)
    assert facts_of(attributes_of_one_heap(200, 10), "m.h5", searched).safety == "unread"


# Files of any size, with hardly a byte in them.


class Sparse:
    """A file of zeros behind a start."""

    def __init__(self, start: bytes, size: int) -> None:
        self.size = size
        self.taken = 0
        self._start = start

    def read(self, offset: int, length: int) -> bytes:
        found = self._start[offset : offset + length].ljust(min(length, self.size - offset), b"\0")
        self.taken += len(found)
        return found


def test_a_line_without_an_end_is_not_followed_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from regtui.formats import streams

    monkeypatch.setattr(streams, "LONGEST_LINE", 1 << 20)
    source = Sparse(b"\x80\x02S'", 1 << 30)

    facts = detect.read(source, "m.pkl")

    assert (facts.safety, facts.problem) == ("unread", "a line is longer than can be read")
    assert source.taken < 8 << 20


def test_fields_far_from_each_other_are_paid_for_by_what_is_read() -> None:
    text = b"\x12\x80\x80\x40"  # of a megabyte

    class Fields(Sparse):
        def read(self, offset: int, length: int) -> bytes:
            if not offset:
                return super().read(offset, length)
            self.taken += length
            return text.ljust(length, b"\0")

    source = Fields(field(1, 8) + text, 1 << 40)

    assert detect.read(source, "m.onnx", Limits(steps=20_000)).safety == "unread"
    assert source.taken < 1 << 30


# CatBoost, GGUF, ONNX, safetensors.


def catboost(count: int, size: int, field: int) -> bytes:
    """Write a model whose vector in `field` has many times the same text, or table of it."""
    fields = [0, 0, 0, 0]
    fields[field] = 4
    vtable = struct.pack("<6H", 12, 8, *fields)
    start = 4 + len(vtable)
    buffer = struct.pack("<I", start) + vtable + struct.pack("<iI", len(vtable), 4)
    buffer += struct.pack("<I", count)
    table = len(buffer) + 4 * count
    buffer += b"".join(struct.pack("<I", table - (len(buffer) + 4 * i)) for i in range(count))
    if field == 2:
        inner = struct.pack("<4H", 8, 12, 4, 8)
        buffer = buffer[: -4 * count] + b"".join(
            struct.pack("<I", table + len(inner) - (table - 4 * count + 4 * i))
            for i in range(count)
        )
        buffer += inner + struct.pack("<iII", len(inner), 8, 4)
    buffer += struct.pack("<I", size) + b"a" * size
    return b"CBM1" + struct.pack("<I", len(buffer)) + buffer


def peak_of(content: bytes, name: str, limits: Limits) -> int:
    facts_of(content[:10], name)  # imports
    tracemalloc.start()
    try:
        facts_of(content, name, limits)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_texts_of_a_catboost_model_that_lie_on_each_other_are_held_once() -> None:
    parts = catboost(300, 100_000, field=3)
    assert facts_of(parts, "m.cbm").safety == "no-code"
    assert peak_of(parts, "m.cbm", Limits()) < 3_000_000
    entries = catboost(300, 100_000, field=2)
    facts = facts_of(entries, "m.cbm")
    assert (facts.safety, len(facts.metadata)) == ("no-code", 1)
    assert facts_of(entries, "m.cbm", Limits(header_bytes=1 << 20)).safety == "unread"


def test_names_in_a_gguf_file_are_bounded() -> None:
    limits = Limits(text=100, header_bytes=10_000)
    short, long = "n" * 100, "n" * 101
    entry = struct.pack("<II", 4, 1)

    def gguf(tensors: list[str], keys: list[str], *, size: int = 0) -> bytes:
        content = header(len(tensors), len(keys))
        content += b"".join(text(key) + entry for key in keys)
        content += b"".join(info(name, 0, 0, 0) for name in tensors)
        return content + bytes(-len(content) % 32 + size)

    assert facts_of(gguf([short], [short]), "m.gguf", limits).safety == "no-code"
    assert facts_of(gguf([long], []), "m.gguf", limits).safety == "unread"
    assert facts_of(gguf([], [long]), "m.gguf", limits).safety == "unread"
    assert facts_of(gguf([short] * 200, []), "m.gguf", limits).safety == "unread"
    assert facts_of(gguf([], [short] * 200), "m.gguf", limits).safety == "unread"


def tensor(name: str, location: str = "") -> bytes:
    external = field(13, field(1, b"location") + field(2, location.encode())) if location else b""
    return field(1, 4) + field(2, 1) + field(8, name.encode()) + external + field(14, 1)


def test_names_in_an_onnx_file_are_bounded() -> None:
    limits = Limits(text=100, header_bytes=1_000)
    for graph in (
        field(5, tensor("n" * 101)),
        b"".join(field(5, tensor("n" * 100)) for _ in range(20)),
        field(5, field(1, bytes(100)) + tensor("n")),
    ):
        assert facts_of(model(graph), "m.onnx", limits).safety == "unread"
    assert facts_of(model(field(5, tensor("n" * 100))), "m.onnx", limits).safety == "no-code"


@pytest.mark.parametrize(
    "of",
    [
        pytest.param(lambda t: model(field(5, t)), id="an initialiser"),
        pytest.param(lambda t: model(field(1, field(5, field(5, t)))), id="a constant"),
        pytest.param(lambda t: model(field(1, field(5, field(10, t)))), id="constants"),
        pytest.param(
            lambda t: model(field(1, field(5, field(22, field(1, t))))), id="a sparse constant"
        ),
        pytest.param(
            lambda t: model(field(1, field(5, field(23, field(2, t))))), id="sparse constants"
        ),
        pytest.param(lambda t: model(field(15, field(1, t))), id="a sparse initialiser"),
        pytest.param(
            lambda t: model(b"") + field(20, field(1, field(5, t))), id="a training graph"
        ),
        pytest.param(
            lambda t: model(b"") + field(20, field(2, field(1, field(5, field(5, t))))),
            id="a training step",
        ),
        pytest.param(
            lambda t: model(b"") + field(25, field(7, field(5, field(5, t)))), id="a function"
        ),
        pytest.param(
            lambda t: model(b"") + field(25, field(11, field(5, t))), id="a function's default"
        ),
    ],
)
def test_data_in_other_files_is_told_wherever_it_is_named(of: Callable[[bytes], bytes]) -> None:
    facts = facts_of(of(tensor("t", "../../etc/passwd")), "m.onnx")

    assert facts.metadata["external_data"] == "../../etc/passwd"
    assert facts.problem == "data outside of its folder: '../../etc/passwd'"


def test_a_table_of_safetensors_with_endless_shapes_is_unread() -> None:
    table = b'{"a":{"dtype":"F32","shape":[' + b"1," * 3_000 + b'1],"data_offsets":[0,4]}}'
    content = struct.pack("<Q", len(table)) + table + bytes(4)

    assert facts_of(content, "m.safetensors", Limits(tensors=100)).safety == "unread"
