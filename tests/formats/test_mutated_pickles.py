"""Whatever the bytes: an answer, within the limits, without an import."""

import io
import pickle
import pickletools
import sys
from collections import OrderedDict
from contextlib import suppress

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from regtui.formats import (
    detect,
    numpy_arrays,
    pickles,
    skops,
    torch_legacy,
    torch_zip,
)
from regtui.formats.reading import readable
from regtui.formats.values import BytesSource, Limits
from tests.formats.pickle_writing import joblib_bytes
from tests.formats.recorded_files import RECORDED

LIMITS = Limits(steps=20_000, header_bytes=1 << 20, tensors=100, metadata=100, depth=8)
READERS = (pickles, torch_zip, torch_legacy, skops, numpy_arrays)
MODEL = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
SEEDS = [
    *(
        path.read_bytes()
        for path in sorted((RECORDED / "pickles").iterdir())
        if path.stat().st_size < 8000
    ),
    joblib_bytes(MODEL),
    joblib_bytes({"a": np.array([1, "b"], dtype=object)}, "zlib"),
    pickle.dumps(MODEL, 0),
    pickle.dumps(OrderedDict(a=[1]), 5),
]
OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]
MODULES = frozenset({"torch", "xgboost", "lightgbm", "catboost", "pandas", "skops", "posix", "os"})

opcode = st.sampled_from(OPCODES)
piece = st.one_of(
    opcode,
    opcode,
    st.builds(lambda code, rest: code + rest, opcode, st.binary(max_size=6)),
    st.sampled_from(
        [b"X\x02\x00\x00\x00os", b"\x8c\x06system", b"cnumpy\ndtype\n", b"K\x00", b"(", b"t"]
    ),
)
# Where the loader in C takes other numbers than the one in Python.
number = st.builds(
    lambda code, digits, end: code + digits + end,
    st.sampled_from([b"I", b"L", b"F", b"p", b"g"]),
    st.sampled_from([b"", b"0", b"1", b"010", b"+07", b" 1", b"1 ", b"0x1F", b"1_0", b"08", b"1."]),
    st.sampled_from([b"\n", b"L\n", b"\0\n", b"\0x\n", b"\0L\n", b"x\n"]),
)
numbers = st.tuples(st.lists(number, max_size=6), st.sampled_from([b"", b"N"])).map(
    lambda made: made[1] + b"".join(made[0]) + b"cthis\ns\n."
)
streams = st.lists(piece, max_size=40).map(lambda pieces: b"\x80\x04" + b"".join(pieces))


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    content = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(content) - 1)) if content else 0
        match draw(st.sampled_from(["set", "insert", "delete", "repeat", "cut"])):
            case "set":
                content[place : place + 1] = draw(st.binary(min_size=1, max_size=4))
            case "insert":
                content[place:place] = draw(st.one_of(opcode, st.binary(max_size=9)))
            case "delete":
                del content[place : place + draw(st.integers(1, 20))]
            case "repeat":
                content[place:place] = content[place : place + draw(st.integers(1, 60))]
            case _:
                del content[max(1, place) :]
    return bytes(content)


def check(content: bytes) -> None:
    before = MODULES & set(sys.modules)
    source = BytesSource(content)
    for reader in READERS:
        reader.matches(content[:4096], source)
        facts = reader.read(source, LIMITS)

        assert len(facts.tensors) <= LIMITS.tensors
        assert len(facts.metadata) <= LIMITS.metadata + 3
        assert facts.safety != "unread" or facts.problem
    if content:
        detect.read(source, "model.pkl", LIMITS)
    assert MODULES & set(sys.modules) == before


@settings(max_examples=250)
@given(content=mutations())
def test_damaged_files_get_an_answer(content: bytes) -> None:
    check(content)


@settings(max_examples=250)
@given(content=streams)
def test_random_opcodes_get_an_answer(content: bytes) -> None:
    check(content)


@settings(max_examples=300)
@given(content=streams)
def test_no_name_that_a_real_unpickler_asks_for_is_missed(content: bytes) -> None:
    """The real one stops at its first fault; ours may see more, never less."""
    content += b"\n\n."  # so that no line is cut, which is a matter of its own
    asked: set[str] = set()

    class Recorder(pickle._Unpickler):
        """In Python, for it goes on where the fast one gives up early."""

        def find_class(self, module: str, name: str) -> object:
            asked.add(f"{module}.{name}")
            return OrderedDict  # nothing is imported, and anything may be called with anything

        def persistent_load(self, pid: object) -> object:
            return None

    with suppress(Exception):
        Recorder(io.BytesIO(content)).load()
    found = pickles.read(BytesSource(content)).globals
    assert {readable(name) for name in asked} <= set(found)


@settings(max_examples=300)
@given(content=numbers)
def test_no_name_behind_a_number_is_missed_that_either_unpickler_asks_for(content: bytes) -> None:
    asked: set[str] = set()

    def find_class(_: object, module: str, name: str) -> object:
        asked.add(f"{module}.{name}")
        return OrderedDict

    for kind in (pickle.Unpickler, pickle._Unpickler):
        recorder = type("Recorder", (kind,), {"find_class": find_class})
        with suppress(Exception):
            recorder(io.BytesIO(content)).load()
    facts = detect.read(BytesSource(content), "model.pkl")
    assert asked <= set(facts.globals)
    assert not asked or facts.safety == "dangerous"
