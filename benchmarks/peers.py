"""The same work by other programs, where they are installed.

They are looked for in the virtual environment that `REGTUI_BENCH_PEERS` names, then on the PATH;
nothing is installed for them.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.bench import Bench, command, size_text
from benchmarks.measuring import Series, in_turns, run
from benchmarks.table import Row, absent, compared, time_text

TITLE = "peers"

ROUNDS = 5
MLFLOW_VERSIONS = 100

_MLFLOW = """
import sys, time
from mlflow import MlflowClient
client = MlflowClient("sqlite:///" + sys.argv[1])
client.create_registered_model("bench")
for number in range(int(sys.argv[2])):
    client.create_model_version("bench", f"file:///nowhere/{number}")
"""


def rows(bench: Bench) -> Iterator[Row]:
    """Measure against every peer that is there."""
    yield from _cold(bench, "mlflow", 1 / 10)
    yield from _cold(bench, "gto", 1 / 2)
    yield from _folder(bench, "dvc", _dvc, 1 / 4)
    yield from _folder(bench, "restic", _restic, 1 / 5)
    yield from _register()


def _find(program: str) -> str | None:
    chosen = os.environ.get("REGTUI_BENCH_PEERS")
    beside = None if chosen is None else shutil.which(program, path=f"{chosen}/bin")
    return beside or shutil.which(program)


def _cold(bench: Bench, program: str, most: float) -> Iterator[Row]:
    what = f"ls --json at {size_text(bench.largest)} / {program} --version"
    found = _find(program)
    if found is None:
        yield absent(what, program)
        return
    ls = command(bench.readable(bench.largest), "ls", "--json")
    series = in_turns(
        {"ls": lambda: run(ls).seconds, "peer": lambda: run([found, "--version"]).seconds}, ROUNDS
    )
    yield compared(what, series["ls"], series["peer"], most)


def _folder(
    bench: Bench, program: str, prepare: Callable[[str, Path, Path], list[str]], most: float
) -> Iterator[Row]:
    what = f"capture of 256 MiB / {program}"
    found = _find(program)
    if found is None:
        yield absent(what, program)
        return
    source = bench.folder / "peer-source"
    source.mkdir(exist_ok=True)
    (source / "weights.bin").write_bytes(os.urandom(256 << 20))

    def peer() -> float:
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            line = prepare(found, source, Path(folder))
            os.sync()
            return run(line, {"RESTIC_PASSWORD": "bench"}).seconds

    def ours() -> float:
        with tempfile.TemporaryDirectory(dir=bench.folder) as folder:
            home = Path(folder, "home")
            run(command(home, "model", "create", "bench/peer"))
            os.sync()
            return run(command(home, "capture", str(source), "--model", "bench/peer")).seconds

    series = in_turns({"ours": ours, "peer": peer}, ROUNDS)
    yield compared(what, series["ours"], series["peer"], most)


def _dvc(program: str, source: Path, folder: Path) -> list[str]:
    run(["/bin/sh", "-c", 'cd "$2" && "$1" init -q --no-scm', "sh", program, str(folder)])
    shutil.copytree(source, folder / "data")
    return ["/bin/sh", "-c", 'cd "$2" && "$1" add -q data', "sh", program, str(folder)]


def _restic(program: str, source: Path, folder: Path) -> list[str]:
    repository = ["-q", "-r", str(folder / "repository")]
    run([program, *repository, "init"], {"RESTIC_PASSWORD": "bench"})
    return [program, *repository, "backup", str(source)]


def _register() -> Iterator[Row]:
    what = "registering one version by the MLflow client on SQLite"
    found = _find("mlflow")
    python = None if found is None else Path(found).with_name("python")
    if python is None or not python.exists():
        yield absent(what, "mlflow")
        return
    with tempfile.TemporaryDirectory() as folder:
        seconds = []
        for number in range(3):
            database = f"{folder}/{number}.db"
            line = [str(python), "-c", _MLFLOW, database]
            few, many = run([*line, "1"]), run([*line[:-1], f"{database}2", str(MLFLOW_VERSIONS)])
            seconds.append((many.seconds - few.seconds) / (MLFLOW_VERSIONS - 1))
        print("mlflow registered", file=sys.stderr)
    yield Row(what, time_text(Series(seconds).median))
