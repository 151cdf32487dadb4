"""What people do in a simulated run: captures, edits by every rule, states, conflicts."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from regtui.core.errors import RegtuiError
from regtui.core.identity import alias_id, dataset_id, model_id, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import (
    ActBody,
    AliasBody,
    CaptureBody,
    Change,
    CommentBody,
    DatasetBody,
    EditBody,
    ModelBody,
    ReportBody,
    RequestBody,
    ReviewBody,
    StateBody,
)
from regtui.replica import ids as replica_ids

if TYPE_CHECKING:
    import random

    from regtui.core.documents import Document
    from regtui.replica.authority import SoloAuthority
    from tests.sync.world import Person

MODELS = ("m0", "m1")
KINDS = (
    "capture", "map", "cas", "cas", "set", "state", "alias", "comment", "card", "two", "request",
    "answer",
)  # fmt: skip


class Editor:
    """Lets people work, each at random.

    Args:
        chance: Where everything random comes from.
        datasets: Whether they also say something of datasets, which are of the registry's stream.
    """

    def __init__(self, chance: random.Random, *, datasets: bool = False) -> None:
        self._chance = chance
        self._kinds = (*KINDS, "dataset") if datasets else KINDS
        self.written: dict[str, set[str]] = {}
        """The values that each user made himself."""
        self.let_go: set[str] = set()
        """Refused operations that their author discarded, or made again as others."""

    def work(self, person: Person) -> None:
        """Do one thing in somebody's replica; what is refused at once leaves nothing."""
        r = self._chance
        with contextlib.suppress(RegtuiError):
            x = r.random()
            if x < 0.06:
                self._settle(person)
            elif x < 0.1:
                self._clear_outbox(person)
            else:
                actor = person.registry.context.actor
                with person.replica.writing(actor, "cli", "s") as authority:
                    self._change(authority, person.name)

    def _settle(self, person: Person) -> None:
        known = person.registry.conflicts()
        if not known:
            return
        chosen = self._chance.choice(known)
        if self._chance.random() < 0.4 or not chosen.candidates:
            person.registry.resolve(chosen.id, "accepted")
        else:
            candidate = str(self._chance.choice(chosen.candidates).id)
            person.registry.resolve(chosen.id, "candidate", candidate=candidate)

    def _clear_outbox(self, person: Person) -> None:
        registry = person.registry
        refused = {one.id for one in registry.outbox() if one.state == "refused"}
        if not refused:
            return
        if self._chance.random() < 0.5:
            registry.retry()
        else:
            registry.discard()
        self.let_go |= refused

    def _change(  # noqa: C901 -- one branch a kind
        self, authority: SoloAuthority, user: str
    ) -> None:
        r, view = self._chance, authority.view
        name = r.choice(MODELS)
        model = model_id(name, 0)
        if view.document(model) is None:
            authority.submit("model.create", model, model, ModelBody(name, 0, {}))
        versions = [
            str(row[0])
            for row in authority.connection.execute(
                "select id::varchar from base.document where kind = 'version' order by id"
            ).fetchall()
            if (d := view.document(str(row[0]))) is not None and d.stream == model
        ]
        kind = r.choice(self._kinds)
        if kind == "capture" or not versions:
            _capture(authority, model, r)
            return
        version = view.document(r.choice(versions))
        assert version is not None
        # By what it holds, a value tells of which model it is: nobody else may ever have it.
        value = f"{name}-canary-{r.randint(0, 10**6)}"
        self.written.setdefault(user, set()).add(value)
        if kind == "card":
            _edit_card(authority, model, value, r)
        elif kind == "alias":
            saw = _stamp_of_alias(authority, model)
            body = AliasBody("champion", {"version": Change(version.id, saw=saw)})
            authority.submit("alias.set", model, alias_id(model, "champion"), body)
        elif kind == "request":
            _ask(authority, version, value, r)
        elif kind == "answer":
            _answer(authority, model, r)
        elif kind == "comment":
            authority.submit(
                "comment.add",
                model,
                replica_ids.uuid7(r.getrandbits(50)),
                CommentBody(version.id, "version", {"text": Change(value)}),
            )
        elif kind == "dataset":
            _put_dataset(authority, name, value)
        elif kind == "state":
            _change_state(authority, model, version, r)
        elif kind == "two":  # one intent of two operations
            authority.begin_group()
            _edit(authority, model, version, "tags/b", value)
            again = view.document(version.id)
            assert again is not None
            _edit(authority, model, again, "description", value)
        else:
            path = {"map": "tags/a", "cas": "description", "set": "inputs/x"}[kind]
            to: Any = {"uri": value} if kind == "set" else value
            _edit(authority, model, version, path, to)


def _capture(authority: SoloAuthority, model: str, r: random.Random) -> None:
    entries = [FileEntry("", 1, False, f"{r.randint(1, 12):064x}")]
    digest = content_digest(entries)
    entity = version_id(model, digest)
    authority.submit("version.capture", model, entity, CaptureBody(digest, "", 1, 1, {}))
    has_files = authority.connection.execute(
        "select 1 from base.file where version = (select key from base.document where id = ?)",
        [entity],
    ).fetchone()
    if not has_files:
        authority.add_files(entity, entries)


def _put_dataset(authority: SoloAuthority, name: str, value: str) -> None:
    identity = dataset_id(name)
    known = authority.view.document(identity)
    saw = None if known is None else known.stamp("description")
    changes = {"description": Change(value, saw=saw)}
    if known is None:
        changes["uri"] = Change(f"s3://{name}")
    authority.submit("dataset.put", "registry", identity, DatasetBody(name, changes))


def _edit(authority: SoloAuthority, model: str, version: Document, path: str, to: Any) -> None:
    change = Change(to, saw=version.stamp(path))
    authority.submit("version.edit", model, version.id, EditBody({path: change}))


def _ask(authority: SoloAuthority, version: Document, value: str, r: random.Random) -> None:
    """Ask for the alias to be moved, or tell how a check ended, by which that may move."""
    model, identity = version.stream, replica_ids.uuid7(r.getrandbits(50))
    if r.random() < 0.3:
        report = ReportBody(
            version=version.id,
            check="smoke",
            definition=None,
            outcome=r.choice(["passed", "failed"]),
            figures={"f1": 1.0},
            runner="box",
            started=1,
            ended=2,
            inputs=None,
            set={"log": Change(value)},
        )
        authority.submit("check.report", model, identity, report)
        return
    auto, saw = r.random() < 0.5, _stamp_of_alias(authority, model)
    asked = RequestBody(version.id, "alias", "champion", auto, {"reason": Change(value)}, saw)
    authority.submit("promotion.request", model, identity, asked)


def _answer(authority: SoloAuthority, model: str, r: random.Random) -> None:
    """Review, apply or withdraw a request."""
    requests = authority.view.in_stream(model, "promotion")
    opened = sorted(one.id for one in requests if one.value("state") == "open")
    if not opened:
        return
    request = r.choice(opened)
    verb = r.choice(["review", "review", "apply", "withdraw"])
    if verb != "review":
        saw = _stamp_of_alias(authority, model)
        authority.submit(f"promotion.{verb}", model, request, ActBody(None, {}, saw))
        return
    seen = dict.fromkeys(("content", "target", "policies", "inputs"), "0" * 64)
    said = ReviewBody(r.choice(["approve", "reject"]), "", seen, {})
    authority.submit("promotion.review", model, request, said)


def _stamp_of_alias(authority: SoloAuthority, model: str) -> str | None:
    known = authority.view.document(alias_id(model, "champion"))
    return None if known is None else known.stamp("version")


def _edit_card(authority: SoloAuthority, model: str, value: str, r: random.Random) -> None:
    document = authority.view.document(model)
    assert document is not None
    was = document.value("card")
    text = (authority.view.text(was) if was else "a\nb\nc\nd\n") or ""
    lines = text.splitlines()
    lines[r.randrange(len(lines))] = value
    change = Change("\n".join(lines) + "\n", saw=document.stamp("card"), was=was)
    authority.submit("model.edit", model, model, EditBody({"card": change}))


def _change_state(
    authority: SoloAuthority, model: str, version: Document, r: random.Random
) -> None:
    verb, to = r.choice([("archive", "archived"), ("delete", "deleted"), ("restore", "captured")])
    if version.value("state") == to:
        return
    change = Change(to, saw=version.stamp("state"))
    body = StateBody(authority.accepted_by(version), {"state": change})
    authority.submit(f"version.{verb}", model, version.id, body)
