"""Generated registries, kept between runs.

They stand below `.benchmarks/` of the project, or in the folder that `REGTUI_BENCH_CACHE` names,
one folder each: `SCHEMA-DIGEST-VERSIONS/{home,config}`, where the digest is one of the generator's
sources. A registry is made beside its name and renamed when it is whole. Nobody writes to one:
whoever has to write takes a copy.
"""

import os
import shutil
import sys
from pathlib import Path

from blake3 import blake3

from benchmarks import registry_copies, registry_data, registry_story
from benchmarks.measuring import run
from regtui.replica.migrate import latest

_SOURCES = (registry_copies, registry_data, registry_story)


def cache_folder() -> Path:
    """Return the folder of all generated registries."""
    chosen = os.environ.get("REGTUI_BENCH_CACHE")
    return Path(chosen) if chosen else Path(__file__).parents[1] / ".benchmarks"


def cached(versions: int) -> Path:
    """Return the home of a registry with so many versions, made now where there is none.

    Keys of replicas made from now on go beside it too.
    """
    folder = cache_folder() / f"{latest()}-{_digest()}-{versions}"
    if not folder.exists():
        beside = folder.with_name(f"{folder.name}.part-{os.getpid()}")
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        os.environ["REGTUI_CONFIG"] = str(beside / "config")
        _generate(beside / "home", versions)
        beside.rename(folder)
    os.environ["REGTUI_CONFIG"] = str(folder / "config")
    return folder / "home"


def copied(home: Path, target: Path) -> Path:
    """Copy a registry to where it may be changed; return the copy's home."""
    shutil.copytree(home, target)
    return target


def _generate(home: Path, versions: int) -> None:
    """Generate in a process of its own, which may use more memory than what is measured here."""
    command = [sys.executable, "-m", "benchmarks.registry_data", str(home), str(versions)]
    used = run(command, {"REGTUI_MEMORY": "1GB"})
    size = (home / "registry.duckdb").stat().st_size / 1e6
    print(
        f"generated {versions:,} versions in {used.seconds:.0f} s with {used.memory:.0f} MB; "
        f"the database has {size:.0f} MB",
        file=sys.stderr,
    )


def _digest() -> str:
    sources = b"".join(Path(str(module.__file__)).read_bytes() for module in _SOURCES)
    return blake3(sources).hexdigest()[:8]
