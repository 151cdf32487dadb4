import struct

import pytest

from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded


@pytest.mark.parametrize("name", ["catboost-plain.cbm", "catboost-plain.json"])
def test_a_file_of_the_library_tells_what_it_is(name: str) -> None:
    facts = facts_of_recorded(name)
    assert (facts.format, facts.safety, facts.complete) == ("catboost", "no-code", True)
    assert facts.metadata["trees"] == 3
    assert facts.metadata["params.tree_learner_options.depth"] == 2
    assert facts.metadata["params.loss_function.type"] == "Logloss"


def test_parts_behind_the_buffer_leave_it_open_whether_the_file_is_whole() -> None:
    facts = facts_of_recorded("catboost-categories.cbm")
    assert (facts.safety, facts.complete, facts.metadata["trees"]) == ("no-code", None, 3)


def test_a_file_shorter_than_it_says_is_not_complete() -> None:
    facts = facts_of(recorded("catboost-plain.cbm")[:-1])
    assert (facts.format, facts.safety, facts.complete) == ("catboost", "unread", False)


def test_bytes_behind_a_model_without_parts_are_unread() -> None:
    facts = facts_of(recorded("catboost-plain.cbm") + b"x")
    assert (facts.safety, facts.complete) == ("unread", None)


@pytest.mark.parametrize("at", range(0, 60, 4))
def test_offsets_that_lead_outside_are_unread_or_harmless(at: int) -> None:
    content = bytearray(recorded("catboost-plain.cbm"))
    struct.pack_into("<I", content, 8 + at, 0xFFFFFFF0)
    facts = facts_of(bytes(content))
    assert facts.safety in {"unread", "no-code"}
    assert "failed" not in (facts.problem or "")


def test_a_vector_of_more_than_the_buffer_is_unread() -> None:
    core = struct.pack("<I", 16) + struct.pack("<HHHHHH", 12, 8, 0, 0, 4, 0) + struct.pack("<i", 12)
    core += struct.pack("<I", 4) + struct.pack("<I", 0xFFFFFFF0)
    facts = facts_of(b"CBM1" + struct.pack("<I", len(core)) + core)
    assert facts.safety == "unread"
    assert facts.problem == "a vector reaches beyond its buffer"
