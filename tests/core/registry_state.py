"""A registry in memory: an authority over dictionaries, and replicas that work offline.

`RegistryState` implements the view that `judge` asks. An `Authority` judges what is pushed to it
and checks at every step what must hold of any judgement. A `Replica` belongs to a person: it edits
the state that it saw last with its own pending operations on top, and pushes them in order.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import msgspec

from regtui.core import encoding
from regtui.core.access import Actor, Grant, Role
from regtui.core.documents import Document, Rule, decode_document, encode_document, field_of
from regtui.core.governance import cases_of, parts_of
from regtui.core.identity import (
    alias_id,
    alias_key,
    check_id,
    dataset_id,
    environment_id,
    model_id,
    name_key,
    policy_id,
    user_id,
    version_id,
)
from regtui.core.judgement import judge
from regtui.core.judgement.moving import requested_move
from regtui.core.judgement.resolving import candidate_values
from regtui.core.operations import (
    KINDS,
    ActBody,
    AliasBody,
    CaptureBody,
    Change,
    Changes,
    CheckBody,
    CommentBody,
    DatasetBody,
    DeploymentBody,
    EditBody,
    EnvironmentBody,
    ModelBody,
    Operation,
    PolicyBody,
    ReportBody,
    RequestBody,
    ResolveBody,
    ReviewBody,
    StateBody,
    TransitionBody,
    decode_operation,
    encode_operation,
    is_of_one_replica,
)
from regtui.core.policies import check_named, environment_key
from regtui.core.verdicts import Accepted, Judged, Verdict, decode_verdict, encode_verdict
from regtui.core.view import Contents, Past

if TYPE_CHECKING:
    from collections.abc import Mapping

START = 1_700_000_000_000_000
SECOND = 1_000_000
STATES = {"archive": "archived", "delete": "deleted"}


class RegistryState:
    """A view over dictionaries."""

    was_restored = False

    def __init__(self, *, final: bool) -> None:
        self.final = final
        self.documents: dict[str, Document] = {}
        self.history: dict[str, Past] = {}
        self.texts: dict[str, str] = {}
        self.judged = 0
        self.people: dict[str, Actor] = {}
        self.stored: dict[str, Contents] = {}
        self.public_keys: dict[str, str] = {}

    def copy(self, *, final: bool) -> RegistryState:
        twin = RegistryState(final=final)
        twin.documents = dict(self.documents)
        twin.history = dict(self.history)
        twin.texts = dict(self.texts)
        twin.judged = self.judged
        return twin

    @property
    def seq(self) -> int:
        return self.judged + 1 if self.final else 0

    def document(self, entity: str) -> Document | None:
        return self.documents.get(entity)

    def past(self, operation: str) -> Past | None:
        return self.history.get(operation)

    def text(self, digest: str) -> str | None:
        return self.texts.get(digest)

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.documents.values() if document.kind == kind]

    def open_conflict(self, entity: str, path: str) -> Document | None:
        for conflict in self.of_kind("conflict"):
            subject = (conflict.facts["of"], conflict.facts["path"])
            if subject == (entity, path) and conflict.value("resolution") is None:
                return conflict
        return None

    def holder(self, name: str) -> Document | None:
        for model in self.of_kind("model"):
            if model.value("name") == name and model.value("state") != "deleted":
                return model
        return None

    def generation(self, name: str) -> int | None:
        models = [model for model in self.of_kind("model") if model.facts["name"] == name]
        return max((int(model.facts["generation"]) for model in models), default=None)

    def aliases_of(self, version: str) -> list[Document]:
        return [alias for alias in self.of_kind("alias") if alias.value("version") == version]

    def next_number(self, model: str, version: str) -> int | None:
        if not self.seq:
            return None
        versions = [version for version in self.of_kind("version") if version.stream == model]
        return max((version.facts["number"] or 0 for version in versions), default=0) + 1

    def changed_by_others(self, entity: str, since: str | None, by: Operation) -> str | None:
        seen = self.history.get(since or "")
        for past in self.history.values():
            newer = seen is None or past.seq > seen.seq
            changed = isinstance(past.verdict, Accepted) and entity in past.verdict.documents
            if newer and changed and not is_of_one_replica(past.operation, by):
                return past.operation.id
        return None

    def in_stream(self, stream: str, kind: str) -> list[Document]:
        return [document for document in self.of_kind(kind) if document.stream == stream]

    def about(self, version: str, kind: str) -> list[Document]:
        return [one for one in self.of_kind(kind) if one.facts.get("version") == version]

    def deployed_in(self, environment: str) -> list[Document]:
        found = self.of_kind("deployment")
        return [one for one in found if one.facts["environment_name"] == environment]

    def person(self, user: str) -> Actor | None:
        return self.people.get(user) if self.final else None

    def contents(self, version: Document) -> Contents:
        return (
            self.stored.get(version.id, Contents(None, None))
            if self.final
            else Contents(None, None)
        )

    def public_key(self, replica: str) -> str | None:
        return self.public_keys.get(replica) if self.final else None

    def apply(self, operation: Operation, judged: Judged) -> None:
        self.history[operation.id] = Past(operation, judged.verdict, self.seq)
        self.judged += 1
        self.texts |= judged.texts
        self.documents |= {document.id: document for document, _ in judged.documents}


class Authority:
    """Judges operations one after the other, by a clock that others can set."""

    def __init__(self) -> None:
        self.state = RegistryState(final=True)
        self.now = START
        self.minted = 0

    def person(self, name: str, *grants: tuple[Role, str]) -> Replica:
        held = tuple(Grant(role, scope) for role, scope in grants or [(Role.MAINTAINER, "*")])
        actor = Actor(user_id(name), name, held)
        self.state.people[actor.id] = actor
        return Replica(self, actor)

    def new_id(self) -> str:
        self.minted += 1
        return str(uuid.UUID(int=self.minted << 64))

    def judge(self, operation: Operation, actor: Actor) -> Judged:
        """Judge what arrives as bytes, and keep the outcome."""
        data = encode_operation(operation)
        arrived = decode_operation(data)
        assert arrived == operation
        assert encode_operation(arrived) == data
        before = {entity: encode_document(doc) for entity, doc in self.state.documents.items()}
        judged = judge(arrived, self.state, actor, self.now)
        assert judge(decode_operation(data), self.state, actor, self.now) == judged
        assert before == {e: encode_document(doc) for e, doc in self.state.documents.items()}
        assert encode_operation(arrived) == data
        self._check(arrived, judged)
        self.state.apply(arrived, judged)
        return judged

    def _check(self, operation: Operation, judged: Judged) -> None:
        verdict, seq = judged.verdict, self.state.seq
        assert verdict.op == operation.id
        assert verdict.now == self.now
        assert decode_verdict(encode_verdict(verdict)) == verdict
        if not isinstance(verdict, Accepted):
            assert judged == Judged(verdict)
            return
        assert verdict.documents == {d.id: encoding.digest(b) for d, b in judged.documents}
        for document, data in judged.documents:
            before = self.state.document(document.id)
            assert decode_document(data) == document
            assert encode_document(document) == data
            assert document.seq == seq > (before.seq if before else 0)
            assert document.by == operation.id
            assert before is None or before.facts == document.facts


class Replica:
    """One person's machine."""

    def __init__(self, authority: Authority, actor: Actor) -> None:
        self.authority = authority
        self.actor = actor
        self.id = str(uuid.uuid5(uuid.NAMESPACE_DNS, actor.name))
        self.clock = START
        self.pending: list[Operation] = []
        self.accepted = authority.state.copy(final=False)
        self.state = self.accepted.copy(final=False)

    # What a person does

    def create(
        self, name: str, values: Mapping[str, Any] | None = None, *, generation: int = 0
    ) -> Operation:
        entity = model_id(name_key(name), generation)
        found = self.state.holder(name_key(name))
        changes = {
            path: Change(value, saw=found.stamp(path) if found else None)
            for path, value in (values or {}).items()
        }
        return self._do("model.create", entity, entity, ModelBody(name, generation, changes))

    def capture(
        self, model: str, content: str, values: Mapping[str, Any] | None = None, *, nonce: str = ""
    ) -> Operation:
        digest = encoding.digest(content.encode())
        entity = version_id(model, digest, nonce)
        found = self.state.document(entity)
        changes = {
            path: Change(value, saw=found.stamp(path) if found else None)
            for path, value in (values or {}).items()
        }
        body = CaptureBody(digest, nonce, len(content), 1, changes)
        return self._do("version.capture", model, entity, body)

    def edit(
        self, entity: str, values: Mapping[str, Any], *, undoes: str | None = None
    ) -> Operation:
        document = self._document(entity)
        changes = {path: self._change(document, path, to) for path, to in values.items()}
        body = EditBody(changes)
        return self._do(f"{document.kind}.edit", document.stream, entity, body, undoes=undoes)

    def withdraw(self, comment: str) -> Operation:
        return self.edit(comment, {"state": "withdrawn"})

    def archive(self, entity: str) -> Operation:
        return self._move(entity, "archive", "archived")

    def delete(self, entity: str) -> Operation:
        return self._move(entity, "delete", "deleted")

    def restore(self, entity: str) -> Operation:
        live = "active" if self._document(entity).kind == "model" else "captured"
        return self._move(entity, "restore", live)

    def point(self, model: str, alias: str, version: str) -> Operation:
        return self._alias("alias.set", model, alias, version)

    def unpoint(self, model: str, alias: str) -> Operation:
        return self._alias("alias.remove", model, alias, None)

    def comment(self, about: str, text: str) -> Operation:
        document = self._document(about)
        body = CommentBody(about, document.kind, {"text": Change(text)})
        return self._do("comment.add", document.stream, self._minted(), body)

    def put_dataset(self, name: str, values: Mapping[str, Any]) -> Operation:
        entity = dataset_id(name_key(name))
        found = self.state.document(entity)
        changes = {
            path: Change(to, saw=found.stamp(path) if found else None)
            for path, to in values.items()
        }
        return self._do("dataset.put", "registry", entity, DatasetBody(name, changes))

    def resolve(self, conflict: str, choice: str, value: Any = None) -> Operation:
        """End a conflict: by `accepted`, by `value`, or by the operation of a candidate."""
        document = self._document(conflict)
        candidates = document.entries("candidates")
        wanted: dict[str, Any] = {}
        if choice == "value":
            wanted = {document.facts["path"]: value}
        elif choice != "accepted":
            kind = document.facts["of_kind"]
            wanted = candidate_values(document, kind, candidates[choice]["value"])
        return self._resolve(document, choice, wanted)

    def reopen(self, conflict: str) -> Operation:
        document = self._document(conflict)
        return self._resolve(document, None, document.value("resolution")["before"])

    # Production

    def put_policy(
        self, name: str, definition: Mapping[str, Any], *, models: str = "*"
    ) -> Operation:
        return self._define("policy", policy_id(models, name), PolicyBody, name, models, definition)

    def remove_policy(self, name: str, *, models: str = "*") -> Operation:
        return self._define("policy", policy_id(models, name), PolicyBody, name, models, None)

    def put_check(
        self, name: str, definition: Mapping[str, Any], *, models: str = "*"
    ) -> Operation:
        return self._define("check", check_id(models, name), CheckBody, name, models, definition)

    def remove_check(self, name: str, *, models: str = "*") -> Operation:
        return self._define("check", check_id(models, name), CheckBody, name, models, None)

    def put_environment(self, name: str, values: Mapping[str, Any] | None = None) -> Operation:
        entity = environment_id(environment_key(name))
        found = self.state.document(entity)
        changes = {
            path: Change(to, saw=found.stamp(path) if found else None)
            for path, to in (values or {}).items()
        }
        return self._do("environment.put", "registry", entity, EnvironmentBody(name, changes))

    def report(
        self,
        version: str,
        check: str,
        outcome: Any = "passed",
        figures: Mapping[str, Any] | None = None,
        *,
        log: str = "",
    ) -> Operation:
        document = self._document(version)
        model = self._document(document.stream)
        told: dict[str, Any] = {
            figure: value if isinstance(value, str) else float(value)
            for figure, value in (figures or {}).items()
        }
        defined = check_named(
            self.state.in_stream("registry", "check"), str(model.value("name")), check
        )
        body = ReportBody(
            version=version,
            check=check,
            definition=None if defined is None else defined.stamp("definition"),
            outcome=outcome,
            figures=told,
            runner="box",
            started=self.clock,
            ended=self.clock + SECOND,
            inputs=None,
            set={"log": Change(log)} if log else {},
        )
        return self._do("check.report", document.stream, self._minted(), body)

    def request(  # noqa: PLR0913 -- everything that it says
        self,
        model: str,
        target: str,
        version: str | None,
        *,
        kind: Any = "alias",
        auto: bool = False,
        reason: str = "better",
    ) -> Operation:
        body = RequestBody(version, kind, target, auto, {"reason": Change(reason)})
        return self._do("promotion.request", model, self._minted(), body)

    def review(self, request: str, verdict: Any = "approve", text: str = "") -> Operation:
        """Say something to a request, as this person sees it now."""
        document = self._document(request)
        model = self._document(document.stream)
        move = requested_move(document, self.state)
        cases = cases_of(move, model, self.state, self.actor, self.clock)
        seen = parts_of(cases, move, model, self.state)
        body = ReviewBody(verdict, text, seen, {})
        return self._do("promotion.review", document.stream, request, body)

    def apply(self, request: str, *, break_glass: str | None = None) -> Operation:
        document = self._document(request)
        body = ActBody(break_glass, {})
        return self._do("promotion.apply", document.stream, request, body)

    def withdraw_request(self, request: str) -> Operation:
        document = self._document(request)
        return self._do("promotion.withdraw", document.stream, request, ActBody(None, {}))

    def deploy(  # noqa: PLR0913 -- everything that it says
        self,
        version: str,
        environment: str,
        *,
        state: Any = "live",
        target: str = "",
        replaces: str | None = None,
        rollback_of: str | None = None,
        break_glass: str | None = None,
        beside: bool = False,
    ) -> Operation:
        document = self._document(version)
        body = DeploymentBody(
            version, environment, target, state, replaces, rollback_of, break_glass, {},
            beside=beside,
        )  # fmt: skip
        return self._do("deployment.record", document.stream, self._minted(), body)

    def transition(self, deployment: str, to: Any, reason: str = "") -> Operation:
        document = self._document(deployment)
        body = TransitionBody(to, reason, {})
        return self._do("deployment.transition", document.stream, deployment, body)

    def _define(  # noqa: PLR0913, PLR0917 -- everything that it says
        self, kind: str, entity: str, body: Any, name: str, models: str, definition: Any
    ) -> Operation:
        found = self.state.document(entity)
        path, to = ("state", "removed") if definition is None else ("definition", dict(definition))
        saw = None if found is None else found.stamp(path)
        verb = "remove" if definition is None else "put"
        made = body(name, models, {path: Change(to, saw=saw)})
        return self._do(f"{kind}.{verb}", "registry", entity, made)

    def _minted(self) -> str:
        minted = self.authority.new_id()
        return f"{minted[:14]}7{minted[15:]}"

    # How it gets to others

    def pull(self) -> None:
        """See what the authority has, with the pending operations on top."""
        self.accepted = self.authority.state.copy(final=False)
        self.state = self.accepted.copy(final=False)
        for operation in self.pending:
            self._preview(operation)

    def push(self) -> list[Verdict]:
        verdicts = [self.authority.judge(op, self.actor).verdict for op in self.pending]
        self.pending = []
        return verdicts

    def sync(self) -> list[Verdict]:
        verdicts = self.push()
        self.pull()
        return verdicts

    def value(self, entity: str, path: str) -> Any:
        return self._document(entity).value(path)

    def text(self, entity: str, path: str) -> str | None:
        digest = self.value(entity, path)
        return None if digest is None else self.state.text(digest)

    # How operations are made

    def draft(self, kind: str, stream: str, entity: str, body: Any) -> Operation:
        """Return an operation without doing it."""
        self.clock += SECOND
        return KINDS[kind](
            id=self.authority.new_id(),
            replica=self.id,
            at=self.clock,
            actor=self.actor.id,
            stream=stream,
            entity=entity,
            body=body,
            via="cli",
            session="s",
        )

    def _do(
        self, kind: str, stream: str, entity: str, body: Any, *, undoes: str | None = None
    ) -> Operation:
        operation = self.draft(kind, stream, entity, body)
        operation = msgspec.structs.replace(operation, undoes=undoes)
        self.pending.append(operation)
        self._preview(operation)
        return operation

    def _preview(self, operation: Operation) -> None:
        judged = judge(operation, self.state, self.actor, self.clock)
        self.state.apply(operation, judged)

    def _move(self, entity: str, verb: str, to: str) -> Operation:
        document = self._document(entity)
        accepted = self.accepted.document(entity)
        changes: Changes = {"state": Change(to, saw=document.stamp("state"))}
        body = StateBody(None if accepted is None else accepted.by, changes)
        return self._do(f"{document.kind}.{verb}", document.stream, entity, body)

    def _alias(self, kind: str, model: str, name: str, version: str | None) -> Operation:
        entity = alias_id(model, alias_key(name))
        found = self.state.document(entity)
        change = Change(version, saw=found.stamp("version") if found else None)
        return self._do(kind, model, entity, AliasBody(name, {"version": change}))

    def _resolve(
        self, conflict: Document, choice: str | None, wanted: Mapping[str, Any]
    ) -> Operation:
        facts = conflict.facts
        subject = self._document(facts["of"])
        changes = {
            path: self._change(subject, path, self._written(subject.kind, path, to))
            for path, to in wanted.items()
        }
        seen = sorted(conflict.entries("candidates"))
        body = ResolveBody(subject.id, subject.kind, choice, seen, changes)
        return self._do("conflict.resolve", conflict.stream, conflict.id, body)

    def _written(self, kind: str, path: str, kept: Any) -> Any:
        """Return a value as operations say it: texts are kept by their digest."""
        text = kept is not None and field_of(kind, path).rule is Rule.TEXT
        return (self.state.text(kept) or kept) if text else kept

    def _change(self, document: Document, path: str, to: object) -> Change:
        text = field_of(document.kind, path).rule is Rule.TEXT
        was = document.value(path) if text else None
        return Change(to, saw=document.stamp(path), was=was)

    def _document(self, entity: str) -> Document:
        document = self.state.document(entity)
        assert document is not None
        return document
