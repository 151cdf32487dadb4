"""Retention: archive the versions that no rule keeps, so that a collection frees their files.

Each model is judged by its narrowest rule (`regtui.registry.retention_rules`), in one unit of work
for all of them. The words are those of the watcher (`regtui.capture.keep`), over all captured
versions of a model: `best N` by its primary metric, `last N` by the order of capture, `every N` by
the param `step`, `final` for the last one of each run. A version of which the metric or the run is
not known is not known to be worse either, so `best` and `final` keep it.

Whatever a rule says, a version stays that an alias points to (or may, once its conflict is
settled), that is deployed or would be by going back, that a promotion request asks for, that a
captured version of another model was made from, that has an open conflict, or that was captured or
restored too recently.

What goes is archived as one intent: one `undo` takes all of it back, with the files, until a
collection has freed them (`regtui.registry.gc`).
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from regtui.capture.keep import KeepRule, State, kept
from regtui.core.errors import NotFound
from regtui.registry.context import Context
from regtui.registry.deployments import version_before
from regtui.registry.needed import Unneeding, unexpected
from regtui.registry.references import direction_by_name, find_model
from regtui.registry.retention_rules import RetentionRule, rule_of, rules
from regtui.registry.states import change_documents
from regtui.replica.database import Connection
from regtui.replica.decoded import stored_document
from regtui.replica.view import ReplicaView

_VERSIONS = """
select v.model, v.key, v.id::varchar, v.number, v.size, t.value, try_cast(s.number as bigint)
  from base.version v
  join base.model m on m.key = v.model
  left join base.metric t on t.version = v.key and t.name = m.primary_metric
  left join base.param s on s.version = v.key and s.name = 'step'
 where v.state = 'captured' and v.model in (select unnest(?::bigint[]))
 order by v.model, v.number nulls last, v.key
"""

_ALIASED = """
select version, 'the alias ' || string_agg(name, ', ' order by name) || ' points to it'
  from base.alias
 where version is not null and model in (select unnest(?::bigint[]))
 group by version
"""

_DEPLOYED = """
select version, 'it is deployed in ' || string_agg(distinct environment, ', ' order by environment)
  from base.deployment
 where state in ('pending', 'live', 'draining') and model in (select unnest(?::bigint[]))
 group by version
"""

_LIVE = """
select d.body, d.id::varchar
  from base.deployment l
  join base.document d on d.key = l.key
 where l.state = 'live' and l.model in (select unnest(?::bigint[]))
"""

_REQUESTED = """
select version, 'a promotion request asks for it'
  from base.promotion
 where state = 'open' and version is not null and model in (select unnest(?::bigint[]))
"""

_CONTESTED = """
select v.key, 'a conflict about it is open'
  from base.conflict c
  join base.version v on v.key = c.entity
 where c.open and v.model in (select unnest(?::bigint[]))
"""

_CANDIDATES = """
select d.body, d.id::varchar
  from base.conflict c
  join base.alias a on a.key = c.entity
  join base.document d on d.key = c.key
 where c.open and c.path = 'version' and a.model in (select unnest(?::bigint[]))
"""

_KEYS = "select id::varchar, key from base.version where id in (select unnest(?::uuid[]))"

_PARENTS = """
select p.key, min(m.name || '@' || c.number) || ' was made from it'
  from base.parent e
  join base.version c on c.key = e.version and c.state = 'captured'
  join base.version p on p.id = e.id and p.model <> c.model
  join base.model m on m.key = c.model
 where p.model in (select unnest(?::bigint[]))
 group by p.key
"""

_SINCE = """
select v.key, greatest(v.created, coalesce(try_cast(d.body ->> '$.fields.state.at' as bigint), 0)
                                  // 1000)
  from base.version v
  join base.document d on d.key = v.key
 where v.key in (select unnest(?::bigint[]))
"""

_PLACES = """
select key, body, id::varchar from base.document where key in (select unnest(?::bigint[]))
"""

_PAGE = 2_000
"""Documents that are decoded at a time."""

# A file counts once, for the first of the models that let it go.
_FREED = """
with unneeding as ({unneeding}),
going as (select unnest($going::bigint[]) as key),
digests as (
     select distinct digest from base.file
      where version in (select key from going except select key from unneeding)
),
freed as (
     select any_value(f.size) as size, min(v.model) filter (g.key is not null) as model
       from base.file f
       join digests using (digest)
       left join base.version v on v.key = f.version
       left join going g on g.key = f.version
       left join unneeding u on u.key = f.version
      group by f.digest
     having bool_and(g.key is not null or u.key is not null)
)
select model, count(*), sum(size)::bigint from freed group by model
"""

Reasons = dict[int, str]
"""Why a version stays, by its local key."""


class RetainedVersion(Struct, frozen=True, kw_only=True):
    """What becomes of one version.

    Attributes:
        number: Its number.
        id: UUID.
        size: Bytes of its files.
        stays: Whether it stays captured.
        reason: Why.
    """

    number: int | None
    id: str
    size: int
    stays: bool
    reason: str


class RetainedModel(Struct, frozen=True, kw_only=True):
    """What becomes of the captured versions of one model.

    Attributes:
        model: Its name.
        rule: The rule that decides about it.
        stay: How many versions stay.
        go: How many are archived.
        files: Stored files that nothing else needs then.
        bytes: Of these: what the next collection after its grace frees.
        versions: One by one, in a dry run.
    """

    model: str
    rule: RetentionRule
    stay: int
    go: int
    files: int
    bytes: int
    versions: list[RetainedVersion]


class Retained(Struct, frozen=True, kw_only=True):
    """What retention did, or would do.

    Attributes:
        dry_run: Whether nothing was done.
        models: Those that a rule matches and that have captured versions, by name.
    """

    dry_run: bool
    models: list[RetainedModel]

    @property
    def go(self) -> int:
        """How many versions are archived."""
        return sum(one.go for one in self.models)

    @property
    def bytes(self) -> int:
        """Bytes that nothing needs then."""
        return sum(one.bytes for one in self.models)


class _Model(Struct):
    """A model that a rule matches."""

    key: int
    name: str
    highest: bool
    has_metric: bool
    rule: RetentionRule
    versions: list[Any] = []


def retain(context: Context, model: str | None = None, *, dry_run: bool = False) -> Retained:
    """Archive the versions that the rules of retention do not keep, as one intent.

    Args:
        context: The registry.
        model: Only those of this one; None for every model that a rule matches.
        dry_run: Whether to tell only, version by version.

    Raises:
        NotFound: There is no such model, or no rule matches it.
        BadInput: The rules or the name are malformed.
        RegtuiError: The home may not be written.
    """
    found = rules(context.home)
    unneeding = unexpected(context)
    now = context.replica.clock() // 1000
    if dry_run:
        with context.reading() as connection:
            return _judged(connection, found, model, unneeding, now)[0]
    with context.writing() as authority:
        told, going = _judged(authority.connection, found, model, unneeding, now)
        authority.begin_group()
        change_documents(authority, going, "archive")
    return Retained(dry_run=False, models=[replace(one, versions=[]) for one in told.models])


def _judged(
    connection: Connection,
    found: Sequence[RetentionRule],
    model: str | None,
    unneeding: Unneeding,
    now: int,
) -> tuple[Retained, list[str]]:
    """Return what becomes of all versions, and the ids of those that go."""
    models = _models(connection, found, model)
    for row in connection.execute(_VERSIONS, [list(models)]).fetchall():
        models[row[0]].versions.append(row[1:])
    held = _held(connection, list(models))
    runs = _last_of_runs(connection, models.values())
    reasons = {key: _kept_by_rule(one, runs) for key, one in models.items()}
    young = _young(connection, models.values(), reasons, held, now)
    going = [
        key
        for one in models.values()
        for key, *_ in one.versions
        if not (key in held or key in reasons[one.key] or key in young)
    ]
    freed = _freed(connection, going, unneeding)
    told = [
        _told(one, held | reasons[one.key] | young, freed.get(one.key, (0, 0)))
        for one in models.values()
        if one.versions
    ]
    gone = [v.id for one in told for v in one.versions if not v.stays]
    return Retained(dry_run=True, models=sorted(told, key=lambda one: one.model)), gone


def _models(
    connection: Connection, found: Sequence[RetentionRule], model: str | None
) -> dict[int, _Model]:
    only = None if model is None else find_model(connection, model)[0]
    rows = connection.execute(
        "select key, name, primary_metric, direction from base.model "
        "where state <> 'deleted' and (?::bigint is null or key = ?)",
        [only, only],
    ).fetchall()
    models = {}
    for key, name, metric, direction in rows:
        rule = rule_of(found, name)
        if rule is not None:
            way = direction or (direction_by_name(metric) if metric else "max")
            models[key] = _Model(key, name, way == "max", metric is not None, rule)
    if model is not None and not models:
        raise NotFound(
            f"no retention rule matches {model!r}",
            f"`regtui retention put {model} --keep RULE` keeps one",
        )
    return models


def _held(connection: Connection, models: list[int]) -> Reasons:
    """Return the versions that stay whatever the rules say."""
    reasons: Reasons = dict(connection.execute(_REQUESTED, [models]).fetchall())
    reasons |= _gone_back_to(connection, models)
    for statement in (_DEPLOYED, _PARENTS, _CONTESTED, _ALIASED):
        reasons |= dict(connection.execute(statement, [models]).fetchall())
    candidates = {
        str(candidate["value"])
        for row in connection.execute(_CANDIDATES, [models]).fetchall()
        for candidate in stored_document(*row).entries("candidates").values()
        if candidate["value"] is not None
    }
    if candidates:
        keys = connection.execute(_KEYS, [sorted(candidates)]).fetchall()
        reasons = {key: "an alias may point to it, a conflict is open" for _, key in keys} | reasons
    return reasons


def _gone_back_to(connection: Connection, models: list[int]) -> Reasons:
    """Return the versions to which a rollback leads."""
    view = ReplicaView(connection, 0)
    places: dict[str, set[str]] = {}
    for row in connection.execute(_LIVE, [models]).fetchall():
        live = stored_document(*row)
        before = version_before(view, live)
        if before is not None:
            places.setdefault(before, set()).add(str(live.facts["environment_name"]))
    keys = connection.execute(_KEYS, [sorted(places)]).fetchall() if places else []
    return {key: f"going back in {', '.join(sorted(places[one]))} leads to it" for one, key in keys}


def _kept_by_rule(model: _Model, last_of_runs: set[int]) -> Reasons:
    """Return the versions of a model that its rule keeps, each with the first part that does."""
    states = [
        State(
            key=str(key),
            order=place,
            step=step,
            value=value,
            is_final=key in last_of_runs,
        )
        for place, (key, _, _, _, value, step) in enumerate(model.versions)
    ]
    reasons: Reasons = {}
    for rule in model.rule.kept:
        for name in kept(states, [rule], highest=model.highest, ended=True):
            reasons.setdefault(int(name), _because(rule, model))
    return reasons


def _because(rule: KeepRule, model: _Model) -> str:
    if rule.kind == "best" and not model.has_metric:
        return f"{rule}: the model has no primary metric"
    return str(rule)


def _last_of_runs(connection: Connection, models: Iterable[_Model]) -> set[int]:
    """Return the versions that are the last of a run, or of which no run is known."""
    last: set[int] = set()
    for model in models:
        if all(rule.kind != "final" for rule in model.rule.kept):
            continue
        newest: dict[str, int] = {}
        for key, runs in _runs(connection, [row[0] for row in model.versions]):
            if not runs:
                last.add(key)
            newest |= dict.fromkeys(runs, key)
        last |= set(newest.values())
    return last


def _runs(connection: Connection, keys: Sequence[int]) -> Iterator[tuple[int, set[str]]]:
    """Yield versions with the names of their runs, in the given order."""
    for start in range(0, len(keys), _PAGE):
        page = keys[start : start + _PAGE]
        rows = connection.execute(_PLACES, [page]).fetchall()
        documents = {key: stored_document(body, identity) for key, body, identity in rows}
        for key in page:
            places = documents[key].entries("places").values()
            yield key, {str(place["run"]) for place in places if place.get("run")}


def _young(
    connection: Connection,
    models: Iterable[_Model],
    reasons: dict[int, Reasons],
    held: Reasons,
    now: int,
) -> Reasons:
    """Return the versions that are younger than their rule's age and that nothing else keeps."""
    wanted = {
        row[0]: model.rule
        for model in models
        if model.rule.age
        for row in model.versions
        if row[0] not in held and row[0] not in reasons[model.key]
    }
    rows = connection.execute(_SINCE, [list(wanted)]).fetchall() if wanted else []
    return {
        key: f"younger than {wanted[key].after}"
        for key, since in rows
        if now - since < wanted[key].age
    }


def _freed(
    connection: Connection, going: list[int], unneeding: Unneeding
) -> dict[int, tuple[int, int]]:
    """Return files and bytes that nothing needs any more, by model."""
    if not going:
        return {}
    statement = _FREED.format(unneeding=unneeding.sql)
    rows = connection.execute(statement, unneeding.named(going=going)).fetchall()
    return {model: (files, size) for model, files, size in rows}


def _told(model: _Model, reasons: Reasons, freed: tuple[int, int]) -> RetainedModel:
    versions = [
        RetainedVersion(
            number=number,
            id=identity,
            size=size,
            stays=key in reasons,
            reason=reasons.get(key, f"not kept by {model.rule.keep}"),
        )
        for key, identity, number, size, _, _ in model.versions
    ]
    stay = sum(one.stays for one in versions)
    return RetainedModel(
        model=model.name,
        rule=model.rule,
        stay=stay,
        go=len(versions) - stay,
        files=freed[0],
        bytes=freed[1],
        versions=versions,
    )
