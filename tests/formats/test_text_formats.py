import json

import pytest

from regtui.formats.values import Limits
from tests.formats.recorded_files import facts_of


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("README.md", "# größer\n", "markdown"),
        ("args.yaml", "lr: 0.1\n", "yaml"),
        ("results.csv", "class,score\n1,2\n", "csv"),
        ("results.csv", "col\nname\nR.", "csv"),
        ("hparams", "lr = 1\n", "text"),
        ("merges.txt", "#version: 0.2\nĠ t\n", "text"),
        ("config.json", '{"hidden_size": 8}', "json"),
        ("list.json", "[1, 2]", "json"),
    ],
)
def test_text_is_inert(name: str, content: str, kind: str) -> None:
    facts = facts_of(content.encode(), name)
    assert (facts.format, facts.safety) == (kind, "no-code")
    assert facts.complete is (True if kind == "json" else None)


def test_an_image_is_inert() -> None:
    facts = facts_of(b"\x89PNG\r\n\x1a\n" + bytes(50), "plot.png")
    assert (facts.format, facts.safety) == ("png", "no-code")


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("modeling_x.py", b"import torch\n", "python"),
        ("run", b"#!/bin/sh\nrm -r x\n", "script"),
        ("ops.so", b"\x7fELF" + bytes(60), "elf"),
        ("ops.bin", b"\x7fELF" + bytes(60), "elf"),
        ("ops.wasm", b"\0asm" + bytes(60), "wasm"),
        ("ops.dll", b"MZ" + bytes(60), "pe"),
    ],
)
def test_a_program_says_so(name: str, content: bytes, kind: str) -> None:
    facts = facts_of(content, name)
    assert (facts.format, facts.safety) == (kind, "dangerous")
    assert facts.problem is not None


def test_unknown_bytes_are_unread() -> None:
    facts = facts_of(bytes(range(256)), "blob")
    assert (facts.format, facts.safety) == ("unknown", "unread")


def test_a_cut_json_is_not_complete_and_still_inert() -> None:
    facts = facts_of(b'{"a": [1, 2', "config.json")
    assert (facts.format, facts.safety, facts.complete) == ("json", "no-code", False)


@pytest.mark.parametrize("content", [b"[" * 1_000_000, b'{"a":' * 500_000, b"[[]," * 600_000])
def test_json_beyond_the_limits_is_cut(content: bytes) -> None:
    facts = facts_of(content, "config.json")
    assert (facts.format, facts.safety, facts.complete, facts.cut) == (
        "json",
        "no-code",
        None,
        True,
    )


def test_a_character_that_the_head_cuts_is_still_text() -> None:
    assert facts_of(b"x" * 4095 + "ö".encode() * 3, "notes.txt").format == "text"


def test_an_index_tells_its_shards() -> None:
    index = {
        "metadata": {"total_size": 1234},
        "weight_map": {
            "a": "model-1.safetensors",
            "b": "model-1.safetensors",
            "c": "model-2.safetensors",
        },
    }
    facts = facts_of(json.dumps(index).encode(), "model.safetensors.index.json")
    assert (facts.format, facts.safety, facts.complete) == ("shards", "no-code", True)
    assert facts.metadata == {"total_size": 1234, "shards": 2, "tensors": 3}


def test_json_longer_than_a_header_is_known_by_its_start() -> None:
    facts = facts_of(b"[" + b"1," * 1000 + b"1]", "x.json", Limits(header_bytes=100))
    assert (facts.format, facts.safety, facts.complete, facts.cut) == (
        "json",
        "no-code",
        None,
        True,
    )
