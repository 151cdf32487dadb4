import struct

from regtui.formats.values import Limits
from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def model(graph: bytes) -> bytes:
    return field(1, 8) + field(7, graph) + field(8, field(2, 17))


def test_a_file_of_the_library_tells_initialisers_and_itself() -> None:
    content = recorded("onnx-plain.onnx")
    facts = facts_of(content)
    assert (facts.format, facts.safety, facts.complete) == ("onnx", "no-code", None)
    weight, bias = facts.tensors
    assert (weight.name, weight.dtype, weight.shape) == ("weight", "float32", (3, 2))
    assert weight.offset is not None
    assert struct.unpack_from("<6f", content, weight.offset) == (0, 1, 2, 3, 4, 5)
    assert (bias.name, bias.dtype, bias.shape, bias.offset) == ("bias", "int64", (2,), None)
    assert facts.metadata == {
        "ir_version": 9,
        "producer_name": "regtui",
        "graph.name": "plain",
        "opset.ai.onnx": 17,
        "metadata_props.author": "ann",
        "nodes": 1,
    }


def test_branches_functions_domains_and_other_files_are_told() -> None:
    facts = facts_of_recorded("onnx-rich.onnx")
    assert facts.safety == "no-code"
    assert [item.name for item in facts.tensors] == [
        "branch-1.inner",
        "branch-2.inner",
        "weight",
        "away",
    ]
    assert facts.tensors[-1].offset is None
    assert facts.metadata["custom_domains"] == "org.example"
    assert facts.metadata["external_data"] == "weights.bin"
    assert facts.metadata["functions"] == 1
    assert facts.problem is None


def test_data_outside_of_the_folder_is_a_problem() -> None:
    for place in ("../secret", "/etc/passwd", "a/../../b", "C:\\x", "a\\..\\..\\b"):
        pair = field(1, b"location") + field(2, place.encode())
        tensor = field(8, b"w") + field(14, 1) + field(13, pair)
        facts = facts_of(model(field(5, tensor)), "m.onnx")
        assert facts.problem is not None
        assert "outside" in facts.problem


def test_data_outside_of_the_folder_is_found_behind_many_places_and_in_a_long_one() -> None:
    few = Limits(metadata=3, text=20)
    for places in ([*"abcdef", "../secret"], ["a/" * 40 + "../" * 60 + "etc"]):
        tensors = b""
        for place in places:
            pair = field(1, b"location") + field(2, place.encode())
            tensors += field(5, field(8, b"w") + field(14, 1) + field(13, pair))
        facts = facts_of(model(tensors), "m.onnx", few)
        assert facts.problem is not None
        assert "outside" in facts.problem


def test_a_cut_model_is_not_complete_and_keeps_the_format_of_its_name() -> None:
    facts = facts_of(recorded("onnx-plain.onnx")[:-50], "model.onnx")
    assert (facts.format, facts.safety, facts.complete) == ("onnx", "unread", False)


def test_graphs_in_graphs_end_at_the_limit() -> None:
    graph = field(2, b"g")
    for _ in range(300):
        graph = field(1, field(5, field(6, graph)))
    facts = facts_of(model(graph), "deep.onnx")
    assert (facts.format, facts.safety) == ("onnx", "unread")


def test_records_end_at_the_limit() -> None:
    graph = field(1, b"") * 1000
    facts = facts_of(model(graph), "m.onnx", Limits(steps=500))
    assert facts.safety == "unread"
    facts = facts_of(model(field(5, b"") * 20), "m.onnx", Limits(tensors=10))
    assert facts.safety == "unread"


def test_a_length_beyond_the_file_is_a_cut_file() -> None:
    facts = facts_of(field(1, 8) + varint(7 << 3 | 2) + varint(2**60), "m.onnx")
    assert (facts.safety, facts.complete) == ("unread", False)


def test_a_field_beyond_its_message_is_unread() -> None:
    facts = facts_of(model(varint(5 << 3 | 2) + varint(20)) + bytes(50), "m.onnx")
    assert facts.safety == "unread"
