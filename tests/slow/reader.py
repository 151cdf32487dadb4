"""A process that reads pages without pause and says how long its longest turn took.

Usage: python reader.py HOME SECONDS
"""

import json
import sys
import time

import regtui

registry = regtui.open(sys.argv[1])
deadline = time.monotonic() + float(sys.argv[2])
turns = []
while time.monotonic() < deadline:
    started = time.monotonic()
    with registry.context.reading() as connection:
        inside = time.monotonic()
        connection.execute("select count(*), max(created) from base.version").fetchall()
        time.sleep(0.05)  # a burst of the app, which others have to wait for
        turns.append((inside - started, time.monotonic() - inside))
sys.stdout.write(json.dumps({"turns": len(turns), "bursts": [burst for _, burst in turns]}) + "\n")
