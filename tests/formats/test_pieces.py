import io
import random
import struct
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.formats import safetensors
from regtui.formats.pieces import ALONE, GROUPED, LARGEST, cut
from regtui.formats.values import BytesSource, Tensor
from regtui.formats.zip_directory import members
from tests.formats.test_safetensors import written

MIB = 1 << 20
offsets = st.none() | st.integers(-(2**64), 2**64) | st.integers(0, 3000)
lengths = st.integers(-5, 2**64) | st.integers(0, 300)


def at(offset: int | None, size: int) -> Tensor:
    return Tensor("t", "uint8", (size,), offset, size)


def lengths_of(size: int, tensors: Sequence[Tensor]) -> list[int]:
    return [length for _, length in cut(size, tensors)]


@given(
    st.integers(0, 4000),
    st.lists(st.builds(at, offsets, lengths), max_size=30),
    st.integers(1, 500),
    st.integers(1, 500),
    st.integers(1, 500),
)
def test_pieces_cover_the_file_exactly_whatever_the_tensors_claim(
    size: int, tensors: list[Tensor], largest: int, grouped: int, alone: int
) -> None:
    grouped = min(grouped, largest)
    pieces = list(cut(size, tensors, largest=largest, grouped=grouped, alone=alone))
    done = 0
    for offset, length in pieces:
        assert offset == done
        assert 0 < length <= largest
        done += length
    assert done == size
    assert len(pieces) <= size / largest + 4 * len(tensors) + 1
    again = cut(size, tensors[::-1], largest=largest, grouped=grouped, alone=alone)
    assert list(again) == pieces


def test_a_file_without_tensors_is_cut_evenly() -> None:
    assert lengths_of(0, []) == []
    assert lengths_of(2 * LARGEST + 5, []) == [LARGEST, LARGEST, 5]


def test_a_large_tensor_is_cut_from_its_own_start() -> None:
    tensors = [at(100, LARGEST + 7), at(107 + LARGEST, ALONE)]
    assert lengths_of(107 + LARGEST + ALONE + 9, tensors) == [100, LARGEST, 7, ALONE, 9]


def test_small_tensors_are_grouped_up_to_a_bound() -> None:
    small = GROUPED // 32
    tensors = [at(8 + index * small, small) for index in range(40)]
    assert lengths_of(8 + 40 * small, tensors) == [8, GROUPED, 8 * small]


def test_groups_do_not_depend_on_the_bytes_between_tensors() -> None:
    sizes = [random.Random(1).randrange(1, ALONE) for _ in range(200)]

    def groups(between: int) -> list[int]:
        """Tensors per piece that has any."""
        tensors, place = [], between
        for size in sizes:
            tensors.append(at(place, size))
            place += size + between
        starts = {item.offset for item in tensors}
        pieces = list(cut(place, tensors))
        counts = [sum(start <= (o or 0) < start + n for o in starts) for start, n in pieces]
        return [count for count in counts if count]

    assert groups(0) == groups(64) == groups(900)


def test_padding_goes_with_the_small_tensor_behind_it_and_stands_apart_from_a_large_one() -> None:
    tensors = [at(1000, 50), at(1114, 50), at(1300, ALONE), at(1400 + ALONE, 50)]
    size = 1500 + ALONE
    assert lengths_of(size, tensors) == [1000, 164, 136, ALONE, 150, 50]


def test_a_wide_gap_closes_a_group() -> None:
    assert lengths_of(20_050, [at(0, 50), at(20_000, 50)]) == [50, 19_950, 50]


def test_overlapping_tensors_are_cut_once() -> None:
    tensors = [at(0, ALONE), at(0, ALONE * 2), at(ALONE, ALONE * 2), at(5, 10)]
    assert lengths_of(ALONE * 4, tensors) == [ALONE * 2, ALONE, ALONE]


def test_bounds_that_contradict_each_other_are_refused() -> None:
    for largest, grouped, alone in ((0, 0, 1), (5, 6, 1), (5, 5, 0)):
        with pytest.raises(ValueError, match="bounds"):
            list(cut(10, [], largest=largest, grouped=grouped, alone=alone))


def as_torch_zip(tensors: dict[str, bytes]) -> tuple[bytes, list[Tensor]]:
    """Store each tensor as a member whose data is aligned to 64, as torch does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("archive/data.pkl", b"x" * 3001)
        for index, content in enumerate(tensors.values()):
            member = zipfile.ZipInfo(f"archive/data/{index}")
            header = made.fp.tell() + 30 + len(member.filename) + 4  # type: ignore[union-attr]
            pad = -header % 64
            member.extra = struct.pack("<2sH", b"FB", pad) + b"Z" * pad
            made.writestr(member, content)
    content = buffer.getvalue()
    found = [item for item in members(BytesSource(content)) if "/data/" in item.name]
    assert [item.offset % 64 for item in found] == [0] * len(found)
    return content, [Tensor(item.name, "uint8", (), item.offset, item.size) for item in found]


def as_safetensors(tensors: dict[str, bytes]) -> tuple[bytes, list[Tensor]]:
    table, data = {}, b""
    for name, content in sorted(tensors.items(), key=lambda item: (-len(item[1]), item[0])):
        place = [len(data), len(data) + len(content)]
        table[name] = {"dtype": "U8", "shape": [len(content)], "data_offsets": place}
        data += content
    made = written(table, data)
    return made, list(safetensors.read(BytesSource(made)).tensors)


def test_the_same_tensors_in_two_containers_share_their_bytes() -> None:
    chance = random.Random(2)
    sizes = [MIB // 4] * 16 + [MIB * 17, MIB] + [768 * 4] * 20 + [96 << 10] * 12
    tensors = {f"layer.{index}": chance.randbytes(size) for index, size in enumerate(sizes)}
    kept: list[set[bytes]] = []
    sizes_of_files = []
    for make in (as_torch_zip, as_safetensors):
        content, table = make(tensors)
        kept.append({content[start : start + n] for start, n in cut(len(content), table)})
        sizes_of_files.append(len(content))
    shared = sum(len(piece) for piece in kept[0] & kept[1])
    assert shared / min(sizes_of_files) >= 0.98
    assert shared / max(sizes_of_files) >= 0.98
