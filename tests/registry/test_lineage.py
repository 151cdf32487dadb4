import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from regtui.core.errors import BadInput, NotFound
from regtui.registry import Registry
from regtui.registry.lineage import lineage

Make = Callable[..., str]


@pytest.fixture
def make(registry: Registry, tmp_path: Path) -> Make:
    """Return what makes a version with parents and returns its reference."""

    def made(name: str, *parents: str, **options: object) -> str:
        path = tmp_path / name
        path.write_text(name, encoding="utf-8")
        return registry.capture(path, model=name, parents=parents, **options).version.reference  # type: ignore[arg-type]

    return made


def shown(registry: Registry, reference: str, **options: object) -> dict[str, int]:
    nodes = registry.lineage(reference, **options).nodes  # type: ignore[arg-type]
    return {node.reference: node.depth for node in nodes}


def test_ancestors_and_descendants_are_found(registry: Registry, make: Make) -> None:
    base = make("base", inputs={"web": "s3://web"})
    tuned = make("tuned", base)
    last = make("last", tuned)
    make("other")
    assert shown(registry, tuned) == {tuned: 0, base: -1, last: 1}
    assert shown(registry, tuned, down=False) == {tuned: 0, base: -1}
    assert shown(registry, tuned, up=False) == {tuned: 0, last: 1}
    found = registry.lineage(last)
    assert {node.reference: list(node.inputs) for node in found.nodes}[base] == ["web"]
    assert len(found.edges) == 2


def test_a_depth_cuts_and_says_so(registry: Registry, make: Make) -> None:
    chain = [make("v0")]
    for number in range(1, 6):
        chain.append(make(f"v{number}", chain[-1]))
    found = registry.lineage(chain[0], depth=2)
    assert [node.reference for node in found.nodes] == chain[:3]
    assert found.cut is True
    assert registry.lineage(chain[0], depth=5).cut is False
    assert registry.lineage(chain[0], depth=0).nodes[0].reference == chain[0]
    assert len(registry.lineage(chain[5]).nodes) == 6


def test_only_the_nearest_are_told_where_that_is_asked_for(registry: Registry, make: Make) -> None:
    base = make("base")
    children = [make(f"child{number}", base) for number in range(4)]
    grandchild = make("grandchild", children[0])

    few = lineage(registry.context, base, most=2)
    enough = lineage(registry.context, base, most=5)

    assert [node.reference for node in few.nodes] == [base, *children[:2]]
    assert (len(few.edges), few.cut) == (2, True)
    assert enough.nodes[-1].reference == grandchild
    assert enough.cut is False
    assert lineage(registry.context, base, most=4).cut is True


def test_a_diamond_has_each_version_once(registry: Registry, make: Make) -> None:
    base = make("base")
    left, right = make("left", base), make("right", base)
    merged = make("merged", left, right)
    found = registry.lineage(merged)
    assert sorted(node.reference for node in found.nodes) == sorted([base, left, right, merged])
    assert len(found.edges) == 4


def test_a_cycle_ends(registry: Registry, make: Make) -> None:
    one = make("one")
    two = make("two", one)
    registry.edit(one, {f"parents/{registry.version(two).id}": True})
    assert set(shown(registry, one)) == {one, two}
    assert len(registry.lineage(one).edges) == 2


def test_a_parent_that_is_not_here_is_an_id(registry: Registry, make: Make) -> None:
    one = make("one")
    unknown = str(uuid.uuid4())
    registry.edit(one, {f"parents/{unknown}": True})
    (node,) = [node for node in registry.lineage(one).nodes if node.id == unknown]
    assert (node.known, node.model, node.state) == (False, None, None)


def test_deleted_versions_stay_in_the_lineage(registry: Registry, make: Make) -> None:
    base = make("base")
    tuned = make("tuned", base)
    registry.change_state("version", base, "delete")
    states = {node.reference: node.state for node in registry.lineage(tuned).nodes}
    assert states == {tuned: "captured", base: "deleted"}


def test_what_is_no_version_is_refused(registry: Registry, make: Make) -> None:
    make("one")
    with pytest.raises(BadInput, match="names a model"):
        registry.lineage("one")
    with pytest.raises(BadInput, match="negative"):
        registry.lineage("one@1", depth=-1)
    with pytest.raises(NotFound):
        registry.lineage("one@2")
