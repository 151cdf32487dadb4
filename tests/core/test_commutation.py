"""Concurrent changes that no person has to settle: the order of judging does not show."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.documents import Register
from regtui.core.judgement import judge
from regtui.core.operations import Operation
from tests.core.registry_state import SECOND, START, Authority, RegistryState, Replica

NAMES = ("ann", "ben", "cara", "dan")
words = st.sampled_from(["x", "y", None])
flags = st.sampled_from([True, None])
metrics = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"value": st.sampled_from([0.5, 0.75, "NaN"])},
        optional={"step": st.sampled_from([None, 2, 3, 4])},
    ),
)
inputs = st.sampled_from([{"uri": "a"}, {"uri": "b"}, None])
version_edits = st.fixed_dictionaries(
    {},
    optional={
        "tags/known": words,
        "tags/new": words,
        "params/lr": st.sampled_from([1, 1.0, True, None]),
        "metrics/known": metrics,
        "metrics/new": metrics,
        "inputs/known": inputs,
        "parents/5b8d2ac8-32ef-5b0c-9d6e-1f4f0a3f7a11": flags,
    },
).filter(bool)
model_edits = st.fixed_dictionaries(
    {}, optional={"tags/known": words, "owners/known": flags, "owners/new": flags}
).filter(bool)
clocks = st.sampled_from([0, START - 5 * SECOND, START, START + SECOND, START * 2])


class Base:
    """A registry that everybody has seen."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.people = [self.authority.person(name) for name in NAMES]
        ann = self.people[0]
        self.model = ann.create("m", {"tags/known": "x", "owners/known": True}).entity
        values = {
            "tags/known": "x",
            "metrics/known": {"value": 0.5, "step": 3},
            "inputs/known": {"uri": "a"},
        }
        self.version = ann.capture(self.model, "content", values).entity
        ann.sync()
        for person in self.people:
            person.pull()


def outcome(base: Base, operations: tuple[tuple[Replica, Operation], ...]) -> dict[str, Any]:
    state = base.authority.state.copy(final=True)
    for person, operation in operations:
        state.apply(operation, judge(operation, state, person.actor, base.authority.now))
    return visible(state)


def visible(state: RegistryState) -> dict[str, Any]:
    """Everything but sequence numbers and which operation was the last one."""
    return {entity: (doc.facts, doc.fields) for entity, doc in state.documents.items()}


@given(
    st.lists(st.tuples(clocks, st.booleans(), version_edits, model_edits), min_size=2, max_size=4)
)
def test_every_order_of_concurrent_map_set_and_metric_changes_gives_equal_documents(
    edits: list[tuple[int, bool, dict[str, Any], dict[str, Any]]],
) -> None:
    base = Base()
    made = []
    for person, (clock, on_version, version_edit, model_edit) in zip(
        base.people, edits, strict=False
    ):
        person.clock = clock
        target = (base.version, version_edit) if on_version else (base.model, model_edit)
        made.append((person, person.edit(*target)))
    first, *others = [outcome(base, order) for order in permutations(made)]
    assert all(other == first for other in others)


def test_captures_of_one_content_by_two_watchers_commute() -> None:
    base = Base()
    made = []
    for person in base.people[:3]:
        place = {
            "host": person.actor.name,
            "folder": "/",
            "name": "last",
            "at": 1,
            "author": person.actor.id,
        }
        values = {f"places/{person.actor.name}": place, "metrics/known": {"value": 0.7}}
        made.append((person, person.capture(base.model, "content", values)))
    first, *others = [outcome(base, order) for order in permutations(made)]
    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("description", "new"),
        ("description", None),
        ("tags/known", "new"),
        ("metrics/known", {"value": 0.9, "step": 1}),
        ("inputs/known", {"uri": "new"}),
        ("parents/5b8d2ac8-32ef-5b0c-9d6e-1f4f0a3f7a11", True),
    ],
)
def test_a_change_of_the_value_that_was_seen_is_a_plain_write(path: str, value: Any) -> None:
    base = Base()
    ann = base.people[0]
    operation = ann.edit(base.version, {path: value})
    ann.sync()
    register = base.authority.state.documents[base.version].fields[path]
    assert register == Register(value, operation.id, operation.at)


def test_a_keyed_value_that_was_seen_is_taken_away_without_a_trace_in_the_document() -> None:
    base = Base()
    ann = base.people[0]
    ann.edit(base.version, {"tags/known": None})
    ann.sync()
    assert "tags/known" not in base.authority.state.documents[base.version].fields
