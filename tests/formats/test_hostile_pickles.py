"""Pickles that were made to be taken for harmless ones."""

import gzip
import io
import lzma
import struct
from collections.abc import Mapping

import joblib
import numpy as np
import pytest

from regtui.formats.values import Limits
from tests.formats.pickle_writing import (
    MARK,
    STOP,
    call,
    joblib_array,
    line_global,
    stack_global,
    text,
    torch_archive,
    whole,
)
from tests.formats.recorded_files import facts_of

EVIL = b"cposix\nsystem\n(S'true'\ntR."
LOAD = line_global("torch.storage", "_load_from_bytes")
COUNTER = line_global("collections", "Counter")
WRAPPER = line_global("joblib.numpy_pickle", "NumpyArrayWrapper")
TENSOR = line_global("torch", "Tensor")
ODD = b"I1\n0" * 2_000  # a text, as far as the first bytes tell


def binary(value: bytes) -> bytes:
    return b"B" + struct.pack("<I", len(value)) + value


def pairs(items: Mapping[str, bytes]) -> bytes:
    return b"}" + MARK + b"".join(text(key) + value for key, value in items.items()) + b"u"


def check_dangerous(content: bytes, name: str = "model.pkl", *named: str) -> None:
    facts = facts_of(content, name)

    assert facts.safety == "dangerous", (facts, content[:80])
    assert set(named) <= set(facts.globals)


# Numbers in lines of text, where the loader in C takes more than Python does.


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"I010\n0", id="octal"),
        pytest.param(b"I+07\n0", id="octal with a sign"),
        pytest.param(b"I" + b" " * 70_000 + b"1\n0", id="a long line"),
        pytest.param(b"L" + b" " * 70_000 + b"1L\n0", id="a long line with an L"),
        pytest.param(b"F" + b"0" * 70_000 + b"1.5\n0", id="a long line with a fraction"),
        pytest.param(b"I1\0x\n0", id="a zero byte ends it"),
        pytest.param(b"I\0x\n0", id="nothing before a zero byte"),
        pytest.param(b"L1\0x\n0", id="a zero byte ends it, with an L"),
        pytest.param(b"F1.0\0x\n0", id="a zero byte ends it, with a fraction"),
        pytest.param(b"Np1\0x\n0", id="a zero byte ends a place of the memo"),
        pytest.param(b"Np1\n0g1\0x\n0", id="a zero byte ends a place that is asked for"),
        pytest.param(b"Np" + b"0" * 300 + b"1\n0g1\n0", id="a place with many zeros"),
        pytest.param(b"Np" + b" " * 70_000 + b"1\n0", id="a place in a long line"),
    ],
)
@pytest.mark.parametrize("start", [b"", ODD, b"\x80\x02"], ids=["", "text first", "a header"])
def test_numbers_that_only_one_loader_takes_end_no_reading(start: bytes, before: bytes) -> None:
    check_dangerous(start + before + EVIL)


def test_lines_of_text_that_are_no_numbers_are_text() -> None:
    for content in (b"Introduction\n\nto it.\n", b"Long lines\nof text.\n", b"First.\n"):
        facts = facts_of(content, "README")

        assert (facts.format, facts.safety) == ("text", "no-code")


def test_what_is_too_much_to_be_run_is_not_said_to_be_text() -> None:
    limits = Limits(steps=10_000)
    for name in ("model.pkl", "model.bin", "model.dat"):
        facts = facts_of(b"N0" * 6_000 + EVIL, name, limits)

        assert facts.safety == "unread"


def test_a_text_that_starts_like_a_pickle_is_unread_where_it_is_opened_as_one() -> None:
    content = b"Now is the time.\n"

    assert facts_of(content, "notes.txt").safety == "no-code"
    assert facts_of(content, "notes.pkl").safety == "unread"


def test_code_in_a_second_pickle_of_a_text_is_seen_whatever_its_name() -> None:
    check_dangerous(b"I1\n." + EVIL, "model.dat", "posix.system")


def test_names_too_long_to_hold_are_dangerous() -> None:
    name = "path.os." * 10_000 + "system"

    check_dangerous(b"\x80\x04" + call(b"cos\n" + name.encode() + b"\n", text("true")) + STOP)


def frame(length: int) -> bytes:
    return b"\x95" + struct.pack("<Q", length)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(frame(5) + b"ccollections\nOrderedDict\n", id="a line"),
        pytest.param(frame(3) + text("collections") + text("OrderedDict") + b"\x93", id="a text"),
        pytest.param(frame(9) + frame(2) + b"NN", id="another frame"),
        pytest.param(frame(3) + b"I1x\n" + b"N", id="a number that is none then"),
        pytest.param(frame(20) + b"N" + frame(9) + b"N" * 20, id="another frame within"),
    ],
)
def test_what_reaches_across_the_end_of_a_frame_is_dangerous(content: bytes) -> None:
    """A loader in C that reads a file drops the rest of the frame, and so reads other names."""
    check_dangerous(b"\x80\x04" + content + STOP)
    assert facts_of(b"\x80\x04" + frame(3) + b"N0N.", "m.pkl").safety == "tensors-only"


# Functions that call what they are given.


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            call(
                line_global("torch._tensor", "_rebuild_from_type_v2"),
                LOAD,
                TENSOR,
                binary(EVIL) + b"\x85",
                b"}",
            ),
            id="a tensor's",
        ),
        pytest.param(
            call(
                line_global("torch._tensor", "_rebuild_from_type_v2"),
                line_global("torch._tensor", "_rebuild_from_type_v2"),
                TENSOR,
                MARK + LOAD + TENSOR + binary(EVIL) + b"\x85" + b"}t",
                b"}",
            ),
            id="a tensor's within itself",
        ),
        pytest.param(
            call(line_global("numpy.random._pickle", "__generator_ctor"), binary(EVIL), LOAD),
            id="numpy's generator",
        ),
        pytest.param(
            call(line_global("numpy.random._pickle", "__randomstate_ctor"), binary(EVIL), LOAD),
            id="numpy's random state",
        ),
        pytest.param(
            call(
                line_global("numpy.ma.core", "_mareconstruct"),
                line_global("numpy", "memmap"),
                line_global("numpy", "ndarray"),
                b"K\x00\x85",
                text("b"),
            ),
            id="numpy's masked array",
        ),
        pytest.param(
            call(
                line_global("pandas.core.indexes.base", "_new_Index"),
                line_global("numpy", "memmap"),
                pairs({"filename": text("x"), "mode": text("w+"), "shape": b"K\x01"}),
            ),
            id="pandas' index",
        ),
        pytest.param(
            call(
                line_global("copyreg", "_reconstructor"),
                COUNTER,
                line_global("pathlib", "Path"),
                text("x"),
            ),
            id="a base that is none",
        ),
        pytest.param(
            call(
                line_global("sklearn.neighbors._ball_tree", "newObj"),
                line_global("numpy", "memmap"),
            ),
            id="Cython's maker of another library's class",
        ),
        pytest.param(
            call(
                line_global("torch._utils", "_rebuild_parameter"),
                line_global("argparse", "Namespace") + b")\x81",
                b"\x88",
                b"}",
            ),
            id="a parameter of no tensor",
        ),
        pytest.param(
            call(
                line_global("sklearn.metrics.pairwise", "pairwise_distances"),
                b"]",
                b"]",
                COUNTER,
            ),
            id="a function that is only named in honest files",
        ),
    ],
)
def test_what_calls_its_arguments_gets_none_that_is_called(content: bytes) -> None:
    check_dangerous(whole(content))


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("torch.storage", "_load_from_bytes"),
        ("torch._tensor", "_rebuild_from_type_v2"),
        ("numpy.random._pickle", "__generator_ctor"),
        ("_codecs", "encode"),
        ("copyreg", "_reconstructor"),
        ("pandas.core.indexes.base", "_new_Index"),
        ("joblib.numpy_pickle", "NumpyArrayWrapper"),
        ("numpy", "memmap"),
    ],
)
def test_functions_with_a_check_are_called_and_never_handed_on(module: str, name: str) -> None:
    value = line_global(module, name)
    handed = {
        "a tuple": value + b"\x85",
        "a list": b"]" + MARK + value + b"e",
        "one item": b"]" + value + b"a",
        "an old list": MARK + value + b"l",
        "a set": b"\x8f" + MARK + value + b"\x90",
        "a dictionary": b"}" + MARK + text("a") + value + b"u",
        "a key": b"}" + value + b"Ns",
        "an old dictionary": MARK + text("a") + value + b"d",
        "a state": line_global("argparse", "Namespace") + b")\x81" + value + b"b",
        "an argument": MARK + COUNTER + value + b"o",
        "a slot": line_global("argparse", "Namespace")
        + b")\x81N}"
        + text("__setstate__")
        + value
        + b"s\x86b",
    }
    for way, content in handed.items():
        assert facts_of(whole(content), "model.pkl").safety == "dangerous", way


# Classes and functions whose call does more than make a value.


def test_a_memory_map_opens_files_and_is_dangerous() -> None:
    memmap = line_global("numpy", "memmap")
    reconstruct = line_global("numpy._core.multiarray", "_reconstruct")
    opening = [
        call(memmap, text("/tmp/x"), text("u1"), text("w+"), b"K\x00", b"K\x01\x85"),
        memmap + text("/tmp/x") + b"\x85\x81",
        call(line_global("copyreg", "_reconstructor"), memmap, memmap, text("/tmp/x")),
        call(COUNTER, memmap + b"K\x00\x85\x86"),
        memmap + b"K\x00\x85C\x01b\x87" + line_global("posix", "x") + b"0",
    ]
    for content in opening:
        check_dangerous(whole(content))
    honest = whole(reconstruct + memmap + b"K\x00\x85C\x01b\x87R")
    assert facts_of(honest, "model.pkl").safety == "needs-classes"


@pytest.mark.parametrize("kind", ["str", "bytes", "bytearray"])
def test_texts_and_bytes_are_made_by_no_codec_of_their_own(kind: str) -> None:
    made = line_global("builtins", kind)

    check_dangerous(whole(call(made, text("x"), text("rot13"))))
    assert facts_of(whole(call(made, text("x"), text("latin-1"))), "m.pkl").safety == "tensors-only"


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("transformers.training_args", "TrainingArguments"),
        ("lightgbm.basic", "Booster"),
        ("xgboost.core", "Booster"),
        ("torch.optim.lr_scheduler", "LambdaLR"),
        ("accelerate.state", "PartialState"),
        ("argparse", "Namespace"),
    ],
)
def test_classes_that_are_filled_by_their_state_get_no_arguments(module: str, name: str) -> None:
    check_dangerous(whole(call(line_global(module, name), text("x"))))
    honest = whole(line_global(module, name) + b")\x81" + pairs({"x": b"N"}) + b"b")
    assert facts_of(honest, "model.pkl").safety == "needs-classes"


def test_arguments_by_name_are_dangerous() -> None:
    made = line_global("builtins", "str") + binary(b"x") + b"\x85"
    for keywords in (
        pairs({"encoding": text("rot13")}),
        line_global("collections", "OrderedDict") + b")R",
    ):
        check_dangerous(whole(made + keywords + b"\x92"))
    assert facts_of(whole(made + b"}\x92"), "model.pkl").safety == "tensors-only"


def test_arguments_that_are_no_tuple_are_dangerous() -> None:
    """A loader in Python, such as joblib's, takes any sequence."""
    arguments = b"]" + binary(EVIL) + b"a"

    check_dangerous(whole(LOAD + arguments + b"R"), "model.joblib")


# A function that returns what it was given, and so hides what is on the stack.


def wrapper_state(**more: bytes) -> dict[str, bytes]:
    return {
        "subclass": line_global("numpy", "ndarray"),
        "shape": b"K\x0a\x85",
        "order": text("C"),
        "dtype": call(line_global("numpy", "dtype"), text("u1")),
        "allow_mmap": b"\x89",
        "numpy_array_alignment_bytes": b"N",
        **more,
    }


@pytest.mark.parametrize(
    "function",
    [
        line_global("numpy", "logical_or"),
        line_global("numpy", "maximum"),
        line_global("numpy", "max"),
        line_global("torch.jit._pickle", "restore_type_tag"),
        line_global("torch.jit._pickle", "build_intlist"),
        line_global("numpy", "object_"),
    ],
)
def test_no_function_hides_what_it_returns(function: bytes) -> None:
    wrapper = WRAPPER + b")\x81"
    hidden = b"\x8e" + struct.pack("<Q", len(EVIL))
    for hides in (wrapper, COUNTER, b"]" + wrapper + b"a"):
        made = call(function, hides, text(""))

        check_dangerous(whole(made, pairs(wrapper_state()), b"bN", hidden, EVIL), "m.joblib")


def test_a_scalar_is_made_of_bytes_only() -> None:
    scalar = line_global("numpy._core.multiarray", "scalar")
    objects = call(line_global("numpy", "dtype"), text("O"))

    check_dangerous(whole(call(scalar, objects, WRAPPER + b")\x81")), "m.joblib")
    check_dangerous(whole(call(scalar, objects, COUNTER)))


def test_what_is_no_new_object_is_not_filled() -> None:
    state = pairs({"hacked": b"K\x01"})
    targets = {
        "a pattern": call(line_global("re", "_compile"), text("x"), b"K\x00"),
        "a member": call(line_global("transformers.trainer_utils", "HubStrategy"), text("end")),
        "a list": call(line_global("torch.jit._pickle", "build_intlist"), b"]"),
        "a storage": text("0") + b"Q",
        "a shared type": call(line_global("numpy", "dtype"), text("f8"), b"\x89", b"\x89"),
    }
    for what, target in targets.items():
        for fill in (state + b"b", MARK + text("a") + b"Nu", text("a") + b"a"):
            assert facts_of(whole(target, fill), "m.pkl").safety == "dangerous", what


@pytest.mark.parametrize(
    "fills",
    [
        pytest.param(b"}b}b", id="two states"),
        pytest.param(pairs({"extend": COUNTER}) + b"b" + MARK + b"Ne", id="items behind a state"),
        pytest.param(pairs({"add": COUNTER}) + b"b" + MARK + b"N\x90", id="a set's items"),
        pytest.param(MARK + text("extend") + COUNTER + b"u" + b"Na", id="items behind pairs"),
        pytest.param(b"}b" + text("a") + b"Ns", id="pairs behind a state"),
        pytest.param(pairs({"__array_interface__": b"}"}) + b"b", id="a method in a state"),
        pytest.param(b"N" + pairs({"__class__": COUNTER}) + b"\x86b", id="a method in a slot"),
        pytest.param(text("__array__") + COUNTER + b"s", id="a method as an item"),
        pytest.param(
            b"}" + call(line_global("builtins", "str"), binary(b"x")) + b"Nsb", id="a computed name"
        ),
    ],
)
def test_objects_are_filled_once_and_with_no_methods(fills: bytes) -> None:
    bunch = line_global("sklearn.utils", "Bunch") + b")\x81"

    check_dangerous(whole(bunch, fills))


def dtype(code: str, fields: bytes = b"N", flags: int = 0, subtype: bytes = b"N") -> bytes:
    made = call(line_global("numpy", "dtype"), text(code), b"\x89", b"\x88")
    size = b"K\x08" if code[0] == "V" else b"J\xff\xff\xff\xff"
    names = text("a") + b"\x85" if fields != b"N" else b"N"
    state = b"K\x03" + text("|") + subtype + names + fields + size + b"K\x01"
    return made + MARK + state + b"K" + bytes([flags]) + b"tb"


def test_a_type_of_numpy_that_hides_objects_is_dangerous() -> None:
    """Bytes of the file would be taken for addresses of objects."""
    objects = dtype("O8", flags=63)
    place = pairs({"a": objects + b"K\x00\x86"})

    assert facts_of(whole(dtype("V8", place, flags=63)), "m.pkl").safety == "tensors-only"
    check_dangerous(whole(dtype("V8", place)))
    check_dangerous(whole(dtype("V8", subtype=objects + b"K\x01\x85\x86")))
    hidden = pairs({"a": dtype("V8", place, flags=63) + b"K\x00\x86"})
    check_dangerous(whole(dtype("V8", hidden)))


# Files within.


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            b"\x96" + struct.pack("<Q", 0) + MARK + b"".join(b"K" + bytes([c]) for c in EVIL) + b"e"
            , id="bytes that grow"
        ),
        pytest.param(
            b"\x96" + struct.pack("<Q", 1) + b"N" + b"K\x00K\x01s", id="bytes that change"
        ),
        pytest.param(
            call(line_global("_codecs", "encode"), text("é"), text("utf-8")), id="another codec"
        ),
        pytest.param(
            call(line_global("builtins", "bytearray"), binary(EVIL)), id="bytes of a call"
        ),
        pytest.param(COUNTER + b")R", id="an object"),
    ],
)  # fmt: skip
def test_a_file_within_is_given_as_the_bytes_that_it_is(content: bytes) -> None:
    check_dangerous(whole(call(LOAD, content)))


def test_a_file_within_in_the_old_notation_is_judged() -> None:
    given = call(line_global("_codecs", "encode"), text(EVIL.decode()), text("latin1"))

    check_dangerous(whole(call(LOAD, given)), "model.pkl", "posix.system")


# Arrays of joblib.


@pytest.mark.parametrize(
    "changed",
    [
        {"read": line_global("builtins", "slice")},
        {"read_array": b"N"},
        {"order": text("X")},
        {"allow_mmap": text("x")},
        {"subclass": text("ndarray")},
        {"subclass": line_global("builtins", "slice")},
        {"numpy_array_alignment_bytes": text("16")},
        {"numpy_array_alignment_bytes": b"\x88"},
    ],
    ids="-".join,
)
def test_a_wrapper_of_joblib_has_its_own_keys_and_no_others(changed: dict[str, bytes]) -> None:
    first = joblib_array(b"\x00", padded=True) + b"0"
    wrapper = WRAPPER + b")\x81"
    state = pairs(wrapper_state(shape=b"K" + bytes([len(EVIL)]) + b"\x85", **changed))

    for content in (whole(first, wrapper, state, b"b", EVIL), whole(wrapper, state, b"b", EVIL)):
        facts = facts_of(content, "m.joblib")

        assert facts.safety == ("dangerous" if "read" in next(iter(changed)) else "unread")


def test_a_key_of_a_wrapper_that_is_computed_or_there_twice_is_not_passed_over() -> None:
    state = b"".join(text(key) + value for key, value in wrapper_state().items())
    for more in (
        call(line_global("builtins", "str"), binary(b"read")) + line_global("builtins", "slice"),
        text("shape") + b"K\x0a\x85",
    ):
        content = whole(WRAPPER, b")\x81}", MARK, state, more, b"ub", bytes(10))

        assert facts_of(content, "m.joblib").safety in {"unread", "dangerous"}


def test_a_type_with_more_than_its_code_is_no_array_s() -> None:
    kind = line_global("numpy", "dtype") + text("u1") + b"\x85" + pairs({"copy": b"N"}) + b"\x92"
    content = whole(WRAPPER, b")\x81", pairs(wrapper_state(dtype=kind)), b"b", bytes(10))

    assert facts_of(content, "m.joblib").safety in {"unread", "dangerous"}


def test_an_array_of_objects_in_front_is_also_read_as_a_plain_pickle() -> None:
    """A plain loader goes on with its memo, where joblib's starts a new one."""
    objects = pairs(wrapper_state(dtype=call(line_global("numpy", "dtype"), text("O"))))
    inner = text("collections") + b"\x94" + text("OrderedDict") + b"\x94" + b"00"
    inner += b"h\x00h\x01\x93" + MARK + text("true") + b"tR" + STOP
    content = text("posix") + b"\x94" + text("system") + b"\x94" + b"00"
    content += WRAPPER + b")\x81" + objects + b"b" + inner + STOP

    check_dangerous(b"\x80\x04" + content, "m.joblib", "posix.system")


def test_a_name_that_joblib_takes_for_compressed_is_unpacked() -> None:
    packed = lzma.compress(EVIL, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1,
                                                              "dict_size": 4096}])  # fmt: skip
    assert packed[:3] == b"]\x00\x10"

    check_dangerous(packed, "model.joblib", "posix.system")


@pytest.mark.parametrize("filling", [b"", bytes(7)])
def test_packed_streams_in_a_row_are_one(filling: bytes) -> None:
    half = len(EVIL) // 2
    parts = (EVIL[:half], EVIL[half:])

    check_dangerous(filling.join(gzip.compress(part) for part in parts), "m.pkl", "posix.system")
    packed = lzma.compress(parts[0], lzma.FORMAT_XZ) + lzma.compress(parts[1], lzma.FORMAT_ALONE)
    check_dangerous(packed, "m.joblib", "posix.system")


def test_a_main_pickle_is_one_in_capital_letters_too() -> None:
    archive = torch_archive(whole(b"N")).replace(b"m/data.pkl", b"m/DATA.pkl")
    facts = facts_of(archive, "model.pt")

    assert (facts.format, facts.safety) == ("torch", "tensors-only")


# Bounds.


def test_pickles_in_a_row_are_read_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    from regtui.formats import compressed

    unpacked = 0

    class Counting(compressed._Zlib):
        def unpack(self, data: bytes, most: int) -> bytes:
            nonlocal unpacked
            found = super().unpack(data, most)
            unpacked += len(found)
            return found

    monkeypatch.setattr(compressed, "_Zlib", Counting)
    content = b"N." * 2_000
    facts = facts_of(gzip.compress(content), "model.pkl")

    assert facts.safety == "tensors-only"
    assert unpacked <= 4 * len(content)


def test_a_file_of_very_many_pickles_is_unread() -> None:
    assert facts_of(b"N." * 3_000, "model.pkl", Limits(steps=100_000)).safety == "unread"
    assert facts_of(b"N." * 1_500, "model.pkl").safety == "tensors-only"


@pytest.mark.parametrize(
    "code", [b"]", b"}", b"(", b"N\x85", b"Q", b"\x8f", b"N\x81", b"r\xff\xff"]
)
def test_what_an_opcode_makes_is_counted_as_memory(code: bytes) -> None:
    content = b"\x80\x04N" + b"".join(
        code + struct.pack("<H", number) if code[:1] == b"r" else b"N" * (code == b"Q") + code
        for number in range(20_000)
    )

    facts = facts_of(content + STOP, "model.pkl", Limits(header_bytes=500_000))

    assert facts.safety in {"unread", "dangerous"}
    assert facts.problem == "it holds more than can be read"


def test_names_are_joined_only_where_they_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    content = whole(b"}", text("k" * 400), MARK + b")" * 20_000 + b"t", b"s")
    facts = facts_of(content, "model.pkl", Limits(header_bytes=1 << 20))

    assert facts.safety == "tensors-only"
    assert not facts.cut


def test_names_of_arrays_are_bounded_together() -> None:
    array = np.zeros(1)
    stream = io.BytesIO()
    joblib.dump({"k" * 4_000: [array.copy() for _ in range(100)]}, stream)

    facts = facts_of(stream.getvalue(), "model.joblib", Limits(header_bytes=100_000))

    assert facts.cut
    assert sum(len(tensor.name) for tensor in facts.tensors) <= 100_000


def test_a_file_within_that_is_loaded_often_is_judged_once() -> None:
    inner = b"N0" * 20_000 + b"N."
    content = whole(LOAD, b"q\x00", binary(inner), b"q\x01", b"h\x00h\x01\x85R0" * 60, b"N")

    assert facts_of(content, "model.pt").safety == "tensors-only"
    limits = Limits(steps=150_000)
    assert facts_of(content, "model.pt", limits).safety == "tensors-only"


def test_extensions_and_globals_stay_what_they_are() -> None:
    """The functions that honest files only name may be named."""
    for module, name in (
        ("numpy", "nan_to_num"),
        ("numpy", "log1p"),
        ("scipy.special._special_ufuncs", "expit"),
        ("scipy.special._ufuncs", "boxcox"),
    ):
        value = line_global("argparse", "Namespace") + b")\x81"
        content = whole(value, pairs({"func": stack_global(module, name)}), b"b")

        assert facts_of(content, "model.pkl").safety == "needs-classes"
