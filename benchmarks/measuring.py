"""Measuring: whole processes and calls, the subject and its baseline in turns.

Everything is measured in *rounds*: each round runs every candidate once, so that what else the
machine does meanwhile falls on all of them alike. A figure is the median over the rounds; a ratio
is the median of the ratios of each round.
"""

import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple, TypeVar

Result = TypeVar("Result")

ROUNDS = 9
"""How often everything is measured, beside one round that warms up."""


_BYTE_CODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""An installed program starts from byte code; one in a working tree has to be allowed to."""


class Used(NamedTuple):
    """What a process used: seconds on the clock, and its peak memory in MB (10⁶ bytes)."""

    seconds: float
    memory: float


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    *,
    codes: Collection[int] = (0,),
) -> Used:
    """Run a process, its output thrown away, and return what it used.

    Args:
        command: Absolute path of a program, and arguments.
        environment: Variables beside those of this process.
        codes: Exit codes that are no failure.

    Raises:
        RuntimeError: It failed.
    """
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        started = time.perf_counter()
        pid = os.posix_spawn(
            command[0],
            list(command),
            {**os.environ, **_BYTE_CODE, **(environment or {})},
            file_actions=[(os.POSIX_SPAWN_DUP2, null, 1)],
        )
        _, status, usage = os.wait4(pid, 0)
        seconds = time.perf_counter() - started
    finally:
        os.close(null)
    code = os.waitstatus_to_exitcode(status)
    if code not in codes:
        raise RuntimeError(f"{' '.join(command)} failed ({code})")
    scale = 1 if sys.platform == "darwin" else 1024
    return Used(seconds, usage.ru_maxrss * scale / 1e6)


def apart(function: Callable[..., Result], *arguments: object) -> Result:
    """Run a function in a process of its own, and return its result.

    Calls are measured there. The kernel counts the memory of the process that starts another as
    the other's own until it has its program, so this process has to stay small.
    """
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=spawning) as pool:
        return pool.submit(function, *arguments).result()


def timed(call: Callable[[], object]) -> float:
    """Return how many seconds a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


class Series(NamedTuple):
    """The figures of all rounds of one candidate."""

    values: list[float]

    @property
    def median(self) -> float:
        """The figure that half of the rounds stay below."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """The figure that nineteen of twenty rounds stay below."""
        return sorted(self.values)[max(-(-len(self.values) * 19 // 20) - 1, 0)]

    def over(self, baseline: "Series") -> float:
        """Return the median of the ratios to a baseline, round by round."""
        pairs = zip(self.values, baseline.values, strict=True)
        return statistics.median(mine / its for mine, its in pairs)


def in_turns(
    candidates: Mapping[str, Callable[[], float]], rounds: int = ROUNDS
) -> dict[str, Series]:
    """Measure every candidate once a round; the first round is thrown away.

    Every second round goes backwards, since what ran before leaves its traces: a warm page cache,
    freed memory that the system still holds.

    Args:
        candidates: By name, what runs one and returns its figure.
        rounds: How many rounds count.
    """
    found: dict[str, Series] = {name: Series([]) for name in candidates}
    for number in range(rounds + 1):
        order = list(candidates)[:: 1 if number % 2 else -1]
        for name in order:
            value = candidates[name]()
            if number:
                found[name].values.append(value)
    return found
