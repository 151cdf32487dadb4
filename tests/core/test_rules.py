"""Rules: none that holds is refused for how it is written, and none reads metrics unseen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.errors import BadInput
from regtui.core.governance.rule import check_sense, evaluate
from regtui.core.policies import policy_of

VERSION: dict[str, Any] = {
    "id": "", "number": 2.0, "digest": "", "size": 0.0, "files": 0.0, "author": "",
    "description": "it's version.metrics", "tags": {"env": "prod"}, "params": {"lr": 0.1},
}  # fmt: skip
KNOWN: dict[str, Any] = {
    "version": VERSION,
    "current": VERSION,
    "model": {"name": "nlp/bert", "description": "", "tags": {}},
    "request": {"reason": "", "author": ""},
    "checks": {"eval": {"f1": 0.9, "outcome": "passed", "passed": True}},
    "current_checks": {},
}

HOLD = [
    "true",
    'version.tags.env.contains("p")',
    "has(version.tags.env) ? version.tags.env != '' : false",
    "version.tags.env != 'version.metrics'",
    'version.tags.env != "current[\'metrics\'] \\" version.metrics"',
    r"""version.tags.env != r"\" && version.tags.env != "version.metrics" """,
    r"""version.tags.env.matches(R'^\w+$')""",
    '''version.description != """a " version.metrics"""''',
    """version.description != '''it's version.metrics\nfoo.all(z, z)'''""",
    r'''version.description != """\"""version.metrics"""''',
    'b"version.metrics" != bR"\\"',
    '"//" != "version.metrics"',
    '!("metrics" in version)',
    "model.name != '' || model.tags . version . metrics == ''",
    "checks.all(c, checks[c].passed)",
    "checks\n.exists_one ( c , checks[c].f1 > 0.5 )",
    'checks.existsOne(one, one == "eval")',
    "[1.0].map(x, x > 0.0, x) == [1.0]",
    "[1.0].filter(// the first\n_x, _x > 0.0).size() == 1",
    "optional.of(1).hasValue()",
    "type(optional.none()) == optional_type",
    "type(null) == null_type && type(1u) == uint && type([]) == list && type({}) == map",
    'duration("1s") < duration("2s")',
]

READS = [
    "version.metrics.f1 > 0.5",
    "current . metrics . f1 > 0.5",
    "current.// all of them\nmetrics.f1 > 0.5",
    'version["metrics"].f1 > 0.5',
    "version [ r'metrics' ].f1 > 0.5",
    'version["""metrics"""].f1 > 0.5',
    "'//' == '' || version.metrics.f1 > 0.5",
    "has(version.metrics.f1)",
    r'r"\" == "" || version.metrics.f1 > 0.5 || "" == "x"',
]

ASIDES = [
    "",
    " ",
    "\n",
    "// version.metrics, it's \"quoted\n",
    "//// current['metrics'].all(q, q)\n",
]

rules = st.lists(
    st.tuples(st.sampled_from(HOLD), st.sampled_from(ASIDES)),
    min_size=1,
    max_size=2,  # a policy's rule has two loops at most
).map(lambda parts: "true" + "".join(f" && {aside}({rule})" for rule, aside in parts))


def refusal(rule: str) -> str:
    with pytest.raises(BadInput) as refused:
        check_sense(rule, declared=False)
    return refused.value.message


@pytest.mark.parametrize("rule", HOLD)
def test_a_rule_that_holds_is_taken_also_before_a_comment(rule: str) -> None:
    for text in (rule, f"{rule} // comment with version.metrics and it's \"foo"):
        assert evaluate(text, KNOWN) == (True, f"{text} is true")
        check_sense(text, declared=False)


def test_an_entry_of_a_list_may_be_called_as_what_has_metrics() -> None:
    rule = '[{"metrics": 1.0}].all(version, version.metrics == 1.0)'
    assert evaluate(rule, KNOWN)[0]
    check_sense(rule, declared=False)


@given(rules)
def test_rules_that_hold_are_taken_together(rule: str) -> None:
    assert evaluate(rule, KNOWN)[0]
    check_sense(rule, declared=False)


@pytest.mark.parametrize("rule", READS)
def test_metrics_are_seen_however_they_are_asked_for(rule: str) -> None:
    assert "metrics, which anybody may edit" in refusal(rule)
    check_sense(rule, declared=True)


@given(rules, st.sampled_from(READS), st.sampled_from(ASIDES))
def test_metrics_are_seen_beside_texts_and_comments(before: str, reads: str, aside: str) -> None:
    assert "metrics, which anybody may edit" in refusal(f"({before}) && {aside}({reads})")


@pytest.mark.parametrize(
    "loop",
    ["exists_one(x, true)", "existsOne(x, true)", " // aside\n all (x, true)", "map(x, x) == []"],
)
def test_loops_are_counted_and_what_only_looks_like_one_is_not(loop: str) -> None:
    rule = " && ".join([f"[1].{loop}"] * 2)
    like = '".all(" != ".map(" // .all(x, .exists(x, .map(x, .filter(x,'
    assert policy_of({"alias": "production", "rule": f"{rule} && {like}"}).rule is not None
    with pytest.raises(BadInput, match="at most 2 times"):
        policy_of({"alias": "production", "rule": f"{rule} && [1].all(x, true)"})


LONG = {f"t{number:04}": "a" * 900 for number in range(200)}
USUAL = {f"t{number:04}": "a" * 100 for number in range(60)}

TOO_MUCH = [
    "model.tags.all(a, model.tags.all(b, "
    + " && ".join(f'!model.tags[a].matches("(a|b)*c{n}")' for n in range(20))
    + "))",
    "size(model.tags.map(a, model.tags.map(b, a + b))) == 200",
    "model.tags.map(a, model.tags.map(b, model.tags[a])) == []",
    "[" + "+".join(["model.tags.t0001"] * 40) + "].map(x, [" + "+".join(["x"] * 60) + "]"
    ".map(y, " + "+".join(["y"] * 60) + ")) == []",
    'model.tags.all(a, a.matches("\\\\w{200}") || true)',
    "model.tags.all(a, a.matches(model.tags.t0001) || true)",
    "size(model.tags.map(a, model.tags)) == 200",
    "[model.tags, model.tags].map(a, [a, a, a, a]) == []",
]
"""Rules that would take minutes, or all memory there is."""


@pytest.mark.parametrize("rule", TOO_MUCH, ids=range(len(TOO_MUCH)))
def test_a_rule_that_could_take_too_long_fails_without_being_tried(rule: str) -> None:
    known = {**KNOWN, "model": {**KNOWN["model"], "tags": LONG}}
    passed, told = evaluate(rule, known)
    assert not passed
    assert "too long" in told


def test_what_a_rule_gives_is_not_told_at_length() -> None:
    _, told = evaluate("model.tags", {**KNOWN, "model": {"tags": LONG}})
    assert len(told) < 100


@pytest.mark.parametrize(
    "rule",
    [
        'version.description.contains("safe") && version.description.size() > 10',
        'model.tags.all(a, a.matches("^t[0-9]+$"))',
        'model.tags.exists(a, model.tags[a].startsWith("aaa") && a.endsWith("7"))',
        'checks.all(c, checks[c].passed) && model.tags.exists(a, a == "t0001")',
    ],
)
def test_a_usual_rule_may_look_at_long_texts_and_many_entries(rule: str) -> None:
    version = {**VERSION, "description": "safe " * 2_000}
    known = {**KNOWN, "version": version, "model": {**KNOWN["model"], "tags": USUAL}}
    assert evaluate(rule, known)[0]
