import io
import os
import zipfile

import numpy as np
import pytest

from tests.formats.pickle_writing import calling
from tests.formats.recorded_files import facts_of

EVIL = calling(os.system, "true")


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.array(1.5),
        np.zeros((0, 4), dtype=">i2"),
        np.array(["a", "bcd"]),
        np.zeros(2, dtype=[("a", "<f4"), ("b", "u1", (2, 2)), ("c", [("d", "S3")])]),
    ],
    ids=lambda array: str(array.dtype),
)
def test_a_npy_file_is_one_array_without_code(array: np.ndarray) -> None:
    content = npy(array)
    facts = facts_of(content, "x.npy")
    (tensor,) = facts.tensors

    assert (facts.format, facts.safety, facts.complete) == ("numpy", "no-code", True)
    assert tensor.shape == array.shape
    assert tensor.offset is not None
    assert content[tensor.offset : tensor.offset + tensor.size] == array.tobytes("A")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_of_arrays_lists_them_all(save: object) -> None:
    stream = io.BytesIO()
    save(stream, w=np.ones((2, 2)), b=np.arange(3, dtype=np.int8))  # type: ignore[operator]
    content = stream.getvalue()
    facts = facts_of(content, "x.npz")

    assert (facts.format, facts.safety, facts.complete) == ("numpy", "no-code", True)
    assert [(t.name, t.dtype, t.shape) for t in facts.tensors] == [
        ("w", "float64", (2, 2)),
        ("b", "int8", (3,)),
    ]
    last = facts.tensors[1]
    if save is np.savez:
        assert last.offset is not None
        assert content[last.offset : last.offset + 3] == b"\0\1\2"
    else:
        assert last.offset is None


def test_arrays_of_objects_are_pickles() -> None:
    honest = facts_of(npy(np.array([{"a": 1}, None], dtype=object)), "x.npy")
    evil = facts_of(npy(np.array([EVIL], dtype=object)), "x.npy")
    stream = io.BytesIO()
    np.savez(stream, good=np.ones(2), bad=np.array([EVIL], dtype=object))
    inside = facts_of(stream.getvalue(), "x.npz")

    assert honest.safety == "tensors-only"
    for facts in (evil, inside):
        assert facts.safety == "dangerous"
        assert f"{os.system.__module__}.system" in facts.globals


def test_a_member_that_is_no_array_leaves_the_archive_unread() -> None:
    stream = io.BytesIO()
    np.savez(stream, good=np.ones(2))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr("other.npy", b"not an array")

    assert facts_of(stream.getvalue(), "x.npz").safety == "unread"


def test_a_file_that_is_cut_is_not_complete() -> None:
    content = npy(np.arange(10))
    for length in range(1, len(content)):
        facts = facts_of(content[:length], "x.npy")

        assert not facts.complete
        assert facts.safety == "unread"


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f8', 'fortran_order': False, 'shape': (2,) * 1000000}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}",
        "{'descr': '<q9', 'fortran_order': False, 'shape': (1,)}",
        "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999,)}",
        "__import__('os').system('true')",
        "[" * 60_000,
        "-" * 60_000 + "1",
        "{",
        "\x00",
        "1",
        "'\\d'",
    ],
)
def test_a_strange_header_is_unread(header: str) -> None:
    raw = header.encode()
    content = b"\x93NUMPY\x02\x00" + len(raw).to_bytes(4, "little") + raw + bytes(64)

    assert facts_of(content, "x.npy").safety == "unread"
