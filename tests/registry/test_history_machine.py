"""Whatever people do to a registry on the disk, undo takes back and redo gives back.

The same idea as in `tests/core/test_inverse.py`, through the verbs of the registry and over DuckDB.
Two stacks are the model of bare undo and redo. After every step the log is judged again from
nothing and has to give the same verdicts and documents.
"""

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

import regtui
from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import decode_document
from regtui.core.errors import NotFound, RegtuiError
from regtui.core.judgement import judge
from regtui.core.operations import decode_operation
from regtui.core.verdicts import decode_verdict, encode_verdict
from tests.core.registry_state import RegistryState
from tests.core.test_inverse import lives, values
from tests.replica.ledger import check_replica

if TYPE_CHECKING:
    from regtui.registry import Registry

REFERENCES = ("m@1", "m@2", "n@1")
TEXTS = st.sampled_from(["one", "two", "one\ntwo\n", None])
EDITS = st.one_of(
    st.tuples(st.just("description"), TEXTS),
    st.tuples(st.sampled_from(["tags/a", "tags/b"]), TEXTS),
)
MODEL_EDITS = EDITS | st.one_of(
    st.tuples(st.just("card"), TEXTS),
    st.tuples(st.just("display_name"), st.sampled_from(["M", "N"])),
    st.tuples(st.just("primary_metric"), st.sampled_from(["f1", None])),
    st.tuples(st.just("direction"), st.sampled_from(["min", "max"])),
    st.tuples(st.just("owners/ann"), st.sampled_from([True, None])),
)
VERSION_EDITS = EDITS | st.one_of(
    st.tuples(st.just("params/lr"), st.sampled_from([0.1, 1, True, "x", None])),
    st.tuples(st.just("metrics/f1"), st.sampled_from([0.5, (0.5, 3), float("nan"), None])),
    st.tuples(st.just("inputs/d"), st.sampled_from([{"uri": "s3://a", "digest": None}, None])),
)


class Story(RuleBasedStateMachine):
    """What one person does by hand, with what undo and redo should lead to."""

    home: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="story-"))
        self.patch = pytest.MonkeyPatch()
        self.patch.setenv("REGTUI_CONFIG", str(self.folder / "config"))
        self.registry: Registry = regtui.open(shutil.copytree(self.home, self.folder / "home"))
        self.replayed = RegistryState(final=True)
        self.done: list[dict[str, Any]] = []
        """What lived before each intent in effect."""
        self.undone: list[dict[str, Any]] = []
        """What lived before each undo."""

    def living(self) -> dict[str, Any]:
        with self.registry.context.reading() as connection:
            rows = connection.execute("select body from base.document").fetchall()
        documents = {d.id: d for d in (decode_document(body) for (body,) in rows)}
        living = (d for d in documents.values() if lives(d, documents))
        return {d.id: repr(values(d)) for d in sorted(living, key=lambda d: d.id)}

    def head(self) -> int:
        return self.registry.anchor().seq

    @contextlib.contextmanager
    def acting(self) -> Any:
        """Note what is done as one intent; what is refused has to leave nothing."""
        before, head = self.living(), self.head()
        try:
            yield
        except RegtuiError:
            assert self.head() == head
            return
        if self.head() != head:
            self.done.append(before)
            self.undone.clear()

    @rule(
        model=st.sampled_from(["m", "n"]),
        content=st.sampled_from(["w", "v"]),
        place=st.sampled_from(["here", "there"]),
        alias=st.sampled_from([None, "champion", "b"]),
        tags=st.sampled_from([{}, {"a": "one"}]),
    )
    def capture(
        self, model: str, content: str, place: str, alias: str | None, tags: dict[str, str]
    ) -> None:
        file = self.folder / place / content
        file.parent.mkdir(exist_ok=True)
        file.write_text(content, encoding="utf-8")
        with self.acting():
            self.registry.capture(file, model=model, alias=alias, tags=tags)

    @rule(model=st.sampled_from(["m", "n"]), first=MODEL_EDITS)
    def create(self, model: str, first: tuple[str, Any]) -> None:
        with self.acting():
            self.registry.create_model(model, dict([first]))

    @rule(model=st.sampled_from(["m", "n"]), wanted=st.lists(MODEL_EDITS, min_size=1, max_size=3))
    def edit_model(self, model: str, wanted: list[tuple[str, Any]]) -> None:
        with self.acting():
            self.registry.edit(model, dict(wanted))

    @rule(
        reference=st.sampled_from(REFERENCES),
        wanted=st.lists(VERSION_EDITS, min_size=1, max_size=3),
    )
    def edit_version(self, reference: str, wanted: list[tuple[str, Any]]) -> None:
        with self.acting():
            self.registry.edit(reference, dict(wanted))

    @rule(
        what=st.sampled_from([("model", "m"), *(("version", r) for r in REFERENCES)]),
        verb=st.sampled_from(["archive", "delete", "restore"]),
    )
    def move(self, what: tuple[str, str], verb: str) -> None:
        with self.acting():
            self.registry.change_state(*what, verb)

    @rule(
        reference=st.sampled_from(REFERENCES),
        verb=st.sampled_from(["set", "remove", "revert", "revert to"]),
    )
    def alias(self, reference: str, verb: str) -> None:
        named = f"{reference.partition('@')[0]}@champion"
        with self.acting():
            if verb == "set":
                self.registry.set_alias(reference, "champion")
            elif verb == "remove":
                self.registry.remove_alias(named)
            else:
                self.registry.revert(named, reference if verb == "revert to" else None)

    @rule(reference=st.sampled_from(("m", *REFERENCES)))
    def comment(self, reference: str) -> None:
        with self.acting():
            self.registry.add_comment(reference, "looks good")

    @rule(is_put=st.booleans(), uri=st.sampled_from(["s3://a", "s3://b"]))
    def dataset(self, uri: str, *, is_put: bool) -> None:
        with self.acting():
            if is_put:
                self.registry.put_dataset("d", {"uri": uri})
            else:
                self.registry.remove_dataset("d")

    @precondition(lambda self: self.done)
    @rule()
    def undo(self) -> None:
        before = self.living()
        self.registry.undo()
        assert self.living() == self.done.pop()
        self.undone.append(before)

    @precondition(lambda self: self.undone)
    @rule()
    def redo(self) -> None:
        before = self.living()
        self.registry.redo()
        assert self.living() == self.undone.pop()
        self.done.append(before)

    @precondition(lambda self: not self.undone)
    @rule()
    def redo_of_nothing_is_refused(self) -> None:
        with pytest.raises(NotFound):
            self.registry.redo()

    @precondition(lambda self: self.head())
    @rule(data=st.data())
    def undo_any_operation_and_take_that_back(self, data: Any) -> None:
        seq = data.draw(st.integers(1, self.head()))
        before, head = self.living(), self.head()
        try:
            answer = self.registry.undo(f"#{seq}")
        except RegtuiError:
            assert self.head() == head
            return
        assert answer.operations
        self.registry.undo(answer.operations[0].id)
        assert self.living() == before

    @rule()
    def a_rehearsal_changes_nothing(self) -> None:
        before = self.head()
        with contextlib.suppress(NotFound):
            assert self.registry.undo(dry_run=True).operations
        assert self.head() == before

    @invariant()
    def judging_the_log_again_gives_what_stands(self) -> None:
        with self.registry.context.reading() as connection:
            rows = connection.execute(
                "select bytes, verdict from base.operation where seq > ? order by seq",
                [self.replayed.judged],
            ).fetchall()
            stored = connection.execute("select id::varchar, body from base.document").fetchall()
        for data, sealed in rows:
            operation = decode_operation(data.encode())
            who = Actor(operation.actor, "", (Grant(Role.ADMIN, "*"),))
            judged = judge(operation, self.replayed, who, decode_verdict(sealed.encode()).now)
            assert encode_verdict(judged.verdict) == sealed.encode()
            self.replayed.apply(operation, judged)
        assert self.replayed.documents == {name: decode_document(body) for name, body in stored}

    def teardown(self) -> None:
        """Undo everything and redo everything."""
        try:
            before = self.living()
            self.undone.clear()
            for expected in reversed(self.done):
                self.registry.undo()
                assert self.living() == expected
            assert self.living() == {}
            with pytest.raises(NotFound):
                self.registry.undo()
            for _ in self.done:
                self.registry.redo()
            assert self.living() == before
            check_replica(self.registry.home)
            assert self.registry.verify_history().problems == []
        finally:
            self.patch.undo()
            shutil.rmtree(self.folder)


def test_undo_takes_back_whatever_was_done_and_redo_gives_it_back(empty_home: Path) -> None:
    is_thorough = os.environ.get("HYPOTHESIS_PROFILE") == "thorough"
    Story.home = empty_home
    case = Story.TestCase
    case.settings = settings(max_examples=200 if is_thorough else 2, stateful_step_count=20)
    case("runTest").runTest()
