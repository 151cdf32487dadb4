"""The simulation for as long as told: `python -m tests.sync.soak MINUTES [FIRST]`.

Seeds are played one after the other from FIRST on, which is drawn unless it is told. A seed that
fails is printed with the command that plays it again; the exit code is 1 then.
"""

import argparse
import os
import random
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.sync.simulation import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("minutes", type=float)
    parser.add_argument("first", type=int, nargs="?")
    given = parser.parse_args()
    first = random.SystemRandom().randrange(10**9) if given.first is None else given.first
    until = time.monotonic() + 60 * given.minutes
    seed, failed = first, 0
    while seed == first or time.monotonic() < until:
        failed += not _holds(seed)
        seed += 1
    sys.stdout.write(f"{seed - first} seeds from {first} on, {failed} failed\n")
    return min(failed, 1)


def _holds(seed: int) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REGTUI_CONFIG"] = str(Path(folder, "config"))
        try:
            run(Path(folder), seed, say=lambda line: print(line, flush=True), ahead=1 + seed % 3)
        except Exception:  # noqa: BLE001 -- whatever it is, the next seed is played too
            traceback.print_exc()
            again = f"{sys.executable} -m tests.sync.soak 0 {seed}"
            print(f"seed {seed} failed; play it again: {again}", flush=True)
            return False
    return True


if __name__ == "__main__":
    sys.exit(main())
