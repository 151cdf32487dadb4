import pytest

from tests.formats.recorded_files import facts_of
from tests.formats.test_onnx import field


def saved_model(*operations: str, in_function: str = "MatMul") -> bytes:
    nodes = b"".join(field(1, field(2, name.encode())) for name in operations)
    function = field(1, field(3, field(2, in_function.encode())))
    about = field(1, field(4, b"serve") + field(5, b"2.20.0"))
    return field(1, 1) + field(2, about + field(2, nodes + field(2, function)))


def test_a_graph_that_only_computes_carries_no_code() -> None:
    facts = facts_of(saved_model("MatMul", "Relu"), "saved_model.pb")
    assert (facts.format, facts.safety, facts.complete) == ("tensorflow", "no-code", None)
    assert facts.metadata == {"tags": '["serve"]', "tensorflow_version": "2.20.0", "nodes": 3}


@pytest.mark.parametrize("name", ["PyFunc", "EagerPyFunc", "WriteFile", "DebugIdentity"])
def test_a_graph_that_calls_python_or_writes_files_is_dangerous(name: str) -> None:
    for content in (saved_model("MatMul", name), saved_model(in_function=name)):
        facts = facts_of(content, "saved_model.pb")
        assert (facts.safety, facts.globals) == ("dangerous", (f"tensorflow.{name}",))


def test_danger_that_was_seen_outweighs_a_cut() -> None:
    content = saved_model("PyFunc", *["MatMul"] * 50) + field(2, bytes(9))[:-3]
    facts = facts_of(content, "saved_model.pb")
    assert facts.safety == "dangerous"


def test_a_cut_graph_is_unread() -> None:
    facts = facts_of(saved_model("MatMul")[:-3], "saved_model.pb")
    assert (facts.format, facts.safety, facts.complete) == ("tensorflow", "unread", False)
