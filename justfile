# `just` lists what there is to do.
python := ".venv/bin/python"

default:
    @just --list

# Make .venv with everything needed to work on the project.
setup:
    python3 -m venv .venv
    {{python}} -m pip install --upgrade "pip>=25.1"
    {{python}} -m pip install --editable . --group dev

# The README's test command: what a few minutes can tell; `just test-rest` runs the rest.
test *args:
    {{python}} -m pytest {{args}}

# What takes longer: the app, the browser, sync, the server and the files that it keeps.
test-rest *args="tests/pieces tests/server tests/sync tests/tui tests/web":
    {{python}} -m pytest {{args}}

# Kill, contention and soak runs; REGTUI_KILLS, REGTUI_SECONDS and so on make them longer.
test-slow *args="tests":
    {{python}} -m pytest -m slow -n 2 {{args}}

# The simulation of sync for so many minutes; `just soak 0 SEED` plays a seed that failed again.
soak minutes="10" *first:
    PYTHONHASHSEED=0 {{python}} -m tests.sync.soak {{minutes}} {{first}}

lint:
    .venv/bin/ruff check
    .venv/bin/ruff format --check

types:
    .venv/bin/mypy

imports:
    .venv/bin/lint-imports

# Figures beside their baselines; `just bench 1000 100000` chooses the sizes.
bench *sizes:
    {{python}} -m benchmarks {{sizes}}

# Pictures of the app's screens anew; look at them before you commit them.
snapshots *args:
    {{python}} -m pytest tests/tui/test_pictures.py -m "slow or not slow" --snapshot-update {{args}}
    {{python}} docs/pictures.py

# The pictures of the documentation, from those of the tests.
pictures:
    {{python}} docs/pictures.py

# The table of keys in docs/app.md.
keys:
    {{python}} docs/keys.py

# The documentation as a site, into site/.
docs:
    {{python}} -m pip install --quiet --group docs
    .venv/bin/mkdocs build --strict

# The sample registry, in the app.
demo:
    .venv/bin/regtui demo

# Readers of model files against the libraries that write them; installs these first (3 GB).
test-formats *args:
    {{python}} -m pip install --group formats
    {{python}} -m pytest -m slow -n 2 tests/formats/live {{args}}

# Real trainers beside a watcher; installs them first (4 GB).
test-trainers *args:
    {{python}} -m pip install --group trainers
    {{python}} -m pytest -m slow -n0 tests/trainers {{args}}
