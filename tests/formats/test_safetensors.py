import json
import struct
from typing import Any

import pytest

from regtui.formats.values import Facts, Limits
from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded


def written(table: dict[str, Any] | str, data: bytes = b"") -> bytes:
    text = (table if isinstance(table, str) else json.dumps(table)).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(start: int, end: int, dtype: str = "U8") -> dict[str, Any]:
    return {"dtype": dtype, "shape": [end - start], "data_offsets": [start, end]}


def refused(content: bytes) -> Facts:
    facts = facts_of(content, "model.safetensors")
    assert (facts.format, facts.safety) == ("safetensors", "unread")
    assert facts.complete is not True
    assert facts.problem
    return facts


def test_a_file_of_the_library_tells_its_tensors_in_the_order_of_the_file() -> None:
    facts = facts_of_recorded("safetensors-mixed.safetensors")
    assert (facts.format, facts.safety, facts.complete) == ("safetensors", "no-code", True)
    assert {(item.name, item.dtype, item.shape) for item in facts.tensors} == {
        ("embed.weight", "float32", (3, 4)),
        ("head.bias", "float16", (5,)),
        ("mask", "bool", (2,)),
        ("scale", "float64", ()),
        ("steps", "int64", (3,)),
        ("empty", "uint8", (0, 7)),
    }
    offsets = [item.offset for item in facts.tensors if item.offset is not None]
    assert offsets == sorted(offsets)
    assert facts.metadata == {"format": "np", "note": "größer"}


def test_an_offset_leads_to_the_raw_values() -> None:
    content = recorded("safetensors-mixed.safetensors")
    tensors = {item.name: item for item in facts_of(content).tensors}
    steps = tensors["steps"]
    assert steps.offset is not None
    assert struct.unpack_from("<3q", content, steps.offset) == (0, 1, 2)


def test_a_file_without_tensors_is_complete() -> None:
    facts = facts_of_recorded("safetensors-none.safetensors")
    assert (facts.format, facts.complete, facts.tensors) == ("safetensors", True, ())


@pytest.mark.parametrize(
    ("dtype", "values", "size", "named"),
    [("F8_E4M3", 3, 3, "float8_e4m3fn"), ("BF16", 2, 4, "bfloat16"), ("F4", 6, 3, "float4_e2m1fn")],
)
def test_small_types_have_their_size(dtype: str, values: int, size: int, named: str) -> None:
    table = {"t": {"dtype": dtype, "shape": [values], "data_offsets": [0, size]}}
    (tensor,) = facts_of(written(table, bytes(size))).tensors
    assert (tensor.dtype, tensor.size) == (named, size)


def test_a_file_that_ends_within_its_data_is_told_and_keeps_its_table() -> None:
    facts = facts_of(written({"a": entry(0, 9)}, bytes(5)))
    assert (facts.safety, facts.complete) == ("no-code", False)
    assert facts.problem == "the file ends 4 bytes early"
    assert [item.name for item in facts.tensors] == ["a"]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(written({"a": entry(0, 4), "b": entry(2, 6)}, bytes(6)), id="overlap"),
        pytest.param(written({"a": entry(0, 4), "b": entry(5, 6)}, bytes(6)), id="hole"),
        pytest.param(written({"a": entry(1, 4)}, bytes(4)), id="hole at the start"),
        pytest.param(written({"a": entry(0, 4)}, bytes(5)), id="bytes behind"),
        pytest.param(written({"a": entry(0, 4, "F32")}, bytes(4)), id="size of another type"),
        pytest.param(written({"a": entry(0, 4, "X9")}, bytes(4)), id="unknown type"),
        pytest.param(written({"a": entry(4, 0)}, bytes(4)), id="backwards"),
        pytest.param(written({"__metadata__": {"a": 1}}), id="metadata that is no text"),
        pytest.param(written({"a": {**entry(0, 1), "b": 1}}, b"0"), id="unknown key"),
        pytest.param(written("[" * 100_000), id="no map, and deep"),
        pytest.param(written('{"a":' + "[" * 100_000 + "}"), id="deep"),
        pytest.param(struct.pack("<Q", 2**63) + b"{}", id="length of 2^63"),
        pytest.param(struct.pack("<Q", 1 << 30) + b"{}", id="length beyond the file"),
    ],
)
def test_a_table_that_does_not_account_for_the_file_is_refused(content: bytes) -> None:
    refused(content)


def test_a_name_that_is_there_twice_is_refused() -> None:
    one = json.dumps(entry(0, 2))
    refused(written(f'{{"a": {one}, "a": {one}}}', bytes(2)))
    refused(written(f'{{"__metadata__": {{"k": "1", "k": "2"}}, "a": {one}}}', bytes(2)))
    shape = '{"dtype": "U8", "shape": [9], "shape": [2], "data_offsets": [0, 2]}'
    refused(written(f'{{"a": {shape}}}', bytes(2)))


def test_colons_and_braces_in_names_are_no_structure() -> None:
    table = {'a:{"\\': entry(0, 2), "__metadata__": {"k:": 'v:{"}'}}
    facts = facts_of(written(table, bytes(2)))
    assert (facts.complete, facts.metadata) == (True, {"k:": 'v:{"}'})


def test_sizes_that_overflow_are_compared_as_they_are() -> None:
    table = {"a": {"dtype": "F32", "shape": [2**62, 2**62, 16], "data_offsets": [0, 0]}}
    refused(written(table))


def test_a_table_of_more_entries_than_the_limit_is_not_even_decoded() -> None:
    table = "{" + ",".join(f'"{index}":1' for index in range(1000)) + "}"
    facts = facts_of(written(table), "m.safetensors", Limits(tensors=50))
    assert facts.problem == "the table has more entries than can be read"


def test_limits_bound_tensors_and_metadata() -> None:
    table = {str(index): entry(0, 0) for index in range(5)}
    facts = facts_of(written(table), "m.safetensors", Limits(tensors=4))
    assert (facts.safety, facts.tensors) == ("unread", ())
    own = {"__metadata__": {str(index): "x" * 10 for index in range(5)}}
    facts = facts_of(written(own), "m.safetensors", Limits(metadata=3, text=4))
    assert (facts.cut, facts.metadata) == (True, {"0": "xxxx", "1": "xxxx", "2": "xxxx"})
