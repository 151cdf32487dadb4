import bz2
import gzip
import io
import lzma
import multiprocessing.util
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zlib
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer

from regtui.formats.values import Limits
from tests.formats.pickle_writing import (
    MARK,
    STOP,
    call,
    calling,
    joblib_array,
    joblib_bytes,
    line_global,
    pickled,
    stack_global,
    text,
    torch_archive,
    whole,
    zipped,
)
from tests.formats.recorded_files import facts_of

SYSTEM = f"{os.system.__module__}.system"
EVIL = calling(os.system, "true")
EVIL_CALL = call(line_global("posix", "system"), text("true"))
INNOCENT = "collections.OrderedDict"


def test_a_pickle_that_starts_a_program_is_dangerous() -> None:
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        facts = facts_of(pickled({"weights": [1, 2], "x": EVIL}, protocol), "model.pkl")

        assert (facts.format, facts.safety) == ("pickle", "dangerous")
        assert SYSTEM in facts.globals


def test_joblib_does_not_hide_it_behind_an_array() -> None:
    for compress in (0, 3, "gzip", "bz2", "xz", "lzma"):
        facts = facts_of(joblib_bytes([np.arange(500.0), EVIL], compress), "model.joblib")

        assert (facts.format, facts.safety) == ("joblib", "dangerous")
        assert SYSTEM in facts.globals


def test_a_library_that_starts_programs_is_no_safer() -> None:
    spawn = calling(multiprocessing.util.spawnv_passfds, b"/bin/true", [b"true"], [])

    facts = facts_of(pickled(spawn), "model.pkl")

    assert facts.safety == "dangerous"
    assert "multiprocessing.util.spawnv_passfds" in facts.globals


def test_a_torch_archive_with_a_foreign_name_is_dangerous() -> None:
    facts = facts_of(torch_archive(pickled({"w": EVIL}, 2)), "model.pt")

    assert (facts.format, facts.safety) == ("torch", "dangerous")
    assert SYSTEM in facts.globals


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("numpy.testing._private.utils", "runstring"),
        ("numpy.f2py.capi_maps", "load_f2cmap_file"),
        ("numpy", "load"),
        ("numpy", "f2py.os.system"),
        ("numpy.core", "_ufunc_reconstruct"),
        ("numpy._core", "_ufunc_reconstruct"),
        ("sklearn", "os.system"),
        ("sklearn.linear_model", "LogisticRegression.__init__.__globals__"),
        ("sklearn.utils", "os"),
        ("sklearn.utils._testing", "subprocess.Popen"),
        ("sklearn.datasets", "load_svmlight_file"),
        ("sklearn.tests.test_base", "LogisticRegression"),
        ("sklearn.linear_model.tests.test_base", "LogisticRegression"),
        ("sklearnevil.linear_model", "LogisticRegression"),
        ("sklearn.linear_model\n", "LogisticRegression"),
        ("pandas", "eval"),
        ("pandas", "read_pickle"),
        ("pandas.io.pickle", "read_pickle"),
        ("torch", "load"),
        ("torch.hub", "load"),
        ("torch.serialization", "load"),
        ("torch._utils", "_import_dotted_name"),
        ("joblib", "load"),
        ("joblib.memory", "Memory"),
        ("functools", "partial"),
        ("builtins", "getattr"),
        ("builtins", "eval"),
        ("builtins", "exec"),
        ("builtins", "__import__"),
        ("builtins", "type"),
        ("__builtin__", "apply"),
        ("operator", "attrgetter"),
        ("operator", "methodcaller"),
        ("scipy.stats._distn_infrastructure", "rv_continuous_frozen"),
        ("scipy.stats._continuous_distns", "uniform_gen"),
        ("collections", "namedtuple"),
        ("transformers.training_args", "os"),
        ("__main__", "Net"),
        ("__torch__.torch.nn", "Linear"),
        ("os", "system"),
        ("", ""),
    ],
)
def test_what_is_not_known_is_dangerous_and_named(module: str, name: str) -> None:
    shown = f"{module}.{name}".replace("\n", "\\n")
    for content in (
        whole(stack_global(module, name)),
        whole(text("a"), stack_global(module, name)),
    ):
        facts = facts_of(content, "model.pkl")

        assert facts.safety == "dangerous"
        assert facts.globals == (shown,)


def test_pushing_and_popping_an_innocent_name_is_no_disguise() -> None:
    shown = text("collections") + text("OrderedDict") + b"00"
    content = whole(call(text("posix") + text("system") + shown + b"\x93", text("true")))

    facts = facts_of(content, "model.pkl")

    assert facts.safety == "dangerous"
    assert facts.globals == ("posix.system",)


def test_names_are_what_the_memo_holds_last() -> None:
    memoised = [
        text("collections") + b"q\x00" + b"0" + text("posix") + b"q\x00" + b"0",
        text("OrderedDict") + b"\x94" + b"0" + text("system") + b"q\x01" + b"0",
    ]
    content = whole(*memoised, call(b"h\x00" + b"h\x01" + b"\x93", text("true")))

    assert facts_of(content, "model.pkl").globals == ("posix.system",)


def test_names_hidden_by_marks_duplicates_and_escapes_are_resolved() -> None:
    hidden = {
        "mark": text("posix") + MARK + text("x") + b"1" + text("system") + b"\x93",
        "duplicate": text("posix") + b"20" + text("system") + b"20" + b"\x93",
        "escapes": b"S'pos\\x69x'\n" + b"V\\u0073ystem\n" + b"\x93",
        "old text": b"U\x05posix" + b"T\x06\x00\x00\x00system" + b"\x93",
        "new text": b"\x8c\x05posix" + b"\x8d" + struct.pack("<Q", 6) + b"system" + b"\x93",
    }
    for content in hidden.values():
        facts = facts_of(whole(call(content, text("true"))), "model.pkl")

        assert facts.safety == "dangerous"
        assert facts.globals == ("posix.system",)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(call(line_global("builtins", "str"), text("os")) + text("system") + b"\x93"
                     , id="a module that is the result of a call"),
        pytest.param(b"K\x01" + text("system") + b"\x93", id="a module that is a number"),
        pytest.param(b"C\x02os" + text("system") + b"\x93", id="a module that is bytes"),
        pytest.param(b"\x82\x01", id="an extension code"),
        pytest.param(b"\x83\x01\x00", id="an extension code of two bytes"),
        pytest.param(b"\x84\x01\x00\x00\x00", id="an extension code of four bytes"),
        pytest.param(call(call(line_global("collections", "OrderedDict")), text("x"))
                     , id="a call of something computed"),
        pytest.param(line_global("collections", "OrderedDict") + b"}" + text("a") + b"K\x01sb"
                     , id="a class that is changed"),
        pytest.param(line_global("collections", "OrderedDict") + text("a") + b"K\x01s"
                     , id="a class that is filled"),
        pytest.param(call(line_global("_codecs", "encode"), text("x"), text("hack"))
                     , id="a codec that no pickler uses"),
        pytest.param(text("o" * 70_000) + text("system") + b"\x93", id="a name of 70,000 letters"),
        pytest.param(
            call(line_global("torch._tensor", "_rebuild_from_type_v2"),
                 call(line_global("collections", "OrderedDict")), b"N", b")", b"N"),
            id="a call of something computed by a helper",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_resolved_is_dangerous(content: bytes) -> None:
    facts = facts_of(whole(content), "model.pkl")

    assert facts.safety == "dangerous"
    assert facts.globals


def test_old_opcodes_that_import_and_call_at_once_are_seen() -> None:
    by_inst = b"(S'true'\niposix\nsystem\n."
    by_obj = b"(cposix\nsystem\nS'true'\no."
    by_newobj = whole(line_global("posix", "system"), b")\x81")
    by_newobj_ex = whole(line_global("posix", "system"), b")}\x92")
    unended = b"(S'true'\niposix\nsystem;"  # a loader in Python drops the last byte and calls
    for content in (unended, by_inst, by_obj, by_newobj, by_newobj_ex):
        facts = facts_of(content, "model.pkl")

        assert facts.safety == "dangerous"
        assert facts.globals == ("posix.system",)


def test_an_innocent_class_does_not_cover_for_what_it_is_given() -> None:
    estimator = FunctionTransformer(func=os.system)

    facts = facts_of(pickled(estimator), "model.pkl")

    assert facts.safety == "dangerous"
    assert SYSTEM in facts.globals


def test_getting_at_attributes_step_by_step_is_dangerous() -> None:
    facts = facts_of(pickled(calling(getattr, LogisticRegression, "__init__")), "model.pkl")

    assert facts.safety == "dangerous"
    assert "builtins.getattr" in facts.globals


def test_arrays_of_objects_are_looked_into() -> None:
    inner = np.array([1, EVIL], dtype=object)
    for content in (
        pickled(inner, 2),
        pickled(inner, 5),
        joblib_bytes({"a": np.arange(3), "b": inner}),
        joblib_bytes({"b": inner}, "zlib"),
    ):
        assert SYSTEM in facts_of(content, "model.joblib").globals


def test_code_behind_the_first_pickle_of_a_file_is_seen() -> None:
    for content in (pickled([1]) + pickled(EVIL), pickled([1], 0) + pickled(EVIL, 0)):
        facts = facts_of(content, "model.pkl")

        assert facts.safety == "dangerous"
        assert SYSTEM in facts.globals


def test_bytes_behind_a_pickle_that_are_none_are_told_and_change_nothing() -> None:
    facts = facts_of(pickled([1]) + b"\x00\x01more", "model.pkl")

    assert facts.safety == "tensors-only"
    assert facts.problem == "what follows from byte 17 is no pickle"


def test_what_was_seen_before_a_pickle_breaks_off_counts() -> None:
    content = pickled([EVIL, "x" * 100])

    assert facts_of(content[:-60], "model.pkl").safety == "dangerous"
    assert facts_of(whole(EVIL_CALL, b"\xff"), "model.pkl").safety == "dangerous"


def test_a_pickle_that_breaks_off_is_unread_and_incomplete() -> None:
    content = pickled({"a": [1, 2, 3], "b": b"x" * 300})
    for length in range(2, len(content)):
        facts = facts_of(content[:length], "model.pkl")

        assert (facts.safety, facts.complete) == ("unread", False)
        assert facts.problem


def test_every_member_of_a_torch_archive_counts() -> None:
    good, evil = pickled({"a": 1}, 2), pickled(EVIL, 2)
    inner = {
        "a second pickle": {"m/extra.pkl": evil},
        "a pickle by another name": {"m/notes.txt": evil},
        "an old pickle": {"m/old.pkl": pickled(EVIL, 0)},
        "a second main pickle": {"other/data.pkl": evil},
        "an archive within": {"m/inner.zip": zipped({"deep.pkl": evil})},
        "an array within": {"m/a.npy": b"\x93NUMPY\x01\x00" + npy_header() + evil},
        "a packed pickle": {"m/inner.gz": gzip.compress(evil)},
    }
    for more in inner.values():
        assert SYSTEM in facts_of(torch_archive(good, more), "model.pt").globals


def npy_header() -> bytes:
    text = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    return len(text).to_bytes(2, "little") + text


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_the_same_name_are_all_judged(tmp_path: Path) -> None:
    import zipfile

    for first, second in [("good", "evil"), ("evil", "good")]:
        path = tmp_path / f"{first}.pt"
        with zipfile.ZipFile(path, "w") as archive:
            for kind in (first, second):
                value = EVIL if kind == "evil" else [1]
                archive.writestr("m/data.pkl", pickled(value, 2))

        assert SYSTEM in facts_of(path.read_bytes(), "model.pt").globals


def test_archives_whose_tables_disagree_are_not_read() -> None:
    content = torch_archive(pickled([1], 2))

    other_name = content.replace(b"m/data.pkl", b"m/atad.pkl", 1)
    before = b"x" * 100 + content
    for changed in (other_name, before):
        assert facts_of(changed, "model.pt").safety == "unread"


def test_a_torch_file_within_a_pickle_is_judged() -> None:
    for inner in (torch_archive(pickled(EVIL, 2)), pickled(EVIL, 2)):
        load = line_global("torch.storage", "_load_from_bytes")
        content = whole(call(load, b"B" + len(inner).to_bytes(4, "little") + inner))
        facts = facts_of(content, "model.pkl")

        assert facts.safety == "dangerous"
        assert SYSTEM in facts.globals


def test_a_torch_file_within_that_cannot_be_read_leaves_it_unread() -> None:
    load = line_global("torch.storage", "_load_from_bytes")
    old_text = b"T" + (70_000).to_bytes(4, "little") + b"x" * 70_000

    facts = facts_of(whole(call(load, old_text)), "model.pkl")

    assert facts.safety == "unread"


def test_an_odd_id_of_a_storage_is_no_way_around() -> None:
    for told in (b")", b"K\x01", MARK + text("storage") + b"t", stack_global("posix", "system")):
        facts = facts_of(torch_archive(whole(told, b"Q")), "model.pt")

        assert facts.safety == ("dangerous" if b"system" in told else "tensors-only")


def test_bytes_of_a_false_array_that_are_code_are_seen() -> None:
    """joblib passes over what `pickle.load` would run; its older releases padded no array."""
    honest = whole(joblib_array(bytes(9)))
    false = whole(joblib_array(EVIL_CALL + STOP))

    assert facts_of(honest, "model.joblib").safety == "needs-classes"
    facts = facts_of(false, "model.joblib")
    assert facts.safety == "dangerous"
    assert "posix.system" in facts.globals


def test_old_joblib_arrays_in_other_files_are_not_said_to_be_read() -> None:
    wrapper = line_global("joblib.numpy_pickle", "NDArrayWrapper") + b")\x81"
    for filename, safety in [("model.pkl_01.npy", "unread"), ("../../evil.npy", "dangerous")]:
        state = b"}" + text("filename") + text(filename) + b"s"

        assert facts_of(whole(wrapper, state, b"b"), "model.pkl").safety == safety


@pytest.mark.parametrize(
    "change",
    [
        (b"\x8c\x02f8", b"\x8c\x02f4"),  # shorter elements, so that code would follow
        (b"\x8c\x02f8", b"\x8c\x02q8"),
        (b"K\x03\x85", b"K\x02\x85"),
    ],
)
def test_an_array_whose_length_is_false_does_not_end_as_if_it_was_read(
    change: tuple[bytes, bytes],
) -> None:
    content = joblib_bytes([np.arange(3.0), 1])
    assert change[0] in content

    facts = facts_of(content.replace(change[0], change[1], 1), "model.joblib")

    assert facts.safety in {"unread", "dangerous"}


def test_code_in_a_frame_around_an_array_is_not_passed_over_as_the_array() -> None:
    """A loader has the whole frame already, so the array lies behind it and the code runs."""
    code = EVIL_CALL + STOP
    frame = joblib_array(code)
    array = b"N" * (len(code) - 1) + STOP  # what a reader would take for the rest of the pickle
    content = b"\x80\x04" + joblib_array(b"first", padded=True) + b"0"
    content += b"\x95" + len(frame).to_bytes(8, "little") + frame + array

    assert facts_of(content, "model.joblib").safety == "unread"


def test_a_wrapper_made_in_a_roundabout_way_is_dangerous() -> None:
    wrapper = line_global("joblib.numpy_pickle", "NumpyArrayWrapper")
    made = call(
        line_global("copyreg", "_reconstructor"), wrapper, stack_global("builtins", "object"), b"N"
    )

    assert facts_of(whole(made, b"}b"), "model.joblib").safety == "dangerous"


def test_bytes_behind_a_file_of_joblib_leave_it_unread() -> None:
    content = joblib_bytes(np.arange(3.0))

    assert facts_of(content + b"\x00", "model.joblib").safety == "unread"


def test_a_pickle_that_stops_before_its_frame_does_is_unread() -> None:
    content = b"\x80\x04\x95" + (20).to_bytes(8, "little") + b"N." + b"x" * 18 + pickled(EVIL)

    assert facts_of(content, "model.pkl").safety in {"unread", "dangerous"}


def test_a_pickle_that_is_a_tar_archive_too_is_not_said_to_be_read() -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        # The name is the start of a pickle: a long string.
        entry = tarfile.TarInfo("T\x01\x02/pickle")
        archive.addfile(entry)
    content = b"\x80\x02N." + stream.getvalue()[4:]
    header = bytearray(content[:512])
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)

    facts = facts_of(bytes(header) + content[512:], "model.pt")

    assert facts.safety == "unread"
    assert "tar archive" in (facts.problem or "")


def test_bombs_end_at_a_limit() -> None:
    zeros = b"\x80\x04B" + (1 << 30).to_bytes(4, "little") + bytes(40 << 20)
    for packed in (
        gzip.compress(zeros, 1),
        zlib.compress(zeros, 1),
        lzma.compress(zeros, preset=0),
    ):
        facts = facts_of(packed, "model.joblib", Limits(header_bytes=1 << 20))

        assert facts.safety == "unread"
        assert facts.problem == "it unpacks to far more than its size"


def test_doubling_a_list_by_its_memo_costs_no_more_than_its_opcodes() -> None:
    layer = b"]" + MARK + b"h\x00" * 10 + b"e" + b"q\x00" + b"0"
    content = whole(b"]q\x00", layer * 200, b"h\x00")

    facts = facts_of(content, "model.pkl")

    assert facts.safety == "tensors-only"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\x80\x04" + b"N0" * 600, id="steps"),
        pytest.param(b"\x80\x04" + text("x" * 600) * 20, id="texts"),
    ],
)
def test_pickles_beyond_the_limits_are_unread(content: bytes) -> None:
    facts = facts_of(content + b"N.", "model.pkl", Limits(steps=1_000, header_bytes=10_000))

    assert facts.safety == "unread"


@pytest.mark.parametrize(
    "claim",
    [
        b"B\xff\xff\xff\xff",
        b"\x8e" + b"\xff" * 8,
        b"\x8d" + b"\xff" * 7 + b"\x7f",
        b"\x96" + b"\xff" * 7 + b"\x7f",
        b"\x8b\xff\xff\xff\x7f",
    ],
)
def test_lengths_that_claim_more_than_there_is_end_there(claim: bytes) -> None:
    facts = facts_of(b"\x80\x04" + claim + b"abc.", "model.pkl")

    assert (facts.safety, facts.complete) == ("unread", False)


def test_deep_nesting_does_not_fall_over() -> None:
    for depth in (b"]" * 100_000 + b"a" * 99_999, b"N" + b"\x85" * 100_000):
        assert facts_of(whole(depth), "model.pkl").safety == "tensors-only"
    nested = pickled([1])
    for _ in range(3):
        nested = zipped({"data.pkl": b"N.", "inner.zip": nested})
    assert facts_of(nested, "model.pt", Limits(depth=2)).safety == "unread"


def test_reading_imports_and_runs_nothing() -> None:
    """In a process of its own, with a module that shows when it is imported."""
    code = """
import sys
from regtui.formats import pickles, torch_zip, archives, skops, numpy_arrays
from regtui.formats.values import BytesSource
before = set(sys.modules)
content = sys.stdin.buffer.read()
facts = pickles.read(BytesSource(content))
print(facts.safety, *facts.globals)
print(sorted(set(sys.modules) - before))
"""
    content = whole(call(line_global("this", "s")), call(line_global("antigravity", "x")), b"0")
    done = subprocess.run(
        [sys.executable, "-c", code], input=content, capture_output=True, check=True
    )

    assert done.stdout.decode().splitlines() == ["dangerous antigravity.x this.s", "[]"]
    assert done.stderr == b""


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@given(value=plain, protocol=st.integers(min_value=3, max_value=5))
def test_plain_values_name_nothing(value: object, protocol: int) -> None:
    facts = facts_of(pickled(value, protocol), "model.pkl")

    assert (facts.safety, facts.globals, facts.complete) == ("tensors-only", (), True)


def test_containers_of_the_standard_library_are_tensors_only() -> None:
    value = [OrderedDict(a=1), {1, 2}, frozenset([3]), bytearray(b"x"), 1j, b"y", range(3)]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert facts_of(pickled(value, protocol), "model.pkl").safety == "tensors-only"


def test_a_packed_pickle_is_read_whatever_packed_it() -> None:
    content = pickled({"epoch": 3})
    for packed in (gzip.compress(content), bz2.compress(content), lzma.compress(content)):
        facts = facts_of(packed, "model.pkl.gz")

        assert (facts.format, facts.safety, facts.complete) == ("joblib", "tensors-only", True)
        assert facts.metadata["epoch"] == 3
        assert facts_of(packed[:-9], "model.pkl.gz").safety in {"unread", "no-code"}
