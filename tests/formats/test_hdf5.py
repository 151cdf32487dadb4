import struct

import pytest

from regtui.formats.values import Facts, Limits
from tests.formats.recorded_files import facts_of, facts_of_recorded, recorded

LAYER = ("layer/kernel", "layer/bias")


def by_end_of_name(facts: Facts) -> dict[str, tuple[str, tuple[int, ...]]]:
    """The recorded group has two names; which is found first is the file's order."""
    return {
        item.name.replace("again/", "layer/"): (item.dtype, item.shape) for item in facts.tensors
    }


def address_of(content: bytes | bytearray, signature: bytes) -> int:
    place = content.index(signature)
    assert place > 0
    return place


@pytest.mark.parametrize("layout", ["older", "newer", "user-block"])
def test_every_layout_tells_the_same_datasets(layout: str) -> None:
    facts = facts_of_recorded(f"hdf5-{layout}.h5")
    assert (facts.format, facts.safety, facts.complete) == ("hdf5", "no-code", True)
    assert facts.problem is None
    found = by_end_of_name(facts)
    assert {name: value for name, value in found.items() if not name.startswith("many/")} == {
        "layer/kernel": ("float32", (2, 3)),
        "layer/bias": ("int16", (3,)),
        "flags": ("bool", (2,)),
        "names": ("string", (2,)),
        "packed": ("float64", (8, 8)),
    }
    assert facts.metadata == {"title": "größer", "epoch": 7}


def test_a_group_of_several_nodes_is_read_whole() -> None:
    names = {item.name for item in facts_of_recorded("hdf5-older.h5").tensors}
    assert {f"many/{index:02}" for index in range(9)} <= names


@pytest.mark.parametrize("layout", ["older", "newer", "user-block"])
def test_the_offset_of_contiguous_data_leads_to_it(layout: str) -> None:
    content = recorded(f"hdf5-{layout}.h5")
    tensors = {item.name.split("/")[-1]: item for item in facts_of(content).tensors}
    kernel = tensors["kernel"]
    assert kernel.offset is not None
    assert struct.unpack_from("<6f", content, kernel.offset) == (0, 1, 2, 3, 4, 5)
    assert kernel.size == 24
    assert tensors["packed"].offset is None


def test_a_large_group_of_the_newer_layout_is_a_problem_and_hides_nothing_else() -> None:
    facts = facts_of_recorded("hdf5-large-group.h5")
    assert facts.problem == "many: a large group is stored in a way that is not understood"
    assert set(LAYER) <= set(by_end_of_name(facts))


@pytest.mark.parametrize("more", [-1, -1000])
def test_the_end_that_the_superblock_names_decides_completeness(more: int) -> None:
    content = recorded("hdf5-older.h5")
    facts = facts_of(content[:more])
    assert facts.complete is False
    assert facts.problem is not None
    assert facts_of(content + b"0").complete is None


def test_a_file_that_a_writer_has_open_is_not_complete() -> None:
    content = bytearray(recorded("hdf5-newer.h5"))
    assert content[8] in {2, 3}
    content[11] |= 1
    assert facts_of(bytes(content)).complete is False


def test_a_tree_of_symbols_that_leads_back_to_itself_ends() -> None:
    content = bytearray(recorded("hdf5-older.h5"))
    tree = address_of(content, b"TREE")
    content[tree + 5] = 1
    struct.pack_into("<Q", content, tree + 32, tree)
    facts = facts_of(bytes(content))
    assert facts.problem is not None
    assert facts.tensors == ()


def test_an_object_that_continues_itself_ends() -> None:
    content = bytearray(recorded("hdf5-older.h5"))
    root = struct.unpack_from("<Q", content, 64)[0]
    struct.pack_into("<HHB3xQQ", content, root + 16, 0x10, 16, 0, root + 16, 24)
    struct.pack_into("<I", content, root + 8, 24)
    facts = facts_of(bytes(content))
    assert (facts.safety, facts.tensors) == ("unread", ())


def test_addresses_behind_the_end_are_a_problem() -> None:
    content = bytearray(recorded("hdf5-older.h5"))
    struct.pack_into("<Q", content, 64, 2**60)
    facts = facts_of(bytes(content))
    assert facts.safety == "unread"
    assert facts.problem is not None


def test_a_config_that_is_stored_out_of_sight_is_not_called_free_of_code() -> None:
    content = bytearray(recorded("keras-lambda.h5"))
    content[address_of(content, b"GCOL")] = 0  # the heap with the texts of the attributes
    facts = facts_of(bytes(content))
    assert facts.safety == "unread"


def test_pickled_attributes_of_pytables_are_not_called_free_of_code() -> None:
    content = recorded("hdf5-older.h5").replace(b"title\0", b"TITLE\0")
    assert facts_of(content).safety == "no-code"
    name = b"PYTABLES_FORMAT_VERSION\0"
    root = bytearray(content)
    start = struct.unpack_from("<Q", root, 64)[0]
    text = struct.pack("<B3xI", 0x13, 4)  # a text of four bytes
    space = struct.pack("<BBBx4x", 1, 0, 0)
    message = struct.pack("<BxHHH", 1, len(name), len(text), len(space))
    message += name + text + space + b"2.1\0\0\0\0\0"
    attribute = struct.pack("<HHB3x", 0x0C, len(message), 0) + message
    block = len(root)
    root += attribute
    struct.pack_into("<I", root, start + 8, 24)
    struct.pack_into("<HHB3xQQ", root, start + 16, 0x10, 16, 0, block, len(attribute))
    facts = facts_of(bytes(root))
    assert facts.safety == "unread"
    assert facts.problem is not None
    assert "PyTables" in facts.problem


def test_limits_bound_datasets() -> None:
    facts = facts_of(recorded("hdf5-older.h5"), "m.h5", Limits(tensors=3))
    assert len(facts.tensors) <= 3
    assert facts.problem is not None


def test_a_keras_model_in_it_is_judged_by_its_config() -> None:
    plain = facts_of_recorded("keras-plain.h5")
    assert (plain.safety, plain.complete) == ("no-code", True)
    assert plain.metadata["class"] == "Sequential"
    assert plain.metadata["optimizer.class"] == "SGD"
    code = facts_of_recorded("keras-lambda.h5")
    assert (code.format, code.safety) == ("hdf5", "dangerous")
    assert "keras.Lambda" in code.globals


def test_weights_alone_carry_no_code() -> None:
    facts = facts_of_recorded("keras-plain.weights.h5")
    assert (facts.safety, facts.complete) == ("no-code", True)
    assert [item.shape for item in facts.tensors if "dense" in item.name] == [(4, 3), (3,)]
