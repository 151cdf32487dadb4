"""Layouts of files: facts, tensors and pieces, each with the digest of its bytes."""

import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from regtui.artifacts import digesting
from regtui.artifacts.digesting import digests
from regtui.artifacts.file_source import opened
from regtui.artifacts.layouts import checked_layout, layout_of, small_layout
from regtui.artifacts.scan import scan
from regtui.artifacts.store import ObjectStore
from regtui.core.errors import Damaged, RegtuiError
from regtui.formats import detect
from regtui.formats.layout import Layout, suffix_of
from regtui.formats.values import Facts, Limits, Source, Tensor
from tests.artifacts.model_files import evil_pickle, npz, safetensors, written

TENSORS = {
    "small": bytes(range(200)),
    "large": random.Random(7).randbytes((21 << 20) + 3),
    "none": b"",
}


def hashed(content: bytes) -> str:
    return blake3(content).hexdigest()


def check_pieces(layout: Layout, content: bytes) -> None:
    """Hold pieces to the bytes that they cover."""
    end = 0
    for offset, size, digest in layout.pieces:
        assert offset == end
        assert digest == hashed(content[offset : offset + size])
        end += size
    assert end == len(content)


def answering(monkeypatch: pytest.MonkeyPatch, read: Callable[[Source, str], Facts]) -> None:
    """Let a reader of the test's own answer."""
    monkeypatch.setattr(detect, "read", read)


def test_a_file_is_described_with_the_digests_of_its_tensors(tmp_path: Path) -> None:
    content = safetensors(TENSORS)
    layout = layout_of(written(tmp_path / "m", content), "m.safetensors")
    assert (layout.facts.format, layout.facts.safety) == ("safetensors", "no-code")
    assert layout.facts.tensors == ()
    found = {tensor.name: digest for tensor, digest in layout.tensors}
    assert found == {name: hashed(values) for name, values in TENSORS.items()}
    check_pieces(layout, content)


def test_the_same_tensors_in_two_containers_share_digests_and_pieces(tmp_path: Path) -> None:
    one = layout_of(written(tmp_path / "a", safetensors(TENSORS)), "a.safetensors")
    other = layout_of(written(tmp_path / "b", npz(TENSORS)), "b.npz")
    names = [[tensor.name.removesuffix(".npy") for tensor, _ in x.tensors] for x in (one, other)]
    assert sorted(names[0]) == sorted(names[1]) == sorted(TENSORS)
    assert {digest for _, digest in one.tensors} == {digest for _, digest in other.tensors}
    shared = {piece[2] for piece in one.pieces} & {piece[2] for piece in other.pieces}
    bytes_shared = sum(size for _, size, digest in one.pieces if digest in shared)
    assert bytes_shared == sum(map(len, TENSORS.values()))


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"text", bytes(range(250)), evil_pickle(), safetensors({"a": b"12", "b": b"3"})],
    ids=["empty", "json", "text", "bytes", "pickle", "safetensors"],
)
def test_a_file_in_memory_is_described_like_one_on_the_disk(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path / "file", content)
    small = small_layout(content, "file.bin", hashed(content))
    assert small == layout_of(path, "file.bin")
    assert small == checked_layout(path, ["file.bin"], hashed(content))
    check_pieces(small, content)


def test_the_worst_name_of_a_file_counts(tmp_path: Path) -> None:
    path = written(tmp_path / "file", b"cposix\nsystem\n(S'false'\ntR.")
    layout = layout_of(path, "notes.txt", "model.pkl", "other/MODEL.PKL")
    assert (layout.facts.safety, layout.facts.globals) == ("dangerous", ("posix.system",))
    assert layout.suffixes == (".pkl", ".txt")


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a/B.PKL", ".pkl"), (".bashrc", ""), ("a.d/file", ""), ("x.tar.gz", ".gz"), ("", "")],
)
def test_a_suffix_says_what_opens_a_file(name: str, suffix: str) -> None:
    assert suffix_of(name) == suffix


def test_tensors_that_overlap_in_part_have_no_digest_and_equal_places_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(1000)
    places = [(0, 100), (0, 100), (50, 100), (150, 10), (0, 50), (990, 11), (None, 4), (2**70, 1)]
    tensors = tuple(Tensor(str(n), "uint8", (), at, size) for n, (at, size) in enumerate(places))
    answering(monkeypatch, lambda source, name: Facts("mine", "no-code", tensors=tensors))
    layout = layout_of(written(tmp_path / "file", content), "file")
    whole = hashed(content[:100])
    expected = [whole, whole, None, hashed(content[150:160]), None, None, None, None]
    assert [digest for _, digest in layout.tensors] == expected
    check_pieces(layout, content)


def test_a_reader_that_fails_makes_a_file_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Source, name: str) -> Facts:
        raise ZeroDivisionError

    answering(monkeypatch, fail)
    content = os.urandom(17 << 20)
    layout = layout_of(written(tmp_path / "file", content), "file")
    assert (layout.facts.safety, layout.facts.problem) == (
        "unread", "the reader failed (ZeroDivisionError)",
    )  # fmt: skip
    assert [size for _, size, _ in layout.pieces] == [16 << 20, 1 << 20]


def test_other_bytes_than_the_digest_says_are_damage(tmp_path: Path) -> None:
    path = written(tmp_path / "file", b"other")
    with pytest.raises(Damaged, match="is damaged"):
        checked_layout(path, ["file"], hashed(b"bytes"))


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RegtuiError, match="missing"):
        layout_of(tmp_path / "missing", "missing")


@given(
    size=st.integers(0, 300),
    cuts=st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 90))), max_size=3),
    block=st.integers(1, 64),
    alone=st.booleans(),
)
def test_digests_of_any_parts_are_those_of_their_bytes(
    tmp_path_factory: pytest.TempPathFactory,
    size: int,
    cuts: list[list[tuple[int, int]]],
    block: int,
    *,
    alone: bool,
) -> None:
    content = bytes(n % 251 for n in range(size))
    rows = []
    for cut in [[], *cuts]:
        row, end = [], 0
        for gap, length in cut:
            if end + gap + length <= size:
                row.append((end + gap, length))
                end += gap + length
        rows.append(row)
    path = written(tmp_path_factory.mktemp("spans") / "file", content)
    with pytest.MonkeyPatch.context() as patch, opened(path) as source:
        patch.setattr(digesting, "BLOCK", block)
        patch.setattr(digesting, "_WORTH_A_THREAD", 2**40 if alone else 0)
        found = digests(source, rows)
    assert found == [{(a, n): hashed(content[a : a + n]) for a, n in row} for row in rows]


def test_a_source_reads_no_more_than_there_is(tmp_path: Path) -> None:
    with opened(written(tmp_path / "file", b"0123456789")) as source:
        assert source.size == 10
        assert source.read(8, 2**60) == b"89"
        assert source.read(10, 1) == source.read(-1, 4) == source.read(0, -1) == b""
        with pytest.raises(OSError, match="too early"):
            source.fill(8, memoryview(bytearray(4)))


def test_what_is_new_to_the_store_is_described_and_nothing_else(
    store: ObjectStore, checkpoint: Path
) -> None:
    made: dict[str, Layout] = {}
    entries = store.ingest(scan(checkpoint), on_layout=made.__setitem__)
    by_path = {entry.path: made[entry.digest] for entry in entries}
    assert len(made) == 5
    for path, layout in by_path.items():
        assert layout == layout_of(checkpoint / path, path)
    written(checkpoint / "new.json", b"[]")
    made.clear()
    store.ingest(scan(checkpoint), on_layout=made.__setitem__)
    assert [layout.suffixes for layout in made.values()] == [(".json",)]


def test_a_reader_whose_file_fails_stops_no_capture(
    store: ObjectStore, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(source: Source, name: str, limits: Limits | None = None) -> Facts:
        raise OSError(5, "the disk failed") if name.endswith(".safetensors") else ValueError

    answering(monkeypatch, fail)
    made: dict[str, Layout] = {}
    entries = store.ingest(scan(checkpoint), on_layout=made.__setitem__)
    assert len(entries) == 5
    assert {one.facts.safety for one in made.values()} == {"unread"}
    assert entries[1].path == "model.safetensors"
    assert entries[1].digest not in made


def test_an_interrupted_capture_gives_up_describing(
    store: ObjectStore, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gone = threading.Event(), threading.Event()

    def wait(source: Source, name: str) -> Facts:
        if source.size > 1 << 20:
            begun.set()
            gone.wait(60)
            source.read(0, 1)
            pytest.fail("nobody wants these bytes any more")
        return Facts("mine", "no-code")

    def interrupt(count: int) -> None:
        if begun.is_set():
            threading.Timer(0.1, gone.set).start()
            raise KeyboardInterrupt

    answering(monkeypatch, wait)
    for number in range(9):
        written(checkpoint / f"z{number}", os.urandom(5 << 20))
    made: dict[str, Layout] = {}
    with pytest.raises(KeyboardInterrupt):
        store.ingest(scan(checkpoint), on_progress=interrupt, on_layout=made.__setitem__)
    assert not list((store.root / "tmp").glob("*/*"))
