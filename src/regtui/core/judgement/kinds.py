"""What each kind of operation requires and does: state rules, then merge.

One function a kind. Each gets the operation and a `Merger` that collects the effects, raises
`Refusal` where the state does not allow it, and returns what it adds to the verdict.
"""

from collections.abc import Callable
from dataclasses import dataclass

from regtui.core.documents import Document, Register, split_path
from regtui.core.governance.moves import ACTIVE
from regtui.core.identity import alias_key, model_id, name_key
from regtui.core.judgement.coming_back import came_back
from regtui.core.judgement.merge import Merger
from regtui.core.judgement.named import made_by
from regtui.core.judgement.production import PRODUCTION
from regtui.core.judgement.refusal import Refusal
from regtui.core.judgement.resolving import (
    LIVE_STATES,
    check_edit_alone,
    check_resolution,
    check_subject,
    conflict_of,
    resolution_value,
)
from regtui.core.judgement.seen import Fold, folded
from regtui.core.judgement.shape import STATES
from regtui.core.operations import Change, Changes, Operation
from regtui.core.policies import protecting
from regtui.core.verdicts import PathResult


@dataclass
class Outcome:
    """What a kind's judgement adds to the verdict."""

    number: int | None = None
    merged_into: str | None = None


def create_model(operation: Operation, merger: Merger) -> Outcome:
    """Make a model, or edit the one that holds the name already."""
    body = operation.body
    key = name_key(body.name)
    holder = _put_away_since(operation, merger) or merger.view.holder(key)
    if holder is not None and holder.id != operation.entity and _was_its_own(merger):
        # While a server takes back what it lost, this waits for the end of the other one.
        raise Refusal("changed_meanwhile", "the name belongs to another model by now")
    if holder is not None:
        _join(holder, operation, merger)
        return Outcome(merged_into=None if holder.id == operation.entity else holder.id)
    newest = merger.view.generation(key)
    generation = 0 if newest is None else newest + 1
    if body.generation > generation:
        raise Refusal("malformed", f"generation {body.generation} of this name is yet to come")
    entity = model_id(key, generation)
    first: Changes = {
        "display_name": Change(body.name),
        **body.set,
        "name": Change(key),
        "state": Change(LIVE_STATES["model"]),
    }
    facts = {
        "name": key,
        "generation": generation,
        "created": merger.stamp.at,
        "author": operation.actor,
    }
    merger.create(entity, "model", entity, facts, first)
    return Outcome(merged_into=None if entity == operation.entity else entity)


def _was_its_own(merger: Merger) -> bool:
    """Tell whether a model that comes back was made then, and merged into no other one."""
    return merger.settled is not None and merger.settled.merged_into is None


def _put_away_since(operation: Operation, merger: Merger) -> Document | None:
    """Return the model that comes back, where somebody made it too and deleted it since."""
    found = merger.view.document(operation.entity)
    is_it = found is not None and found.kind == "model" and merger.is_behind(found.fields["state"])
    return found if is_it else None


def capture_version(operation: Operation, merger: Merger) -> Outcome:
    """Make a version; content that is there already gains places and values and is restored."""
    _model(operation, merger)
    body = operation.body
    found = merger.view.document(operation.entity)
    if found is not None:
        found = merger.date_back(found, _first_found(operation) | _owner(merger))
        changes = dict(body.set)
        _make_live(found, changes, merger)
        for path in _places_of_others(found, operation):
            merger.record(found, path, changes.pop(path).to, PathResult("lost"))
        merger.change(found, changes)
        return Outcome(number=found.facts.get("number"))
    number = merger.view.next_number(operation.stream, operation.entity)
    facts = {
        "model": operation.stream,
        "number": number,
        "digest": body.digest,
        "nonce": body.nonce,
        "size": body.size,
        "files": body.files,
        "created": merger.stamp.at,
        "author": operation.actor,
        **_first_found(operation),
        **_owner(merger),
    }
    values = {**body.set, "state": Change(LIVE_STATES["version"])}
    merger.create(operation.entity, "version", operation.stream, facts, values)
    return Outcome(number=number)


def _first_found(operation: Operation) -> dict[str, object]:
    """Return where a version was found first, as its facts tell it.

    Whoever finds it elsewhere later does not give it another name.
    """
    changes = operation.body.set.items()
    places = {path: change.to for path, change in changes if _is_place(path) and change.to}
    if not places:
        return {}
    first = min(places, key=lambda path: (places[path]["at"], path))
    return {"place": split_path(first)[1], "file": places[first]["name"]}


def _owner(merger: Merger) -> dict[str, object]:
    """Return for whom an account acts: it may be handed over, what it did may not."""
    return {} if merger.actor.owner is None else {"owner": merger.actor.owner}


def edit(operation: Operation, merger: Merger) -> Outcome:
    """Change values of a model or version; on a deleted one the edit becomes a conflict."""
    document = _entity(operation, merger)
    _check_places(operation, merger)
    is_gone = document.value("state") == "deleted"
    if merger.then is not None:  # what it met may not be back yet, nor what brought that back
        is_gone = merger.then.was_contested(document)
    if is_gone:
        _deleted_meanwhile(document, operation, merger)
    else:
        merger.change(document, operation.body.set)
    return Outcome()


def change_state(operation: Operation, merger: Merger) -> Outcome:
    """Archive, delete or restore a model or version."""
    document = _entity(operation, merger)
    wanted = STATES[operation.kind]
    change = operation.body.set["state"]
    current = document.value("state")
    seen = merger.seen(document, "state", change)
    if seen == document.stamp("state"):
        _refuse_illegal(current, wanted)
    _check_state(document, wanted, merger)
    if wanted == "deleted" != current and _is_contested(document, operation, merger):
        merger.contest(document, wanted, {seen.op} if isinstance(seen, Fold) else ())
    else:
        merger.change(document, operation.body.set)
    return Outcome()


def _is_contested(document: Document, operation: Operation, merger: Merger) -> bool:
    """Tell whether others changed what is to be deleted, unseen by who deletes it."""
    if merger.then is not None:  # what he had seen may not be back yet
        return merger.then.was_candidate("state")
    found = merger.view.changed_by_others(document.id, operation.body.last, operation)
    return found is not None


def set_alias(operation: Operation, merger: Merger) -> Outcome:
    """Point an alias to a version of its model."""
    _model(operation, merger)
    change = operation.body.set["version"]
    found = merger.view.document(operation.entity)
    if found is not None and _was_put_away_later(change, merger):
        # After the alias had moved on, and that is back already.
        merger.record(found, "version", change.to, PathResult("lost"))
        return Outcome()
    _check_target(change, operation, merger)
    if found is None:
        facts = {"model": operation.stream, "name": operation.body.name}
        merger.create(operation.entity, "alias", operation.stream, facts, operation.body.set)
    else:
        merger.change(found, operation.body.set)
    return Outcome()


def remove_alias(operation: Operation, merger: Merger) -> Outcome:
    """Take an alias away; its history stays."""
    _model(operation, merger)
    change = operation.body.set["version"]
    found = merger.view.document(operation.entity)
    if found is None:
        raise Refusal("not_found", "there is no such alias")
    is_gone = found.value("version") is None and merger.settled is None
    if is_gone and merger.seen(found, "version", change) == found.stamp("version"):
        raise Refusal("not_found", "there is no such alias")
    merger.change(found, operation.body.set)
    return Outcome()


def resolve_conflict(operation: Operation, merger: Merger) -> Outcome:
    """End a conflict by the edit that the choice produces, or open it again.

    Two replicas that meet without a server hold mirrored conflicts, each with the other's value as
    its candidate. Of a conflict that is not here only that edit counts, so that it is not lost.
    """
    conflict, subject = conflict_of(operation, merger)
    if subject.kind != "dataset" and subject.id != operation.stream:
        _model(operation, merger)
    body = operation.body
    check_subject(operation, subject)
    if conflict is None:
        if merger.settled is not None and operation.entity in merger.settled.documents:
            # It is settled by it, once somebody has brought it back.
            raise Refusal("not_found", "there is no such conflict")
        check_edit_alone(body)
    else:
        check_resolution(conflict, subject, operation, merger)
    state = body.set.get("state")
    if state is not None:
        _check_state(subject, str(state.to), merger)
    if "version" in body.set and subject.kind == "alias":
        _check_target(body.set["version"], operation, merger)
    if body.set:
        merger.change(subject, body.set)
    if conflict is not None and conflict.id not in merger.conflicts:
        merger.settle(conflict, resolution_value(operation, subject, merger))
    return Outcome()


def add_comment(operation: Operation, merger: Merger) -> Outcome:
    """Say something about a model or version."""
    _model(operation, merger)
    body = operation.body
    about = merger.view.document(body.of)
    if about is None or about.kind != body.of_kind or about.stream != operation.stream:
        raise Refusal("not_found", f"there is no such {body.of_kind}")
    if merger.view.document(operation.entity) is not None:
        raise Refusal("no_change", "the comment is there already")
    facts = {
        "of": body.of,
        "of_kind": body.of_kind,
        "created": merger.stamp.at,
        "author": operation.actor,
    }
    first = {**body.set, "state": Change(LIVE_STATES["comment"])}
    merger.create(operation.entity, "comment", operation.stream, facts, first)
    return Outcome()


def edit_comment(operation: Operation, merger: Merger) -> Outcome:
    """Change or withdraw a comment; only who wrote it may."""
    _model(operation, merger)
    found = merger.view.document(operation.entity)
    if found is None or found.kind != "comment" or found.stream != operation.stream:
        raise Refusal("not_found", "there is no such comment")
    if found.facts["author"] != operation.actor:
        raise Refusal("denied", "only its author may change a comment", "add one of your own")
    merger.change(found, operation.body.set)
    return Outcome()


def put_dataset(operation: Operation, merger: Merger) -> Outcome:
    """Make a dataset known, or change what is known of it; one that was deleted comes back."""
    body = operation.body
    found = merger.view.document(operation.entity)
    if found is None:
        if "uri" not in body.set:
            raise Refusal("malformed", "a dataset needs an address", "give its URI")
        facts = {"name": body.name, "created": merger.stamp.at, "author": operation.actor}
        first = {"state": Change(LIVE_STATES["dataset"]), **body.set}
        merger.create(operation.entity, "dataset", operation.stream, facts, first)
        return Outcome()
    found = merger.date_back(found, {})
    changes = dict(body.set)
    if "state" not in changes:
        _make_live(found, changes, merger)
    merger.change(found, changes)
    return Outcome()


def put_user(operation: Operation, merger: Merger) -> Outcome:
    """Make a person or service account known, or change what is known of it."""
    found = merger.view.document(operation.entity)
    if found is not None:
        merger.change(found, operation.body.set)
        return Outcome()
    facts = made_by(operation, merger, name=operation.body.name)
    first = {"state": Change("active"), "kind": Change("person"), **operation.body.set}
    merger.create(operation.entity, "user", operation.stream, facts, first)
    return Outcome()


def put_team(operation: Operation, merger: Merger) -> Outcome:
    """Make a team, or change it."""
    found = merger.view.document(operation.entity)
    if found is not None:
        merger.change(found, operation.body.set)
        return Outcome()
    facts = made_by(operation, merger, name=operation.body.name)
    first = {"state": Change("active"), **operation.body.set}
    merger.create(operation.entity, "team", operation.stream, facts, first)
    return Outcome()


def change_grant(operation: Operation, merger: Merger) -> Outcome:
    """Give somebody a role in a scope, or take it away."""
    body = operation.body
    holder = merger.view.document(body.to)
    if holder is None or holder.kind != body.to_kind:
        raise Refusal("not_found", f"there is no such {body.to_kind}")
    found = merger.view.document(operation.entity)
    if operation.kind == "grant.remove" and (found is None or found.value("role") is None):
        raise Refusal("not_found", "there is no such grant")
    if found is not None:
        merger.change(found, body.set)
        return Outcome()
    facts = made_by(operation, merger, to=body.to, to_kind=body.to_kind, scope=body.scope)
    merger.create(operation.entity, "grant", operation.stream, facts, body.set)
    return Outcome()


def enrol_replica(operation: Operation, merger: Merger) -> Outcome:
    """Let a replica act for its user; one that was revoked never acts again."""
    body = operation.body
    user = merger.view.document(body.user)
    if user is None or user.kind != "user" or user.value("state") != "active":
        raise Refusal("not_found", "there is no such user")
    found = merger.view.document(operation.entity)
    if found is None:
        facts = made_by(operation, merger, user=body.user, public_key=body.public_key)
        first = {**body.set, "state": Change("active")}
        merger.create(operation.entity, "replica", operation.stream, facts, first)
    elif found.facts["user"] != body.user:
        raise Refusal("denied", "this replica is somebody else's", "sign in from a new one")
    elif found.value("state") != "active":
        raise Refusal("denied", "this replica was revoked", "sign in from a new one: --home DIR")
    else:
        merger.change(found, body.set)
    return Outcome()


def revoke_replica(operation: Operation, merger: Merger) -> Outcome:
    """Stop a replica from acting for its user."""
    found = merger.view.document(operation.entity)
    if found is None or found.kind != "replica":
        raise Refusal("not_found", "there is no such replica")
    merger.change(found, operation.body.set)
    return Outcome()


def _by(step: Callable[[Operation, Merger], None]) -> Callable[[Operation, Merger], Outcome]:
    """Return a kind of production as one like the others: none gives numbers or merges away."""

    def judged(operation: Operation, merger: Merger) -> Outcome:
        if operation.stream != "registry":
            _model(operation, merger)
        step(operation, merger)
        return Outcome()

    return judged


KINDS: dict[str, Callable[[Operation, Merger], Outcome]] = {
    "model.create": create_model,
    "model.edit": edit,
    "model.archive": change_state,
    "model.delete": change_state,
    "model.restore": change_state,
    "version.capture": capture_version,
    "version.edit": edit,
    "version.archive": change_state,
    "version.delete": change_state,
    "version.restore": change_state,
    "alias.set": set_alias,
    "alias.remove": remove_alias,
    "conflict.resolve": resolve_conflict,
    "comment.add": add_comment,
    "comment.edit": edit_comment,
    "dataset.put": put_dataset,
    **{kind: _by(step) for kind, step in PRODUCTION.items()},
    "user.put": put_user,
    "team.put": put_team,
    "grant.add": change_grant,
    "grant.remove": change_grant,
    "replica.enrol": enrol_replica,
    "replica.revoke": revoke_replica,
}


def _model(operation: Operation, merger: Merger) -> Document:
    document = merger.view.document(operation.stream)
    if document is None or document.kind != "model":
        raise Refusal("not_found", "there is no such model")
    if document.value("state") == "deleted" and not merger.is_behind(document.fields["state"]):
        raise Refusal("deleted", "the model is deleted", "restore it first")
    return document


def _entity(operation: Operation, merger: Merger) -> Document:
    document = merger.view.document(operation.entity)
    kind = operation.kind.partition(".")[0]
    if document is None or document.kind != kind or document.stream != operation.stream:
        raise Refusal("not_found", f"there is no such {kind}")
    if kind == "version":
        _model(operation, merger)
    return document


def _join(holder: Document, operation: Operation, merger: Merger) -> None:
    """Merge a model's creation into the model that holds the name already.

    What every creation sets counts as set, so that what its author builds on it merges. The name
    stays as its first author wrote it.
    """
    first = operation.body.set.get("display_name", Change(operation.body.name))
    wanted = {path: change for path, change in operation.body.set.items() if path != "display_name"}
    merger.change(holder, wanted)
    for path, value in (("name", holder.value("name")), ("state", LIVE_STATES["model"])):
        same = holder.value(path) == value
        merger.paths[path] = PathResult("same", holder.stamp(path)) if same else PathResult("lost")
    if first.to == holder.value("display_name"):
        merger.paths["display_name"] = PathResult("same", holder.stamp("display_name"))
    else:
        merger.record(holder, "display_name", first.to, PathResult("lost"))


def _make_live(found: Document, changes: dict[str, Change], merger: Merger) -> None:
    """Let what is made again be live, unless it was put away since and this comes back."""
    state, live = found.fields["state"], LIVE_STATES[found.kind]
    if merger.is_behind(state):
        merger.record(found, "state", live, PathResult("lost"))
    elif state.v != live:
        changes["state"] = Change(live, saw=state.by)
    else:
        merger.paths["state"] = PathResult("same", stamp=state.by)


def _places_of_others(version: Document, operation: Operation) -> list[str]:
    """Return the places that a capture would say anew, although somebody else told of them."""
    entries = version.entries("places")
    standing = {f"places/{key}": place for key, place in entries.items()}
    return [
        path
        for path, change in operation.body.set.items()
        if path in standing
        and standing[path]["author"] != operation.actor
        and standing[path] != change.to
    ]


def _is_place(path: str) -> bool:
    return split_path(path)[0] == "places"


def _check_places(operation: Operation, merger: Merger) -> None:
    """Refuse to say anew where something was captured, but for who undoes what he said himself."""
    paths = [path for path in operation.body.set if _is_place(path)]
    if not paths or merger.settled is not None:
        return
    past = merger.view.past(operation.undoes or "")
    if past is None and not merger.view.seq:
        return  # the server knows the whole history
    undone = None if past is None else past.operation
    is_own = undone is not None and (undone.actor, undone.entity) == (
        operation.actor,
        operation.entity,
    )
    if undone is None or not is_own or not set(paths) <= undone.body.set.keys():
        raise Refusal("denied", "where it was captured is told by captures", "undo your own")


def _deleted_meanwhile(document: Document, operation: Operation, merger: Merger) -> None:
    """Keep an edit of something deleted as a candidate, with restoring it as one way out.

    It takes in the author's earlier edits that it builds on.
    """
    conflict = merger.view.open_conflict(document.id, "state")
    earlier = folded(operation, merger.view, document, conflict)
    edit: dict[str, object] = {}
    for candidate in earlier.values():
        edit |= candidate["edit"]
    for path, change in operation.body.set.items():
        edit[path] = merger.value(document.kind, path, change.to)
    merger.contest(document, {"edit": edit}, earlier)


def _was_put_away_later(change: Change, merger: Merger) -> bool:
    version = merger.view.document(str(change.to))
    if version is None or version.value("state") == LIVE_STATES["version"]:
        return False
    return merger.is_behind(version.fields["state"])


def _check_target(change: Change, operation: Operation, merger: Merger) -> None:
    """Refuse to point an alias to what is not there."""
    if change.to is None:
        return
    version = merger.view.document(str(change.to))
    if version is None or version.kind != "version" or version.stream != operation.stream:
        raise Refusal("not_found", "the alias names no version of its model")
    state = version.value("state")
    if state != LIVE_STATES["version"]:
        raise Refusal(str(state), f"the version is {state}", "restore it first")


def _check_state(document: Document, wanted: str, merger: Merger) -> None:
    if wanted != LIVE_STATES[document.kind]:
        _refuse_if_named(document, merger)
        if document.kind == "model":
            _refuse_if_governed(document, merger)
    elif document.kind == "model":
        _refuse_if_taken(document, merger)


def _refuse_illegal(current: object, wanted: str) -> None:
    """Refuse a transition that its author could know to be none."""
    if current == wanted:
        raise Refusal("no_change", f"it is {wanted} already")
    if current == "deleted" and wanted == "archived":
        raise Refusal("deleted", "it is deleted", "restore it first")


def _refuse_if_named(document: Document, merger: Merger) -> None:
    """No alias may point to what is not there: it has to be moved first."""
    if document.kind != "version":
        return
    # What points to it since later did not then, and what brought it back for that comes, too.
    names = [
        str(alias.facts["name"])
        for alias in merger.view.aliases_of(document.id)
        if not merger.is_behind(alias.fields["version"])
    ]
    if names:
        raise Refusal(
            "in_use", f"the alias {', '.join(names)} points to it", "move or remove the alias first"
        )
    places = {
        str(one.facts["environment_name"])
        for one in merger.view.about(document.id, "deployment")
        if one.value("state") in ACTIVE and not merger.is_behind(one.fields["state"])
    }
    if places:
        raise Refusal(
            "in_use", f"it is deployed in {', '.join(sorted(places))}", "stop the deployment first"
        )


def _refuse_if_governed(model: Document, merger: Merger) -> None:
    """No model goes under an alias that policies protect, or while a version of it is deployed."""
    view, name = merger.view, str(model.value("name"))
    policies = view.in_stream("registry", "policy")
    for alias in view.in_stream(model.id, "alias"):
        held = alias_key(str(alias.facts["name"]))
        if not _counts(alias.fields["version"], merger):
            continue
        if alias.value("version") is not None and protecting(policies, name, "alias", held):
            hint = f"`regtui promote {name} {held} --remove`"
            raise Refusal("in_use", f"the protected alias {held} points to a version", hint)
    for deployment in view.in_stream(model.id, "deployment"):
        if deployment.value("state") in ACTIVE and _counts(deployment.fields["state"], merger):
            place = deployment.facts["environment_name"]
            hint = "`regtui deploy stop`"
            raise Refusal("in_use", f"a version of it is deployed in {place}", hint)


def _counts(standing: Register, merger: Merger) -> bool:
    """Tell whether a value holds up what is done: where that comes back, only one set since."""
    if merger.settled is None:
        return True
    return merger.is_behind(standing) and not came_back(standing.by, merger.view)


def _refuse_if_taken(document: Document, merger: Merger) -> None:
    """A deleted model can't come back under a name that another one holds by now."""
    holder = merger.view.holder(str(document.value("name")))
    if holder is not None and holder.id != document.id:
        raise Refusal(
            "name_taken",
            f"another model is called {document.value('name')!r} by now",
            "delete that one first",
        )
