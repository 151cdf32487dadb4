"""Scalars of event files, read as far as the file is whole, and from there on."""

import contextlib
import math
import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.capture.findings import Curve
from regtui.capture.readers import read
from regtui.capture.readers.tensorboard import read_until
from regtui.capture.readers.tensorboard_events import Events
from regtui.formats.cursor import Malformed
from regtui.formats.values import BytesSource
from tests.capture.readers.recorded_runs import RECORDED, copy_of, files_in, found_in


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def part(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(content: bytes) -> bytes:
    return struct.pack("<QI", len(content), 0) + content + b"\0\0\0\0"


def event(step: int, tag: str, value: float, time: float = 1.0) -> bytes:
    scalar = part(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
    when = b"\x09" + struct.pack("<d", time) + b"\x10" + varint(step & (1 << 64) - 1)
    return record(when + part(5, part(1, scalar)))


def hyperparameters(**values: float | str | bool) -> bytes:
    entries = b""
    for name, value in values.items():
        told = (
            b"\x20" + varint(value)
            if isinstance(value, bool)
            else part(3, value.encode())
            if isinstance(value, str)
            else b"\x11" + struct.pack("<d", value)
        )
        entries += part(1, part(1, name.encode()) + part(2, told))
    content = b"\x08\x00" + part(3, entries)
    plugin = part(1, part(1, b"hparams") + part(2, content))
    session = part(1, b"_hparams_/session_start_info") + part(9, plugin)
    return record(part(5, part(1, session)))


def curves(content: bytes) -> dict[str, Curve]:
    events = Events()
    events.advance(BytesSource(content))
    return events.points.curves()


def test_plain_values_and_tensors_are_scalars_and_nothing_else_is() -> None:
    found = found_in("tensorboard", "none", "tensorboard")

    assert set(found.series) == {
        "one/loss/train", "one/acc", "two/train/epoch_loss", "two/validation/epoch_loss",
    }  # fmt: skip
    loss = found.series["one/loss/train"]
    assert loss.steps == tuple(range(20))
    assert loss.values[1] == pytest.approx(0.5)
    assert loss.times is not None
    assert loss.times[3] == 1_700_000_003_000_000
    assert found.series["one/acc"].values[10] == pytest.approx(0.5)
    assert found.metrics["two/validation/epoch_loss"] == (12.0, 2)
    assert found.problems == ()


def test_hyperparameters_are_params(tmp_path: Path) -> None:
    told = hyperparameters(lr=0.1, optimizer="adam", bias=True)
    (tmp_path / "events.out.tfevents.1").write_bytes(told + event(1, "loss", 0.5))

    found = read("tensorboard", files_in(tmp_path, "none"))
    assert found.params == {"lr": 0.1, "optimizer": "adam", "bias": True}
    assert found.metrics == {"loss": (0.5, 1)}
    assert found.problems == ()


def test_one_folder_of_events_needs_no_name(tmp_path: Path) -> None:
    root = copy_of("tensorboard", tmp_path) / "one"

    assert set(read("tensorboard", files_in(root, "none")).series) == {"loss/train", "acc"}


def test_curves_end_when_the_state_was_written(tmp_path: Path) -> None:
    root = copy_of("tensorboard", tmp_path) / "one"
    state = root / "model.pt"
    state.write_bytes(b"x")
    os.utime(state, (1_700_000_005, 1_700_000_005))

    found = read("tensorboard", files_in(root, "model.pt"))

    assert found.series["loss/train"].steps == tuple(range(7))  # a second more is allowed
    assert found.metrics["loss/train"][1] == 6


def test_curves_can_end_at_a_step() -> None:
    found = read_until(files_in(RECORDED / "tensorboard" / "one", "none"), 4)

    value, step = found.metrics["loss/train"]
    assert value == pytest.approx(0.2)
    assert step == 4


def test_reading_goes_on_behind_the_last_whole_record() -> None:
    whole = event(1, "a", 1.0) + event(2, "a", 2.0)
    events = Events()

    events.advance(BytesSource(whole[:-3]))
    first = events.points.curves()
    events.advance(BytesSource(whole + event(3, "a", 3.0)[:11]))

    assert first["a"].steps == (1,)
    assert events.points.curves()["a"].steps == (1, 2)
    assert events.at == len(whole)


def test_another_file_under_the_name_is_read_from_its_start() -> None:
    events = Events()
    events.advance(BytesSource(event(1, "a", 1.0) * 3))
    events.advance(BytesSource(event(9, "b", 1.0)))
    shorter = events.points.curves()
    events.advance(BytesSource(event(7, "c", 1.0) * 5))

    assert set(shorter) == {"b"}
    assert set(events.points.curves()) == {"c"}


def test_the_callers_memory_lets_a_later_unit_go_on() -> None:
    first = files_in(RECORDED / "tensorboard" / "one", "none")
    found = read("tensorboard", first)
    (events,) = first.memory["tensorboard"].values()
    events.points.add("acc", 99, 1.0)  # would be gone if the file were read anew
    later = files_in(RECORDED / "tensorboard" / "one", "none", memory=first.memory)

    assert found.metrics["acc"][1] == 19
    assert read("tensorboard", later).metrics["acc"] == (1.0, 99)


def test_steps_that_nobody_counts_by_are_left_out() -> None:
    assert curves(event(1 << 60, "a", 1.0) + event(-(1 << 62), "a", 1.0)) == {}


def test_values_that_are_no_numbers_and_negative_steps_stay() -> None:
    found = curves(event(-1, "a", math.inf) + event(0, "a", math.nan))

    assert found["a"].steps == (-1, 0)
    assert found["a"].values[0] == math.inf
    assert math.isnan(found["a"].values[1])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 12,
        struct.pack("<QI", 10 << 30, 0) + b"x" * 50,
        struct.pack("<QI", (1 << 64) - 1, 0) + b"x" * 50,
        event(1, "a", 1.0)[:-1],
    ],
)
def test_a_length_beyond_the_end_is_waited_for(content: bytes) -> None:
    events = Events()
    events.advance(BytesSource(content))

    assert events.at == 0
    assert events.points.curves() == {}


def test_records_too_large_for_a_scalar_are_skipped_unread() -> None:
    large = record(part(5, part(1, part(4, bytes(1 << 20)))))

    assert curves(large + event(2, "a", 2.0))["a"].steps == (2,)


def test_what_is_no_event_is_malformed_and_what_was_read_before_stays() -> None:
    events = Events()

    with pytest.raises(Malformed):
        events.advance(BytesSource(event(1, "a", 1.0) + record(b"\xff\xff\xff")))

    assert events.points.curves()["a"].steps == (1,)


def test_a_broken_file_tells_what_stands_before_and_that_it_is_broken(tmp_path: Path) -> None:
    (tmp_path / "a.tfevents.1").write_bytes(event(1, "a", 1.0) + record(b"\xff\xff\xff"))

    found = read("tensorboard", files_in(tmp_path, "none"))

    assert found.series["a"].steps == (1,)
    assert found.problems == ("a.tfevents.1: a record is no event",)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_read_or_malformed(content: bytes, cut: int) -> None:
    for damaged in (content, record(content), event(1, "a", 1.0)[:cut] + content):
        with contextlib.suppress(Malformed):
            curves(damaged)


@given(st.lists(st.tuples(st.integers(-5, 50), st.floats(width=32, allow_nan=False)), max_size=30))
def test_every_way_to_cut_a_file_gives_the_same_in_the_end(points: list[tuple[int, float]]) -> None:
    whole = b"".join(event(step, "a", value) for step, value in points)
    events = Events()
    for end in range(0, len(whole) + 1, 7):
        events.advance(BytesSource(whole[:end]))
    events.advance(BytesSource(whole))

    found = events.points.curves().get("a", Curve((), ()))
    assert dict(zip(found.steps, found.values, strict=True)) == dict(points)
