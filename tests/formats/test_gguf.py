import struct

import pytest

from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded


def text(value: str, width: str = "Q") -> bytes:
    return struct.pack("<" + width, len(value)) + value.encode()


def header(tensors: int, entries: int, version: int = 3) -> bytes:
    width = "I" if version == 1 else "Q"
    return b"GGUF" + struct.pack(f"<I2{width}", version, tensors, entries)


def info(name: str, kind: int, offset: int, *shape: int) -> bytes:
    dimensions = struct.pack(f"<I{len(shape)}Q", len(shape), *shape)
    return text(name) + dimensions + struct.pack("<IQ", kind, offset)


def padded(content: bytes, alignment: int = 32) -> bytes:
    return content + bytes(-len(content) % alignment)


def test_a_file_of_the_library_tells_tensors_and_metadata() -> None:
    facts = facts_of_recorded("gguf-little.gguf")
    assert (facts.format, facts.safety, facts.complete) == ("gguf", "no-code", True)
    assert [(item.name, item.dtype, item.shape, item.size) for item in facts.tensors] == [
        ("token_embd.weight", "float32", (2, 64), 512),
        ("output_norm.weight", "float16", (3,), 6),
        ("blk.0.q", "q8_0", (2, 64), 136),
    ]
    assert facts.metadata["general.architecture"] == "llama"
    assert facts.metadata["llama.context_length"] == 128
    assert facts.metadata["tokenizer.ggml.add_bos_token"] is True
    assert facts.metadata["general.tags"] == '["a","b"]'
    assert facts.metadata["tokenizer.ggml.tokens.length"] == 200
    assert "tokenizer.ggml.tokens" not in facts.metadata


def test_both_orders_of_bytes_tell_the_same() -> None:
    little, big = (facts_of_recorded(f"gguf-{order}.gguf") for order in ("little", "big"))
    assert big.metadata == little.metadata
    assert [item.name for item in big.tensors] == [item.name for item in little.tensors[:2]]
    content = recorded("gguf-big.gguf")
    assert big.tensors[0].offset is not None
    assert struct.unpack_from(">3f", content, big.tensors[0].offset) == (0, 1, 2)


def test_version_1_counts_with_half_the_width() -> None:
    entry = text("general.name", "I") + struct.pack("<I", 8) + text("old", "I")
    facts = facts_of(header(0, 1, version=1) + entry)
    assert (facts.complete, facts.metadata) == (True, {"gguf.version": 1, "general.name": "old"})


def test_the_alignment_of_the_file_counts() -> None:
    entry = text("general.alignment") + struct.pack("<II", 4, 128)
    content = padded(header(1, 1) + entry + info("t", 0, 0, 2), 128)
    facts = facts_of(content + bytes(128))
    assert (facts.complete, facts.tensors[0].offset) == (True, len(content))


def test_a_last_tensor_without_padding_leaves_it_open_whether_the_file_is_whole() -> None:
    content = padded(header(1, 0) + info("t", 0, 0, 2))
    assert facts_of(content + bytes(32)).complete is True
    assert facts_of(content + bytes(8)).complete is None
    assert facts_of(content + bytes(7)).complete is False


def test_a_type_that_is_not_known_ends_where_the_next_tensor_starts() -> None:
    content = padded(header(2, 0) + info("new", 999, 0, 2) + info("t", 0, 64, 8))
    facts = facts_of(content + bytes(96))
    assert [(item.dtype, item.size) for item in facts.tensors] == [
        ("type-999", 64),
        ("float32", 32),
    ]
    assert facts.complete is True


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(header(2**60, 0), id="tensors"),
        pytest.param(header(0, 2**60), id="entries"),
        pytest.param(header(0, 1) + struct.pack("<Q", 2**60), id="a key"),
        pytest.param(
            header(0, 1) + text("k") + struct.pack("<IIQ", 9, 0, 2**60), id="array of bytes"
        ),
        pytest.param(
            header(0, 1) + text("k") + struct.pack("<IIQ", 9, 8, 2**60), id="array of texts"
        ),
        pytest.param(
            header(0, 1) + text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 5000,
            id="arrays in arrays",
        ),
        pytest.param(header(1, 0) + text("t") + struct.pack("<I", 2**31), id="dimensions"),
        pytest.param(
            padded(header(2, 0) + info("a", 0, 0, 64) + info("b", 0, 32, 8)) + bytes(512),
            id="overlap",
        ),
        pytest.param(header(0, 1) + text("k") + struct.pack("<I", 77), id="type of a value"),
        pytest.param(header(0, 0, version=4), id="version"),
        pytest.param(
            padded(
                header(1, 1)
                + text("general.alignment")
                + struct.pack("<II", 4, 0)
                + info("t", 0, 0, 1)
            ),
            id="alignment of nothing",
        ),
    ],
)
def test_what_can_not_be_is_unread(content: bytes) -> None:
    facts = facts_of(content, "model.gguf")
    assert (facts.format, facts.safety) == ("gguf", "unread")
    assert facts.complete is not True


def test_a_size_beyond_all_bounds_is_a_file_that_ends_early() -> None:
    facts = facts_of(padded(header(1, 0) + info("t", 0, 0, 2**40, 2**40)))
    assert facts.complete is False
