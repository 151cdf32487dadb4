"""Policies: what a target asks of a version; put, listed, tried and removed.

With a remote, only the server changes policies: a change is sent at once, or not made at all.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from regtui.core.access import in_scope, scope_key
from regtui.core.documents import Document, Register
from regtui.core.errors import BadInput, NotFound
from regtui.core.governance.evidence import Case
from regtui.core.governance.gates import answers_of_version
from regtui.core.governance.moves import in_environment, target_move
from regtui.core.governance.rule import check_sense
from regtui.core.identity import alias_id, environment_id, name_key, policy_id
from regtui.core.operations import Change, PolicyBody
from regtui.core.policies import Policy, applying, check_times, policy_of, target_of
from regtui.registry.answers import iso
from regtui.registry.answers_production import PolicyAnswer, Tried
from regtui.registry.context import Context
from regtui.registry.deciding import decide_now, require_server
from regtui.registry.lookups import actor_names, one_named
from regtui.registry.moved import gate_answers
from regtui.registry.production_lookups import Names, all_pass
from regtui.registry.promotions import seeing
from regtui.registry.references import find_model
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.view import ReplicaView

VERSIONS = 20
"""Versions of a model that a policy is tried on, newest first."""


def put_policies(
    context: Context, tables: Sequence[Mapping[str, Any]]
) -> list[tuple[PolicyAnswer, bool]]:
    """Make policies, or change what they ask; all of them or none.

    Args:
        context: The registry.
        tables: Each with `name`, `models` (a scope; `*` where it is left out) and what it asks.

    Returns:
        The policies, and whether each changed.

    Raises:
        BadInput: One is malformed, or somebody put another one meanwhile.
        Denied: It needs a maintainer of its scope.
        Unreachable: The server, which decides, does not answer; nothing was changed.
    """
    wanted = [_sensible(table) for table in tables]
    with context.reading() as connection:
        seen = {one.id: one.stamp("definition") for one in _documents(connection)}
    require_server(context)
    changed, waiting = submit_policies(context, wanted, seen)
    decide_now(context, waiting)
    with context.reading() as connection:
        made = [_one(connection, policy_id(models, name)) for name, models, _ in wanted]
    return list(zip(made, changed, strict=True))


def submit_policies(
    context: Context,
    wanted: Sequence[tuple[str, str, dict[str, Any]]],
    seen: Mapping[str, str | None] | None = None,
) -> tuple[list[bool], list[str]]:
    """Make the operations that put policies.

    Args:
        context: The registry.
        wanted: Each by name, scope and definition.
        seen: The stamps of the definitions that their author saw, by id of the policy; None where
            he saw what is here now.

    Returns:
        Whether each changes something, and the operations that wait for the server.
    """
    with context.writing() as authority:
        if len(wanted) > 1:
            authority.begin_group()
        changed: list[bool] = []
        for name, models, definition in wanted:
            identity = policy_id(models, name)
            found = authority.view.document(identity)
            is_so = (
                found is not None
                and found.value("state") == "active"
                and found.value("definition") == definition
            )
            changed.append(not is_so)
            if not is_so:
                stood = None if found is None else found.stamp("definition")
                saw = stood if seen is None else seen.get(identity)
                body = PolicyBody(name, models, {"definition": Change(definition, saw=saw)})
                authority.submit("policy.put", "registry", identity, body)
        return changed, [operation for operation, _ in authority.requested]


def remove_policy(context: Context, name: str, models: str | None = None) -> PolicyAnswer:
    """Take a policy away.

    Args:
        context: The registry.
        name: Its name.
        models: Its scope; None where only one scope has the name.

    Raises:
        NotFound: There is no such policy.
        BadInput: Several scopes have the name.
        Unreachable: The server, which decides, does not answer; nothing was changed.
    """
    require_server(context)
    with context.writing() as authority:
        found = _find(authority.connection, name, models)
        change = Change("removed", saw=found.stamp("state"))
        body = PolicyBody(str(found.facts["name"]), str(found.facts["models"]), {"state": change})
        authority.submit("policy.remove", "registry", found.id, body)
        waiting = [operation for operation, _ in authority.requested]
    decide_now(context, waiting)
    with context.reading() as connection:
        return _one(connection, found.id)


def policies(context: Context, model: str | None = None) -> list[PolicyAnswer]:
    """Return the policies, or those that bind one model, by scope and name.

    Raises:
        NotFound: There is no such model.
    """
    with context.reading() as connection:
        documents = [one for one in _documents(connection) if one.value("state") == "active"]
        if model is not None:
            _, found = find_model(connection, model)
            documents = applying(documents, str(found.value("name")))
        return _answers(connection, documents)


def policy(context: Context, name: str, models: str | None = None) -> PolicyAnswer:
    """Return one policy.

    Raises:
        NotFound: There is no such policy.
        BadInput: Several scopes have the name.
    """
    with context.reading() as connection:
        return _answers(connection, [_find(connection, name, models)])[0]


def try_policy(
    context: Context,
    policy: str | Mapping[str, Any],
    models: str | None = None,
    *,
    limit: int = VERSIONS,
) -> list[Tried]:
    """Return what a policy says to the versions that are there, target holders first.

    Approvals, reviews and windows are of a request and are left out.

    Args:
        context: The registry.
        policy: Its name, or one that nobody put yet, as `put_policies` takes it.
        models: Its scope; None where only one scope has the name.
        limit: Versions of each model, newest first.

    Raises:
        NotFound: There is no such policy.
        BadInput: It is malformed, or several scopes have the name.
    """
    now = context.replica.clock()
    with context.reading() as connection:
        if isinstance(policy, str):
            document = _find(connection, policy, models)
        else:
            document = _imagined(*_sensible(policy))
        rules = policy_of(document.value("definition"))
        view, actor = seeing(context, connection)
        found: list[Tried] = []
        for model in _bound(connection, document):
            held = _holders(view, model, rules)
            versions = _versions(connection, model, limit, held)
            names = Names(connection, [one.id for one in versions], ())
            for version in versions:
                move = target_move(view, model.id, *rules.target, version.id)
                case = Case(
                    view=view,
                    policy=rules,
                    document=document,
                    move=move,
                    model=model,
                    version=version,
                    actor=actor,
                    now=now,
                )
                gates = gate_answers(answers_of_version(case))
                found.append(
                    Tried(
                        model=str(model.value("name")),
                        number=version.facts["number"],
                        version_id=version.id,
                        reference=str(names.reference(version.id)),
                        holds=version.id in held,
                        passed=all_pass(gates),
                        gates=gates,
                    )
                )
    return found


def read_policy(table: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Return the name, the scope and the definition of a policy as people write it.

    Raises:
        BadInput: It is malformed.
    """
    given = dict(table)
    name, models = given.pop("name", None), given.pop("models", "*")
    if not isinstance(name, str) or not isinstance(models, str):
        raise BadInput("a policy has a name and a scope", 'name = "production", models = "nlp/*"')
    with _named(name):
        policy_of(given)
    return name_key(name, segments=False), scope_key(models), given


def _sensible(table: Mapping[str, Any]) -> tuple[str, str, dict[str, Any]]:
    """Read a policy that somebody is about to put, and refuse one that can't mean what it says.

    Those that are kept already stay readable.

    Raises:
        BadInput: It is malformed, its rule can't hold, or a time in it is none.
    """
    name, models, definition = read_policy(table)
    with _named(name):
        check_times(policy_of(definition))
    rule = definition.get("rule")
    if rule is not None:
        with _named(name):
            check_sense(rule, declared=definition.get("trust") == "declared")
    return name, models, definition


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Let errors say which policy they are of: a file may have several."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"the policy {name!r}: {error.message}", error.hint) from None


def _imagined(name: str, models: str, definition: dict[str, Any]) -> Document:
    return Document(
        id=policy_id(models, name),
        kind="policy",
        stream="registry",
        seq=0,
        by="",
        facts={"name": name, "models": models},
        fields={"definition": Register(definition, "", 0), "state": Register("active", "", 0)},
    )


def _bound(connection: Connection, document: Document) -> list[Document]:
    """Return the models in a policy's scope."""
    rows = connection.execute(
        "select m.name, d.id::varchar, d.body from base.model m "
        "join base.document d on d.key = m.key where m.state = 'active' order by m.name"
    ).fetchall()
    scope = str(document.facts["models"])
    return [stored_document(body, one) for name, one, body in rows if in_scope(scope, name)]


def _holders(view: ReplicaView, model: Document, rules: Policy) -> set[str]:
    """Return the versions of a model that a target is at."""
    kind, name = rules.target
    if kind == "alias":
        alias = view.document(alias_id(model.id, name))
        return (
            set() if alias is None or alias.value("version") is None else {alias.value("version")}
        )
    there = in_environment(view, model.id, environment_id(name))
    return {str(one.facts["version"]) for one in there if one.value("state") == "live"}


def _versions(
    connection: Connection, model: Document, limit: int, held: set[str]
) -> list[Document]:
    rows = connection.execute(
        "select v.id::varchar, d.body from base.version v join base.document d on d.key = v.key "
        "where v.model = (select key from base.model where id = ?) and (v.state = 'captured' "
        "or v.id in (select unnest(?::uuid[]))) "
        "order by v.id in (select unnest(?::uuid[])) desc, v.number desc nulls first, v.key desc "
        "limit ?",
        [model.id, sorted(held), sorted(held), limit + len(held)],
    ).fetchall()
    return [stored_document(body, identity) for identity, body in rows]


def _documents(connection: Connection) -> list[Document]:
    rows = connection.execute(
        "select d.id::varchar, d.body from base.definition p "
        "join base.document d on d.key = p.key where p.kind = 'policy' order by p.models, p.name"
    ).fetchall()
    return [stored_document(body, identity) for identity, body in rows]


def _find(connection: Connection, name: str, models: str | None) -> Document:
    active = [one for one in _documents(connection) if one.value("state") == "active"]
    return one_named("policy", active, name, models)


def _one(connection: Connection, identity: str) -> PolicyAnswer:
    found = next((one for one in _documents(connection) if one.id == identity), None)
    if found is None:
        raise NotFound("the policy is not here", "`regtui sync`")
    return _answers(connection, [found])[0]


def _answers(connection: Connection, documents: list[Document]) -> list[PolicyAnswer]:
    authors = actor_names(connection, {one.facts["author"] for one in documents})
    answers: list[PolicyAnswer] = []
    for one in documents:
        kind, target = target_of(one.value("definition")) or (None, None)
        answers.append(
            PolicyAnswer(
                policy=str(one.facts["name"]),
                id=one.id,
                models=str(one.facts["models"]),
                target_kind=kind,
                target=target,
                definition=one.value("definition"),
                state=str(one.value("state")),
                created=iso(one.facts["created"]),
                author=authors.get(one.facts["author"], one.facts["author"]),
            )
        )
    return answers
