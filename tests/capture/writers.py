"""Trainers that do everything that a trainer may do to its folder, as processes of their own.

    python writers.py KIND FOLDER [COUNT] [PAUSE]

Each writes whole states whose weights hold nothing but the number of the state, so that a mixture
of two or a part of one shows. A state that it gives up is filled with `PARTIAL`. It prints the
number of each state when it is done with it.
"""

import json
import mmap
import os
import shutil
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path

SIZE = 300_000
PARTIAL = 255


def weights(number: int, size: int = SIZE) -> bytes:
    """Return a safetensors file whose every byte is the number of the state."""
    table = {"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    header = json.dumps(table).encode()
    return struct.pack("<Q", len(header)) + header + bytes([number]) * size


def numbers_of(content: bytes) -> set[int]:
    """Return the numbers of the states that the weights of a file are of."""
    (length,) = struct.unpack("<Q", content[:8])
    assert len(content) == 8 + length + SIZE
    return set(content[8 + length :])


def done(number: int) -> None:
    print(number, flush=True)


def checkpoint(folder: Path, number: int, pause: float = 0.0) -> Path:
    """Write a checkpoint as the Trainer of transformers does: its state last."""
    path = folder / f"checkpoint-{number}"
    path.mkdir(parents=True, exist_ok=True)
    (path / "config.json").write_text('{"model_type": "toy"}')
    slowly(path / "model.safetensors", weights(number), pause)
    (path / "training_args.bin").write_bytes(b"\x80\x02}q\x00.")
    state = {"global_step": number, "log_history": [{"step": number, "loss": 1 / number}]}
    (path / "trainer_state.json").write_text(json.dumps(state))
    return path


def slowly(path: Path, content: bytes, pause: float) -> None:
    with path.open("wb") as file:
        for start in range(0, len(content), SIZE // 4):
            file.write(content[start : start + SIZE // 4])
            file.flush()
            time.sleep(pause / 4)


def rotates(folder: Path, count: int, pause: float) -> None:
    """Keep one checkpoint: remove the old one right after the new one is there."""
    for number in range(1, count + 1):
        checkpoint(folder, number)
        done(number)
        shutil.rmtree(folder / f"checkpoint-{number - 1}", ignore_errors=True)
        time.sleep(pause)


def reuses(folder: Path, count: int, pause: float) -> None:
    """Write all states into one folder, which is removed before each."""
    for number in range(1, count + 1):
        path = folder / "checkpoint-7"
        shutil.rmtree(path, ignore_errors=True)
        made = checkpoint(folder / "making.tmp", number)
        state = {"global_step": 7}
        (made / "trainer_state.json").write_text(json.dumps(state))
        made.rename(path)
        done(number)
        time.sleep(pause)


def stalls(folder: Path, count: int, pause: float) -> None:
    """Write half of a file, sleep with it open, then the rest."""
    for number in range(1, count + 1):
        slowly(folder / f"step{number}.safetensors", weights(number), pause)
        done(number)


def crashes(folder: Path, count: int, pause: float) -> None:
    """Write half of each state and give up: of a file, of reserved space, of a folder."""
    content = weights(PARTIAL)
    (folder / "half.safetensors").write_bytes(content[: len(content) // 2])
    (folder / "reserved.safetensors").write_bytes(content[: len(content) // 2])
    os.truncate(folder / "reserved.safetensors", len(content))
    (checkpoint(folder, PARTIAL) / "trainer_state.json").unlink()
    (folder / "empty.safetensors").touch()
    time.sleep(pause)
    os._exit(1)


def rewrites(folder: Path, count: int, pause: float) -> None:
    """Write one file anew in place, again and again."""
    for number in range(1, count + 1):
        with (folder / "last.safetensors").open("r+b" if number > 1 else "wb") as file:
            content = weights(number)
            for start in range(0, len(content), SIZE // 4):
                file.write(content[start : start + SIZE // 4])
                file.flush()
        done(number)
        time.sleep(pause)


def maps(folder: Path, count: int, pause: float) -> None:
    """Reserve the space of a file, and fill it through a mapping."""
    for number in range(1, count + 1):
        content = weights(number)
        with (folder / f"step{number}.safetensors").open("w+b") as file:
            file.truncate(len(content))
            with mmap.mmap(file.fileno(), len(content)) as mapped:
                for start in range(0, len(content), SIZE // 4):
                    mapped[start : start + SIZE // 4] = content[start : start + SIZE // 4]
                    time.sleep(pause / 4)
        done(number)


def renames(folder: Path, count: int, pause: float) -> None:
    """Write each state beside its name and rename it over the one before."""
    for number in range(1, count + 1):
        beside = folder / "last.safetensors.tmp"
        beside.write_bytes(weights(number))
        beside.replace(folder / "last.safetensors")
        done(number)
        time.sleep(pause)


def links(folder: Path, count: int, pause: float) -> None:
    """Give the last state a second name, by hard link, as timm does."""
    for number in range(1, count + 1):
        path = folder / f"step{number}.safetensors"
        path.write_bytes(weights(number))
        last = folder / "last.safetensors"
        last.unlink(missing_ok=True)
        last.hardlink_to(path)
        done(number)
        time.sleep(pause)


def back_in_time(folder: Path, count: int, pause: float) -> None:
    """Write files whose dates jump back and ahead, as those of a clock that is set do."""
    for number in range(1, count + 1):
        path = folder / f"step{number}.safetensors"
        path.write_bytes(weights(number))
        then = time.time() + (86_400 if number % 2 else -86_400) * number
        os.utime(path, (then, then))
        done(number)
        time.sleep(pause)


def many(folder: Path, count: int, pause: float) -> None:
    """Write many small files at once, in nested folders."""
    for number in range(count):
        path = folder / str(number % 7) / str(number % 100)
        path.mkdir(parents=True, exist_ok=True)
        (path / f"{number}.safetensors").write_bytes(weights(number % 250, 10 + number))
    done(count)


_ALL = (rotates, reuses, stalls, crashes, rewrites, maps, renames, links, back_in_time, many)
KINDS: dict[str, Callable[[Path, int, float], None]] = {one.__name__: one for one in _ALL}

if __name__ == "__main__":
    target = Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    KINDS[sys.argv[1]](target, int(sys.argv[3]), float(sys.argv[4]))
