import struct

import pytest

from regtui.formats.values import Limits
from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded

START = b"{L" + struct.pack(">q", 7) + b"learner"


def key(name: str) -> bytes:
    return b"L" + struct.pack(">q", len(name)) + name.encode()


@pytest.mark.parametrize("layout", ["json", "ubj"])
@pytest.mark.parametrize("booster", ["gbtree", "dart", "gblinear"])
def test_a_file_of_the_library_tells_what_it_is(booster: str, layout: str) -> None:
    facts = facts_of_recorded(f"xgboost-{booster}.{layout}")
    assert (facts.format, facts.safety, facts.complete) == ("xgboost", "no-code", True)
    assert facts.metadata["objective.name"] == "binary:logistic"
    assert facts.metadata["learner_model_param.num_feature"] == "3"
    assert facts.metadata["attributes.note"] == "hi"
    assert facts.metadata["feature_names"] == '["a","b","c"]'
    assert facts.metadata["version"] == "3.2.0"
    assert facts.metadata["booster"] == booster
    assert facts.metadata.get("num_trees") == (None if booster == "gblinear" else "3")


def test_both_layouts_tell_the_same() -> None:
    assert facts_of_recorded("xgboost-gbtree.json") == facts_of_recorded("xgboost-gbtree.ubj")


def test_the_binary_layout_of_old_versions_tells_its_parameters() -> None:
    facts = facts_of(b"binf" + struct.pack("<fIi", 0.5, 12, 3) + bytes(100))
    assert (facts.format, facts.safety, facts.complete) == ("xgboost", "no-code", None)
    assert facts.metadata == {"base_score": 0.5, "num_feature": 12, "num_class": 3}


def test_a_text_beyond_the_limit_is_known_by_its_start() -> None:
    content = recorded("xgboost-gbtree.json")
    facts = facts_of(content, "m.json", Limits(header_bytes=1000))
    assert (facts.format, facts.safety, facts.complete, facts.cut) == (
        "xgboost",
        "no-code",
        None,
        True,
    )


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(START + b"[$d#L" + struct.pack(">q", 2**60), id="numbers"),
        pytest.param(START + b"[$S#L" + struct.pack(">q", 2**60), id="texts"),
        pytest.param(START + b"[#L" + struct.pack(">q", 2**60), id="values"),
        pytest.param(START + b"{#L" + struct.pack(">q", 2**60), id="keys"),
        pytest.param(START + b"[$Z#L" + struct.pack(">q", 2**60) + b"}", id="no bytes at all"),
        pytest.param(START + b"[$[#L" + struct.pack(">q", 2**60) * 2, id="arrays"),
        pytest.param(START + b"SL" + struct.pack(">q", 2**60), id="one text"),
        pytest.param(START + b"SL" + struct.pack(">q", -5), id="negative"),
        pytest.param(START + b"[" * 100_000, id="deep"),
        pytest.param(START + b"{i\x01a" * 100_000, id="deep maps"),
        pytest.param(START + b"N" * 6_000_000, id="nothing at all"),
        pytest.param(START + b"[$d" + b"x", id="a type without a count"),
        pytest.param(START + b"?", id="unknown marker"),
        pytest.param(START + b"{}}x", id="bytes behind"),
    ],
)
def test_ubjson_that_claims_what_it_has_not_is_unread(content: bytes) -> None:
    facts = facts_of(content, "model.ubj")
    assert (facts.format, facts.safety) == ("xgboost", "unread")
    assert facts.complete is not True


def test_values_of_every_kind_are_walked_over() -> None:
    values = [
        b"Z",
        b"T",
        b"F",
        b"i\xff",
        b"U\xff",
        b"I\xff\xff",
        b"l" + bytes(4),
        b"L" + bytes(8),
        b"d" + bytes(4),
        b"D" + bytes(8),
        b"Cx",
        b"Si\x01x",
        b"Hi\x011",
        b"[]",
        b"{}",
        b"[ZTF]",
        b"{i\x01aZi\x01bT}",
        b"[$i#i\x02\x00\x01",
        b"[$Z#i\x02",
        b"{$i#i\x01i\x01a\x05",
        b"[#i\x02ZZ",
        b"{#i\x01i\x01aZ",
        b"NZ",
        b"[$S#i\x02i\x01ai\x01b",
    ]
    for value in values:
        content = START + b"{" + key("objective") + b"{" + key("name") + b"Si\x01x"
        content += key("odd") + value + b"}}}"
        facts = facts_of(content, "m.ubj")
        assert (facts.complete, facts.metadata["objective.name"]) == (True, "x"), value


@pytest.mark.parametrize("content", [b'{"learner":' + b"[" * 200_000, b'{"learner": 5}'])
def test_json_that_is_no_model_is_unread(content: bytes) -> None:
    assert facts_of(content, "m.json").safety == "unread"
