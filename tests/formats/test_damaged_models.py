"""Every recorded file cut, changed and extended: an answer, never an exception or a false claim."""

import sys
from typing import Final

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.formats.values import LIMITS, SAFETIES, Facts
from tests.formats.recorded_files import RECORDED, facts_of, recorded

FAMILIES: Final = (
    "safetensors",
    "gguf",
    "onnx",
    "hdf5",
    "keras",
    "xgboost",
    "lightgbm",
    "catboost",
)
FILES: Final = sorted(
    file.name
    for file in RECORDED.iterdir()
    if file.suffix != ".py" and file.name.startswith(FAMILIES)
)
CARRIERS: Final = {"keras-lambda.h5", "keras-lambda.json", "keras-lambda.keras"}
SMALL: Final = 2500  # bytes of a file that is cut everywhere


def sound(facts: Facts) -> None:
    assert facts.safety in SAFETIES
    assert "failed" not in (facts.problem or "")
    assert msgspec.json.encode(facts)
    assert len(facts.metadata) <= LIMITS.metadata
    assert all(len(v) <= LIMITS.text for v in facts.metadata.values() if isinstance(v, str))
    assert list(facts.globals) == sorted(set(facts.globals))
    assert all(item.offset is None or item.offset >= 0 for item in facts.tensors)


def places(size: int) -> list[int]:
    if size <= SMALL:
        return list(range(size))
    return sorted({*range(400), *range(0, size, 41), *range(size - 400, size)})


def test_there_are_files_of_every_family() -> None:
    assert {name.split("-")[0] for name in FILES} == set(FAMILIES)


@pytest.mark.parametrize("name", FILES)
def test_a_whole_file_is_understood_and_judged_right(name: str) -> None:
    facts = facts_of(recorded(name), name)
    sound(facts)
    assert (facts.safety == "dangerous") == (name in CARRIERS)
    assert facts.safety != "unread"
    assert facts.complete is not False
    without_a_hint = facts_of(recorded(name))
    assert (without_a_hint.format, without_a_hint.safety) == (facts.format, facts.safety)


@pytest.mark.parametrize("name", FILES)
def test_a_cut_file_is_never_called_complete(name: str) -> None:
    content = recorded(name)
    for length in places(len(content)):
        if not content[length:].strip() and not name.endswith(".txt"):
            continue  # only white space was cut
        facts = facts_of(content[:length], name)
        sound(facts)
        assert facts.complete is not True, length


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(FILES),
    st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=9)), min_size=1, max_size=6),
    st.booleans(),
    st.booleans(),
)
def test_a_changed_file_gets_an_answer(
    name: str, changes: list[tuple[float, bytes]], insert: bool, hint: bool
) -> None:
    content = bytearray(recorded(name))
    for share, new in changes:
        # Most of what decides stands at the start.
        place = int(share**3 * len(content))
        content[place : place + (0 if insert else len(new))] = new
    before = set(sys.modules)
    sound(facts_of(bytes(content), name if hint else "model"))
    assert all(name.startswith(("regtui.", "encodings.")) for name in set(sys.modules) - before)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(
        [
            b"",
            b"GGUF\3\0\0\0",
            b"\x89HDF\r\n\x1a\n\0\0\0\0\0\10\10\0",
            b"CBM1",
            b"{L\0\0\0\0\0\0\0\7learner",
            b"\x08\x09",
            b"tree\nversion=v4\n",
            b'{"learner":',
            b"binf",
            b"\2\0\0\0\0\0\0\0{}",
            b"PK\3\4",
            b"\x80\4",
        ]
    ),
    st.binary(max_size=300),
    st.sampled_from(["", ".onnx", ".h5", ".ubj", ".safetensors", ".keras", ".txt", ".json"]),
)
def test_any_bytes_behind_a_start_get_an_answer(start: bytes, rest: bytes, suffix: str) -> None:
    sound(facts_of(start + rest, f"model{suffix}"))
