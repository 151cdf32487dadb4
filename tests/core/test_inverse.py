"""Taking operations back: one by one, and all of a history.

The machine does whatever people do to one registry, and keeps a stack of what was done as the
simplest model of undo and redo there is. `regtui.core.inverse` has to agree with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from regtui.core import encoding
from regtui.core.errors import RegtuiError
from regtui.core.identity import user_id, version_id
from regtui.core.inverse import inverse, redone
from regtui.core.verdicts import Accepted, Conflicted, LogRow
from tests.core.registry_state import Authority, Replica

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.core.documents import Document
    from regtui.core.operations import Operation

GONE = {"deleted", "withdrawn"}


class Refused(Exception):
    """An operation was not accepted as it is."""


class Solo:
    """One person with an authority of her own."""

    def __init__(self) -> None:
        self.authority = Authority()
        self.person = self.authority.person("ann")
        self.rows: dict[str, tuple[LogRow, ...]] = {}

    def do(self, operation: Operation) -> bool:
        """Judge what the person did; False where it was refused."""
        self.person.pending.clear()
        judged = self.authority.judge(operation, self.person.actor)
        self.rows[operation.id] = judged.log
        self.person.pull()
        assert not isinstance(judged.verdict, Conflicted)
        return isinstance(judged.verdict, Accepted)

    def take_back(self, operations: Sequence[Operation]) -> list[Operation]:
        """Take operations back, all or none; return those that did it."""
        before = self.authority.state.copy(final=True)
        made: list[Operation] = []
        wanted = [redone(operation, self.authority.state) for operation in operations]
        try:
            for operation in reversed({operation.id: operation for operation in wanted}.values()):
                rows = self.rows[operation.id]
                for draft in inverse(operation, rows, self.authority.state):
                    new = self.person.draft(draft.kind, draft.stream, draft.entity, draft.body)
                    new = msgspec.structs.replace(new, undoes=operation.id)
                    if not self.do(new):
                        raise Refused  # noqa: TRY301 -- both ends are undone alike
                    made.append(new)
        except (Refused, RegtuiError):
            self.authority.state = before
            self.person.pull()
            raise
        return made

    def living(self) -> dict[str, dict[str, Any]]:
        """Return the values of everything that is there, as people see it."""
        documents = self.authority.state.documents
        return {
            entity: values(document)
            for entity, document in sorted(documents.items())
            if lives(document, documents)
        }


def lives(document: Document, documents: dict[str, Document]) -> bool:
    if document.kind == "alias":
        return document.value("version") is not None
    stream = documents.get(document.stream)
    in_deleted = stream is not None and stream.value("state") == "deleted"
    return not in_deleted and document.value("state") not in GONE


def values(document: Document) -> dict[str, Any]:
    return {
        path: register.v
        for path, register in sorted(document.fields.items())
        if register.v is not None and not path.startswith("holders/")
    }


TEXTS = st.sampled_from(["one", "two", "one\ntwo\n", "zwei\nthree\n", ""])
EDITS: dict[str, st.SearchStrategy[Any]] = {
    "model": st.one_of(
        st.tuples(st.just("description"), st.none() | TEXTS),
        st.tuples(st.just("display_name"), TEXTS),
        st.tuples(st.just("card"), st.none() | TEXTS),
        st.tuples(st.just("primary_metric"), st.sampled_from(["f1", None])),
        st.tuples(st.just("direction"), st.sampled_from(["min", "max", None])),
        st.tuples(st.sampled_from(["tags/a", "tags/b"]), st.none() | TEXTS),
        st.tuples(st.just("owners/ann"), st.sampled_from([True, None])),
    ),
    "version": st.one_of(
        st.tuples(st.just("description"), st.none() | TEXTS),
        st.tuples(st.sampled_from(["tags/a", "tags/b"]), st.none() | TEXTS),
        st.tuples(st.just("params/lr"), st.sampled_from([0.1, 1, True, "x", None])),
        st.tuples(
            st.just("metrics/f1"),
            st.none()
            | st.builds(
                lambda value, step: {"value": value, "step": step},
                st.sampled_from([0.5, 1, "NaN"]),
                st.sampled_from([None, 1, 2]),
            )
            | st.just({"value": 0.25}),
        ),
        st.tuples(
            st.just("parents/" + "0" * 8 + "-0000" * 3 + "-" + "1" * 12),
            st.sampled_from([True, None]),
        ),
        st.tuples(
            st.just("inputs/d"),
            st.sampled_from([{"uri": "s3://a"}, {"uri": "b", "digest": "c"}, None]),
        ),
        st.tuples(st.just("series/loss"), st.sampled_from(["0" * 64, None])),
        st.tuples(st.just("signatures/k"), st.sampled_from(["sig", None])),
    ),
}  # fmt: skip


class Story(RuleBasedStateMachine):
    """Whatever one person does; `done` and `undone` are stacks of intents."""

    def __init__(self) -> None:
        super().__init__()
        self.solo = Solo()
        self.done: list[list[Operation]] = []
        self.undone: list[list[Operation]] = []
        self.places = 0

    @property
    def person(self) -> Replica:
        return self.solo.person

    def found(self, *kinds: str) -> list[Document]:
        documents = self.solo.authority.state.documents
        return [document for document in documents.values() if document.kind in kinds]

    def act(self, operation: Operation) -> None:
        if self.solo.do(operation) and self.solo.rows[operation.id]:
            self.done.append([operation])
            self.undone.clear()

    @rule(name=st.sampled_from(["x", "y"]), text=st.none() | TEXTS)
    def create(self, name: str, text: str | None) -> None:
        if self.solo.authority.state.holder(name) is None:
            newest = self.solo.authority.state.generation(name)
            generation = 0 if newest is None else newest + 1
            first = {} if text is None else {"description": text, "card": text}
            self.act(self.person.create(name, first, generation=generation))

    @precondition(lambda self: self.found("model"))
    @rule(
        data=st.data(),
        content=st.sampled_from(["w", "v"]),
        first=st.none() | EDITS["version"],
        is_new_place=st.booleans(),
    )
    def capture(self, data: Any, content: str, first: Any, *, is_new_place: bool) -> None:
        model = data.draw(st.sampled_from(self.found("model")))
        found = dict([first]) if first and first[1] is not None else {}
        if is_new_place:
            self.places += 1
            where = {"host": "h", "folder": "/", "name": "n", "at": 1, "author": user_id("a")}
            found[f"places/{self.places}"] = where
        digest = encoding.digest(content.encode())
        version = self.solo.authority.state.document(version_id(model.id, digest, ""))
        if version is not None and version.value("state") != "captured":
            found["state"] = "captured"
        self.act(self.person.capture(model.id, content, found))

    @precondition(lambda self: self.found("model", "version"))
    @rule(data=st.data())
    def edit(self, data: Any) -> None:
        document = data.draw(st.sampled_from(self.found("model", "version")))
        edits = data.draw(st.lists(EDITS[document.kind], min_size=1, max_size=3))
        model = self.solo.authority.state.documents[document.stream]
        if "deleted" not in {document.value("state"), model.value("state")}:
            self.act(self.person.edit(document.id, dict(edits)))

    @precondition(lambda self: self.found("model", "version"))
    @rule(data=st.data(), verb=st.sampled_from(["archive", "delete", "restore"]))
    def move(self, data: Any, verb: str) -> None:
        document = data.draw(st.sampled_from(self.found("model", "version")))
        self.act(getattr(self.person, verb)(document.id))

    @precondition(lambda self: self.found("version"))
    @rule(data=st.data(), name=st.sampled_from(["champion", "b"]), is_set=st.booleans())
    def point(self, data: Any, name: str, *, is_set: bool) -> None:
        version = data.draw(st.sampled_from(self.found("version")))
        if is_set:
            self.act(self.person.point(version.stream, name, version.id))
        else:
            self.act(self.person.unpoint(version.stream, name))

    @precondition(lambda self: self.found("model", "version"))
    @rule(data=st.data())
    def comment(self, data: Any) -> None:
        document = data.draw(st.sampled_from(self.found("model", "version")))
        self.act(self.person.comment(document.id, "looks good"))

    @precondition(lambda self: self.found("comment"))
    @rule(data=st.data(), text=st.sampled_from(["hm", "ah", None]))
    def change_comment(self, data: Any, text: str | None) -> None:
        comment = data.draw(st.sampled_from(self.found("comment")))
        change = {"state": "withdrawn"} if text is None else {"text": text}
        self.act(self.person.edit(comment.id, change))

    @rule(uri=st.sampled_from(["s3://a", "s3://b"]), tag=st.sampled_from(["t", None]))
    def put_dataset(self, uri: str, tag: str | None) -> None:
        found = {document.value("state") for document in self.found("dataset")}
        state = {"state": "active"} if found == {"deleted"} else {}
        self.act(self.person.put_dataset("d", {"uri": uri, "tags/t": tag, **state}))

    @precondition(lambda self: self.found("dataset"))
    @rule()
    def remove_dataset(self) -> None:
        self.act(self.person.put_dataset("d", {"state": "deleted"}))

    @precondition(lambda self: self.done)
    @rule()
    def undo(self) -> None:
        target = self.done.pop()
        self.undone.append(self.solo.take_back(target))

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self) -> None:
        self.done.append(self.solo.take_back(self.undone.pop()))

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def undo_an_older_one_and_redo_it(self, data: Any) -> None:
        place = data.draw(st.integers(0, len(self.done) - 1))
        before = self.solo.living()
        try:
            made = self.solo.take_back(self.done[place])
        except (Refused, RegtuiError):
            assert self.solo.living() == before
            return
        if made:
            self.done[place] = self.solo.take_back(made)
        assert self.solo.living() == before

    @precondition(lambda self: self.done)
    @rule(data=st.data())
    def undo_an_older_edit(self, data: Any) -> None:
        edits = [n for n, made in enumerate(self.done) if made[0].kind == "version.edit"]
        if edits:
            place = data.draw(st.sampled_from(edits))
            try:
                self.solo.take_back(self.done[place])
            except (Refused, RegtuiError):
                return
            del self.done[place]
            self.undone.clear()

    @precondition(lambda self: self.done)
    @rule()
    def undo_then_redo_gives_the_values_back(self) -> None:
        before = self.solo.living()
        made = self.solo.take_back(self.done[-1])
        self.done[-1] = self.solo.take_back(made)
        assert self.solo.living() == before

    @invariant()
    def no_conflict_ever_opens(self) -> None:
        assert self.found("conflict") == []

    def teardown(self) -> None:
        """Undo everything and redo everything."""
        before = self.solo.living()
        undone = [self.solo.take_back(made) for made in reversed(self.done)]
        assert self.solo.living() == {}
        for made in reversed(undone):
            self.solo.take_back(made)
        assert self.solo.living() == before


TestStory = Story.TestCase
TestStory.settings = settings(max_examples=40, stateful_step_count=30)


@pytest.fixture
def solo() -> Solo:
    return Solo()


def done(solo: Solo, operation: Operation) -> Operation:
    assert solo.do(operation)
    return operation


def test_taking_back_a_redo_takes_back_what_it_gave_back(solo: Solo) -> None:
    created = done(solo, solo.person.create("x"))
    archived = done(solo, solo.person.archive(created.entity))
    redone = solo.take_back(solo.take_back([created]))  # restored, and archived again
    assert len(redone) == 2

    solo.take_back([archived])
    assert solo.living()[created.entity]["state"] == "active"
    solo.take_back(redone)

    assert solo.living() == {}


def test_the_creation_of_what_was_taken_away_since_has_nothing_to_take_back(solo: Solo) -> None:
    put = done(solo, solo.person.put_dataset("d", {"uri": "s3://a"}))
    done(solo, solo.person.put_dataset("d", {"state": "deleted"}))

    assert solo.take_back([put]) == []
