"""The process that writes into a folder, where `/proc` shows it: its command, Python, packages.

Whoever has a file of the folder open for writing is the writer; else who has one open; else who
runs Python in the folder, or in one above it: a trainer opens its checkpoint for moments only.
Processes of other people stay unknown unless we may read about them.
"""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from regtui.capture.packages import packages_in, site_folders
from regtui.capture.redaction import redacted, redacted_command

_PROC = Path("/proc")
_LIMIT = 1 << 20
_MAPS = 8 << 20
_WRITING = os.O_WRONLY | os.O_RDWR

ENVIRONMENT = re.compile(
    r"CUDA_VISIBLE_DEVICES|CUBLAS_WORKSPACE_CONFIG|PYTHONHASHSEED|OMP_NUM_THREADS|MKL_NUM_THREADS"
    r"|(?:LOCAL_|NODE_|GROUP_)?RANK|(?:LOCAL_)?WORLD_SIZE|MASTER_(?:ADDR|PORT)|VIRTUAL_ENV"
    r"|CONDA_DEFAULT_ENV|SLURM_(?:JOB_ID|JOB_NAME|ARRAY_JOB_ID|ARRAY_TASK_ID|NNODES|NTASKS"
    r"|JOB_NODELIST|JOB_PARTITION|PROCID)|PBS_JOBID|LSB_JOBID|JOB_ID|HF_HUB_OFFLINE|NCCL_DEBUG"
)
"""Variables that are kept; no others, whatever they are called."""


class WritingProcess(Struct, frozen=True):
    """A process as it was when it was looked at.

    Attributes:
        pid: Its number.
        command: Its arguments, without secrets.
        folder: Its current folder.
        python: Version of its Python, such as `3.11`; None where it runs none.
        started: Milliseconds since 1970.
        environment: The variables of `ENVIRONMENT` that it was started with.
        prefixes: Environments that it may have its packages from, the likeliest first.
        loaded: Folders of packages that it has loaded libraries from.
    """

    pid: int
    command: tuple[str, ...]
    folder: str
    python: str | None
    started: int | None
    environment: dict[str, str]
    prefixes: tuple[str, ...] = ()
    loaded: tuple[str, ...] = ()

    def packages(self) -> dict[str, str]:
        """Return version by name of the packages of its environment."""
        folders = [Path(one) for one in self.loaded]
        for prefix in self.prefixes:
            folders += site_folders(Path(prefix))
        return packages_in(dict.fromkeys(folders))


def writing_process(folder: Path) -> WritingProcess | None:
    """Return the process that writes into a folder, or None where none is to be seen.

    Args:
        folder: The folder of a run.
    """
    root = os.path.realpath(folder)
    ranked = sorted((rank, pid) for pid in _pids() if (rank := _rank(pid, root)) is not None)
    return next((found for _, pid in ranked if (found := process(pid)) is not None), None)


def process(pid: int) -> WritingProcess | None:
    """Return what is to be seen of a process; None where it has ended or is somebody else's."""
    command = [part for part in _read(pid, "cmdline").split("\0") if part]
    if not command:
        return None
    variables = dict(
        line.split("=", 1) for line in _read(pid, "environ").split("\0") if "=" in line
    )
    libraries = sorted(set(re.findall(r"(/\S.*?/(?:site|dist)-packages)/", _read(pid, "maps"))))
    executable = _link(pid, "exe")
    python = re.search(r"python(\d+\.\d+)", " ".join([executable, *libraries]))
    return WritingProcess(
        pid=pid,
        command=tuple(redacted_command(command)),
        folder=_link(pid, "cwd"),
        python=python[1] if python else None,
        started=_started(pid),
        environment={
            name: redacted(value)
            for name, value in sorted(variables.items())
            if ENVIRONMENT.fullmatch(name) and value
        },
        prefixes=tuple(_prefixes(pid, command[0], variables, executable)),
        loaded=tuple(libraries),
    )


def is_running(pid: int) -> bool:
    """Tell whether a process of this machine runs; one that ended may wait to be asked after."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass  # somebody else's
    state = _read(pid, "stat").rpartition(") ")[2][:1]
    return state not in {"Z", "X"}


def _pids() -> Iterator[int]:
    try:
        names = os.listdir(_PROC)  # noqa: PTH208 -- thousands, and names are enough
    except OSError:
        return
    yield from (int(name) for name in names if name.isdigit() and int(name) != os.getpid())


def _rank(pid: int, root: str) -> int | None:
    """Return how likely a process is the writer, 0 the likeliest; None where it can't be."""
    best: int | None = None
    descriptors = _PROC / str(pid) / "fd"
    try:
        names = os.listdir(descriptors)  # noqa: PTH208 -- see above
    except OSError:
        return None
    for name in names:
        try:
            target = os.readlink(descriptors / name)  # noqa: PTH115 -- thousands of them
        except OSError:
            continue
        if target == root or target.startswith(f"{root}/"):
            if _is_writing(pid, name):
                return 0
            best = 1
    if best is None and "python" in os.path.basename(_link(pid, "exe")):  # noqa: PTH119 -- a string
        folder = _link(pid, "cwd")
        if folder == root or folder.startswith(f"{root}/"):
            return 2
        if folder != "/" and root.startswith(f"{folder}/"):
            return 3
    return best


def _is_writing(pid: int, descriptor: str) -> bool:
    flags = re.search(r"flags:\s*([0-7]+)", _read(pid, f"fdinfo/{descriptor}"))
    return flags is not None and bool(int(flags[1], 8) & _WRITING)


def _prefixes(pid: int, program: str, variables: dict[str, str], executable: str) -> Iterator[str]:
    """Yield environments: of the program as it was called, as it says, and as it really is."""
    called = Path(_link(pid, "cwd"), program)
    if "/" in program and called.parent.name in {"bin", "Scripts"}:
        yield os.path.normpath(called.parent.parent)
    yield from (variables[name] for name in ("VIRTUAL_ENV", "CONDA_PREFIX") if variables.get(name))
    if executable:
        yield os.path.dirname(os.path.dirname(executable))  # noqa: PTH120 -- a string


def _started(pid: int) -> int | None:
    """Return when a process was started, in milliseconds since 1970."""
    fields = _read(pid, "stat").rpartition(") ")[2].split()
    try:
        ticks = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        up = float((_PROC / "uptime").read_text(encoding="ascii").split()[0])
    except (OSError, IndexError, ValueError):
        return None
    return round((time.time() - up + ticks) * 1000)


def _read(pid: int, name: str) -> str:
    limit = _MAPS if name == "maps" else _LIMIT
    try:
        with (_PROC / str(pid) / name).open("rb") as file:
            return file.read(limit).decode(errors="replace")
    except OSError:
        return ""


def _link(pid: int, name: str) -> str:
    try:
        return str((_PROC / str(pid) / name).readlink()).removesuffix(" (deleted)")
    except OSError:
        return ""
