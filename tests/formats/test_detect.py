import io
import json
import os
import pickle
import zipfile
from typing import Any

import pytest

from regtui.formats import detect, gguf
from regtui.formats.values import LIMITS, BytesSource, Limits, Source
from tests.formats.recorded_files import facts_of, recorded
from tests.formats.test_keras import archive, layer, made_of
from tests.formats.test_safetensors import written

OF_OS = f"{os.name}.system"


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("true",)


def test_an_empty_file_is_inert_and_nothing_is_known_of_it() -> None:
    facts = facts_of(b"", "model.pt")
    assert (facts.format, facts.safety, facts.complete) == ("unknown", "no-code", None)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("name", ["model.safetensors", "model.gguf", "model.pkl", "model.pt"])
def test_a_pickle_is_one_whatever_it_is_called(name: str, protocol: int) -> None:
    facts = facts_of(pickle.dumps(Evil(), protocol), name)
    assert facts.safety == "dangerous"
    assert OF_OS in facts.globals


def test_the_bytes_decide_against_the_name() -> None:
    for name in ("model.pt", "model.onnx", "model.txt", "model.keras", "model.npz", "model"):
        facts = facts_of(recorded("gguf-little.gguf"), name)
        assert (facts.format, facts.safety, facts.complete) == ("gguf", "no-code", True)


def test_a_table_that_is_also_a_pickle_is_dangerous_where_a_name_has_it_unpickled() -> None:
    # "G" pushes a number of eight bytes: a GGUF header is the start of a pickle, too.
    content = b"GGUF\3\0\0\0\1" + pickle.dumps(Evil(), 0)
    assert facts_of(content, "model.gguf").format == "gguf"
    for name in ("model.pkl", "model.bin", "model.joblib", "model.ckpt"):
        facts = facts_of(content, name)
        assert (facts.safety, facts.globals) == ("dangerous", (OF_OS,))


def test_a_name_that_no_module_has_does_not_hide_another() -> None:
    evil = pickle.dumps(Evil(), 0)[:-1] + b"c\x01\nno name\n."
    facts = facts_of(b"GGUF\3\0\0\0\1" + evil, "model.bin")
    assert facts.safety == "dangerous"
    assert OF_OS in facts.globals


def test_weights_that_happen_to_start_like_a_pickle_are_not_dangerous() -> None:
    # The length of this table is the opcode that names something, and lines follow.
    table = '{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}'.ljust(ord("c"))
    content = written(table, b"\n\x9d\xff\n\x03R.\n")
    for name in ("model.safetensors", "pytorch_model.bin"):
        facts = facts_of(content, name)
        assert (facts.format, facts.safety, facts.complete) == ("safetensors", "no-code", True)


def test_bytes_that_nothing_knows_keep_their_secret_where_the_name_says_little() -> None:
    content = bytes(range(1, 200)) * 9
    assert facts_of(content, "weights.bin").format == "unknown"
    assert facts_of(content, "weights.onnx").format == "onnx"
    assert facts_of(content, "weights.bin").safety == "unread"
    assert facts_of(content, "weights.onnx").safety == "unread"


def test_an_hdf5_file_behind_a_user_block_is_found_where_a_name_has_it_opened() -> None:
    text = b"lr: 1\n".ljust(512)
    content = bytearray(recorded("hdf5-user-block.h5"))
    content[:512] = text
    assert facts_of(bytes(content), "model.h5").format == "hdf5"


def test_an_archive_with_a_model_of_keras_is_judged_as_one_where_it_is_called_so() -> None:
    content = archive(made_of(layer("keras.layers", "Lambda")))
    buffer = io.BytesIO(content)
    with zipfile.ZipFile(buffer, "a") as made:
        made.writestr("archive/data.pkl", pickle.dumps({"a": 1}, 2))
        made.writestr("schema.json", "{}")
    assert facts_of(buffer.getvalue(), "model.keras").safety == "dangerous"


def test_an_archive_that_keras_would_open_is_judged_also_without_its_metadata() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("config.json", json.dumps(made_of(layer("keras.layers", "Lambda"))))
    assert facts_of(buffer.getvalue(), "model.keras").safety == "dangerous"


def test_an_archive_of_no_known_kind_is_unread() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("notes.txt", "x")
    facts = facts_of(buffer.getvalue(), "bundle.zip")
    assert (facts.format, facts.safety) == ("zip", "unread")
    facts = facts_of(buffer.getvalue()[:-1], "model.pt")
    assert (facts.format, facts.safety, facts.complete) == ("torch", "unread", False)


@pytest.mark.parametrize("error", [ValueError, MemoryError, RecursionError, KeyError])
def test_a_reader_that_fails_is_an_answer(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def fail(source: Source, limits: Limits = LIMITS) -> None:
        raise error

    monkeypatch.setattr(gguf, "read", fail)
    facts = facts_of(b"GGUF", "m.gguf")
    assert (facts.format, facts.safety) == ("gguf", "unread")
    assert facts.problem == f"its reader failed: {error.__name__}"


def test_a_disk_that_fails_is_told() -> None:
    class Broken(BytesSource):
        def read(self, offset: int, length: int) -> bytes:
            if offset:
                raise OSError(5, "Input/output error")
            return super().read(offset, length)

    for name in ("gguf-little.gguf", "keras-plain.keras", "hdf5-older.h5"):
        with pytest.raises(OSError, match="Input/output"):
            detect.read(Broken(recorded(name)), name)


def test_the_version_of_the_readers_is_a_number() -> None:
    assert detect.READER >= 1
