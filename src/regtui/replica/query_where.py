"""What the terms of a query mean in SQL.

A condition on a missing value is null in SQL, so the opposite of a term is `is not true`, not
`not`. NaN is the greatest number for DuckDB but no number for a person: `metric.f1>0.9` leaves it
out, `metric.f1:nan` finds it.
"""

import unicodedata
from collections.abc import Callable, Sequence
from typing import cast

from regtui.core.identity import SHORT_DIGITS
from regtui.core.query.syntax import (
    Ago,
    Anything,
    Condition,
    Number,
    Operator,
    Pair,
    Query,
    Span,
    Term,
    Text,
    Value,
    Word,
)
from regtui.replica.query_clause import Clause, among, chain, either, glob


def where(query: Query, now: int, put_away: Sequence[int]) -> Clause:
    """Return the condition on `base.version v` that the query means at the time `now` (ms).

    A query that doesn't speak of the state means captured versions of active models. Which models
    are put away is bound as their keys, since a join would keep DuckDB from reading the newest
    versions alone: a page of a million takes 96 ms with one and 5 ms without.
    """
    clauses = [_term(term, now) for term in query.terms]
    if not any(_is_on_state(term) for term in query.terms):
        hidden = Clause("not list_contains(?::bigint[], v.model)", [list(put_away)])
        clauses[:0] = [Clause("v.state = ?", ["captured"]), *([hidden] if put_away else [])]
    return chain(" and ", clauses)


def requires(query: Query, field: str, name: str) -> bool:
    """Say whether only versions with a number for the metric or parameter can match.

    A comparison is sure of that; equality and presence may also mean NaN or text.
    """
    return any(
        isinstance(term.test, Condition)
        and (term.test.field, term.test.name) == (field, name)
        and term.test.operator in {">", ">=", "<", "<="}
        and not term.negated
        for term in query.terms
    )


def _is_on_state(term: Term) -> bool:
    return isinstance(term.test, Condition) and term.test.field == "state"


def _term(term: Term, now: int) -> Clause:
    test = term.test
    if isinstance(test, Text):
        clause, opposite = _text(test.text), term.negated
    else:
        clause, opposite = _condition(test, now), term.negated != (test.operator == "!=")
    return Clause(f"({clause.sql}) is not true", clause.parameters) if opposite else clause


def _condition(test: Condition, now: int) -> Clause:
    operator: Operator = "=" if test.operator == "!=" else test.operator
    if test.field == "created":
        return either(_created(operator, value, now) for value in test.values)
    return _FIELDS[test.field](test, operator)


def _text(text: str) -> Clause:
    lower = text.lower()
    models = among("v.model", "base.model", "key", Clause("contains(search, ?)", [lower]))
    return either([Clause("contains(v.search, ?)", [lower]), models])


def _model(test: Condition, _: Operator) -> Clause:
    names = either(_path(_name(value)) for value in test.values)
    return among("v.model", "base.model", "key", names)


def _path(name: str) -> Clause:
    if "*" in name:
        return glob("name", name)
    folder = name.rstrip("/")
    return Clause("(name = ? or starts_with(name, ?))", [folder, f"{folder}/"])


def _author(test: Condition, _: Operator) -> Clause:
    names = either(glob("lower(name)", _name(value)) for value in test.values)
    return among("v.author", "base.actor", "key", names)


def _alias(test: Condition, _: Operator) -> Clause:
    names = either(
        Clause("version is not null", [])
        if isinstance(value, Anything)
        else glob("name", _name(value))
        for value in test.values
    )
    return among("v.key", "base.alias", "version", names)


def _input(test: Condition, _: Operator) -> Clause:
    names = either(
        Clause("true", []) if isinstance(value, Anything) else glob("name", _word(value))
        for value in test.values
    )
    return among("v.key", "base.input", "version", names)


def _deployed(test: Condition, _: Operator) -> Clause:
    places = either(
        Clause("true", []) if isinstance(value, Anything) else glob("environment", _name(value))
        for value in test.values
    )
    running = Clause(
        f"state in ('pending', 'live', 'draining') and {places.sql}", places.parameters
    )
    return among("v.key", "base.deployment", "version", running)


_COUNTED = """
key in (
  select r.key from base.check_run r join base.version o on o.key = r.version
    left join (
      select m.key as model, arg_min(p.stamp, p.width) as stamp from base.model m join (
        select f.models, (d.body ->> '$.fields.definition.by')::uuid as stamp,
               case when f.models = '*' then 0
                    else length(f.models) + if(ends_with(f.models, '/*'), 0, 1000) end as width
          from base.definition f join base.document d on d.key = f.key
         where f.kind = 'check' and f.state = 'active' and f.name = ?) p
          on p.models in ('*', m.name)
             or (ends_with(p.models, '/*') and starts_with(m.name, left(p.models, -1)))
       group by m.key) now on now.model = o.model
   where r.definition is not distinct from now.stamp
     and r.key in (
       select arg_max(l.key, if(d.seq = 0, (1::bigint << 62) + l.key, d.seq))
         from base.check_run l join base.document d on d.key = l.key
        where l.name = ? and l.counts group by l.version))
"""
"""The runs of a check that gates go by (`regtui.core.governance.evidence`): of each version the
last one that counts, if it is of the definition that holds for the model, which is that with the
widest scope.

Clocks decide nothing about which is the last: the authority's order does, and behind all that it
knows comes what waits to be sent, in the order in which it was told here, which is that of its
keys. One number says both, since rows take twice the time to compare."""


def _check(test: Condition, _: Operator) -> Clause:
    """Mean the last run of a check that counts."""
    ended = either(
        Clause("true", []) if isinstance(value, Anything) else Clause("outcome = ?", [_word(value)])
        for value in test.values
    )
    last = Clause(_COUNTED, [test.name, test.name])
    return among("v.key", "base.check_run", "version", chain(" and ", [last, ended]))


def _parent(test: Condition, _: Operator) -> Clause:
    ids = either(
        Clause("true", []) if isinstance(value, Anything) else _id_range("id", _word(value))
        for value in test.values
    )
    return among("v.key", "base.parent", "version", ids)


def _id(test: Condition, _: Operator) -> Clause:
    return either(
        _short_range(digits) if len(digits) <= SHORT_DIGITS else _id_range("v.id", digits)
        for digits in map(_word, test.values)
    )


def _short_range(digits: str) -> Clause:
    ends = [int(digits.ljust(SHORT_DIGITS, pad), 16) for pad in "0f"]
    return Clause("v.short between ? and ?", ends)


def _id_range(column: str, digits: str) -> Clause:
    ends = [digits.ljust(32, pad) for pad in "0f"]
    return Clause(f"{column} between ?::uuid and ?::uuid", ends)


def _digest(test: Condition, _: Operator) -> Clause:
    return either(Clause("starts_with(v.digest, ?)", [_word(value)]) for value in test.values)


def _state(test: Condition, _: Operator) -> Clause:
    states = [_word(value) for value in test.values]
    if "any" in states:
        return Clause("true", [])
    return either(Clause("v.state = ?", [state]) for state in states)


def _created(operator: Operator, value: Value, now: int) -> Clause:
    if isinstance(value, Ago):
        # "Of the last seven days" is what people mean by created:7d.
        comparison = ">=" if operator == "=" else operator
        return Clause(f"v.created {comparison} ?", [now - value.milliseconds])
    span = cast("Span", value)
    if operator == "=":
        return Clause("(v.created >= ? and v.created < ?)", [span.start, span.end])
    past_its_end = operator in {">", "<="}
    comparison = ">=" if operator in {">", ">="} else "<"
    return Clause(f"v.created {comparison} ?", [span.end if past_its_end else span.start])


def _column(name: str) -> Callable[[Condition, Operator], Clause]:
    def compare(test: Condition, operator: Operator) -> Clause:
        return either(
            Clause(f"v.{name} {operator} ?", [cast("Number", value).value]) for value in test.values
        )

    return compare


def _contains(name: str) -> Callable[[Condition, Operator], Clause]:
    def compare(test: Condition, _: Operator) -> Clause:
        return either(
            Clause(f"v.{name} <> ''", [])
            if isinstance(value, Anything)
            else Clause(f"contains(lower(v.{name}), lower(?))", [_word(value)])
            for value in test.values
        )

    return compare


def _tag(test: Condition, _: Operator) -> Clause:
    return among("v.key", "base.tag", "entity", either(map(_pair, test.values)))


def _pair(value: Value) -> Clause:
    pair = cast("Pair", value)
    name = glob("name", pair.name)
    if pair.value is None:
        return name
    text = glob("value", pair.value)
    return Clause(f"({name.sql} and {text.sql})", name.parameters + text.parameters)


def _metric(test: Condition, operator: Operator) -> Clause:
    return _named("base.metric", "value", test, operator)


def _param(test: Condition, operator: Operator) -> Clause:
    return _named("base.param", "number", test, operator)


def _named(table: str, number: str, test: Condition, operator: Operator) -> Clause:
    values = either(_measured(number, operator, value) for value in test.values)
    condition = Clause(f"name = ? and {values.sql}", [test.name, *values.parameters])
    return among("v.key", table, "version", condition)


def _measured(number: str, operator: Operator, value: Value) -> Clause:
    if isinstance(value, Anything):
        return Clause("value is not null", [])
    if isinstance(value, Word):
        return glob("value", value.text)
    no_nan = f" and {number} <= 'infinity'::double" if operator in {">", ">="} else ""
    return Clause(f"({number} {operator} ?{no_nan})", [float(cast("Number", value).value)])


_FIELDS: dict[str, Callable[[Condition, Operator], Clause]] = {
    "model": _model,
    "number": _column("number"),
    "id": _id,
    "digest": _digest,
    "alias": _alias,
    "author": _author,
    "state": _state,
    "size": _column("size"),
    "files": _column("files"),
    "tag": _tag,
    "metric": _metric,
    "param": _param,
    "description": _contains("description"),
    "source": _contains("source"),
    "parent": _parent,
    "input": _input,
    "deployed": _deployed,
    "check": _check,
}


def _word(value: Value) -> str:
    return cast("Word", value).text


def _name(value: Value) -> str:
    """Return the text in the form that names are stored in."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", _word(value)).lower())
