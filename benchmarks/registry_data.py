"""Registries to measure on: N versions in natural proportion, made by the real domain code.

Every version is an operation that was judged and written by `SoloAuthority`, some thousands in one
unit of work, so that documents, chains, history and typed rows are what a registry of that size
really holds. Invented are only the values (`registry_story`). Beyond a hundred thousand versions
that takes too long; then what was made so is multiplied (`registry_copies`). A few versions are
captured on top, from files that are really in the store; of the others only manifests are.

The values follow from a seed. Ids of operations and of the replica do not: the domain draws them.
"""

import itertools
import sys
import tempfile
from pathlib import Path

from benchmarks.registry_copies import multiply
from benchmarks.registry_story import Step, Story
from regtui.core.identity import alias_id
from regtui.core.operations import AliasBody, CaptureBody, EditBody, ModelBody, StateBody
from regtui.registry import open_registry
from regtui.registry.changes import changes
from regtui.replica.authority import SoloAuthority
from regtui.replica.ids import uuid7
from regtui.replica.unit import Replica

BLOCK = 100_000
"""The most versions that are judged one by one; more are copies of a block."""

BATCH = 5_000
"""Operations of one unit of work."""

STORED = 5
"""Versions on top, the newest, whose bytes are in the store."""


class _Dated(SoloAuthority):
    """An authority whose clock and actor are set for each operation."""

    def become(self, step: Step) -> None:
        """Let the next operation be done by another person at another time."""
        self.actor = step.actor
        self._now = step.at


def generate(home: Path, versions: int, *, seed: int = 7, block: int = BLOCK) -> None:
    """Make a registry of so many versions and `STORED` more.

    Args:
        home: Its folder, which must not hold one yet.
        versions: How many; a multiple of `block` where there are more.
        seed: What the values follow from.
        block: The most versions that are judged one by one.
    """
    story = Story(min(versions, block), seed)
    if versions <= block:
        _tell(home, story)
    else:
        with tempfile.TemporaryDirectory(dir=home.parent) as folder:
            first = Path(folder, "home")
            _tell(first, story)
            multiply(first, home, versions // block)
    _capture_stored(home, story)


def _tell(home: Path, story: Story) -> None:
    replica = Replica(home, clock=lambda: story.start)
    for creations in story.creations():
        _write(replica, creations)
    steps = story.steps()
    while batch := list(itertools.islice(steps, BATCH)):
        _write(replica, batch)


def _write(replica: Replica, batch: list[Step]) -> None:
    first = batch[0]
    session = uuid7(first.at)
    with replica.writing(first.actor, "api", session) as opened:
        authority = _Dated(
            opened.connection, first.actor, "api", session, first.at, replica.home.path
        )
        # One query for all that is to come, instead of one for each that is not there yet.
        authority.view.load(_named(batch))
        for step in batch:
            authority.become(step)
            _VERBS[step.verb](authority, step)
        authority.flush()


def _named(batch: list[Step]) -> set[str]:
    aliases = {alias_id(step.model, step.name) for step in batch if step.verb == "name"}
    versions = {step.version for step in batch if step.version}
    return aliases | versions | {step.model for step in batch}


def _create(authority: _Dated, step: Step) -> None:
    body = ModelBody(step.name, 0, changes(step.wanted, "model", None))
    authority.submit("model.create", step.model, step.model, body)


def _capture(authority: _Dated, step: Step) -> None:
    body = CaptureBody(
        digest=step.digest,
        nonce="",
        size=sum(entry.size for entry in step.files),
        files=len(step.files),
        set=changes(step.wanted, "version", None),
    )
    authority.submit("version.capture", step.model, step.version, body)
    authority.add_files(step.version, list(step.files))


def _edit(authority: _Dated, step: Step) -> None:
    made = changes(step.wanted, "version", authority.view.document(step.version))
    if made:
        authority.submit("version.edit", step.model, step.version, EditBody(made))


def _archive(authority: _Dated, step: Step) -> None:
    document = authority.view.document(step.version)
    last = None if document is None else document.by
    body = StateBody(last, changes({"state": "archived"}, "version", document))
    authority.submit("version.archive", step.model, step.version, body)


def _name(authority: _Dated, step: Step) -> None:
    identity = alias_id(step.model, step.name)
    made = changes({"version": step.version}, "alias", authority.view.document(identity))
    if made:
        authority.submit("alias.set", step.model, identity, AliasBody(step.name, made))


_VERBS = {
    "create": _create,
    "capture": _capture,
    "edit": _edit,
    "archive": _archive,
    "name": _name,
}


def _capture_stored(home: Path, story: Story) -> None:
    """Capture the newest versions from real files."""
    registry = open_registry(home)
    with tempfile.TemporaryDirectory(prefix="regtui-bench-") as folder:
        for number in range(STORED):
            model = story.models[number % len(story.models)]
            file = Path(folder, f"model-{number}.safetensors")
            file.write_bytes(f"{model.name} {number} ".encode() * 1_000)
            registry.capture(file, model=model.name, metrics={"loss": 0.1 + number / 100})


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]))
