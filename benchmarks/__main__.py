"""`python -m benchmarks [sizes…] [--only GROUP …]`."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import (
    app,
    cold,
    contention,
    folders,
    growth,
    peers,
    registering,
    scans,
    sync_peers,
    syncing,
    usage,
    watching,
)
from benchmarks.bench import Bench
from benchmarks.cache import cache_folder
from benchmarks.table import Row, text

GROUPS = {
    "cold": cold,
    "app": app,
    "growth": growth,
    "scans": scans,
    "folders": folders,
    "registering": registering,
    "contention": contention,
    "sync": syncing,
    "watch": watching,
    "peers": peers,
    "sync-peers": sync_peers,
    "usage": usage,
}
SIZES = [1_000, 100_000, 1_000_000]


def main() -> None:
    """Measure what was asked for and print the table; unreached figures fail nothing."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="versions")
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS), metavar="GROUP")
    options = parser.parse_args()
    cache_folder().mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="run-", dir=cache_folder()) as folder:
        bench = Bench(options.sizes, Path(folder))
        for name in options.only:
            print(f"measuring {GROUPS[name].TITLE}", file=sys.stderr)
            rows.append(Row(f"[{GROUPS[name].TITLE}]"))
            rows.extend(GROUPS[name].rows(bench))
    print(text(rows))


if __name__ == "__main__":
    main()
