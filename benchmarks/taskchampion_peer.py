"""TaskChampion as a peer of `sync_peers`, run by the Python that has it: FOLDER COUNT.

Its server is a folder that both replicas open: there is no network and no second process.
"""

import json
import random
import sys
import time
import uuid
from pathlib import Path

from taskchampion import AccessMode, Operations, Replica, TaskData


def main(folder: str, count: int) -> None:
    Path(folder, "server").mkdir()
    mine = _replica(f"{folder}/mine")
    made = Operations()
    for _ in range(count):
        task = TaskData.create(str(uuid.uuid4()), made)
        task.update("digest", random.randbytes(32).hex(), made)
        task.update("metrics/loss", str(random.random()), made)
        task.update("metrics/accuracy", str(random.random()), made)
        task.update("params/lr", str(random.random()), made)
        task.update("tags/env", "dev", made)
    mine.commit_operations(made)
    started = time.perf_counter()
    mine.sync_to_local(f"{folder}/server", avoid_snapshots=False)
    pushed = time.perf_counter()
    newcomer = _replica(f"{folder}/newcomer")
    joined = time.perf_counter()
    newcomer.sync_to_local(f"{folder}/server", avoid_snapshots=False)
    ended = time.perf_counter()
    assert len(newcomer.all_task_uuids()) == count
    print(json.dumps({"push": pushed - started, "pull": ended - joined}))


def _replica(folder: str) -> Replica:
    return Replica.new_on_disk(folder, create_if_missing=True, access_mode=AccessMode.ReadWrite)


main(sys.argv[1], int(sys.argv[2]))
