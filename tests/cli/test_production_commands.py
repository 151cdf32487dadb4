"""Policies, promotion requests, environments and deployments on the command line."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.process import Regtui
from tests.cli.schemas import check

POLICY = """
[[policy]]
name = "prod"
models = "team/*"
alias = "production"
approvals = 1
metadata = ["description"]
rollback = "free"
break_glass = true
"""

RULE = "[[policy]]\nname = 'x'\nalias = 'a'\nrule = "


@pytest.fixture
def two(ranker: Regtui, tmp_path: Path) -> Regtui:
    """Return a registry with two versions, of which production is at the first one."""
    (tmp_path / "weights").write_text("two", encoding="utf-8")
    assert ranker("capture", tmp_path / "weights", "--model", "team/ranker").code == 0
    assert ranker("alias", "set", "team/ranker@1", "production").code == 0
    return ranker


@pytest.fixture
def policed(two: Regtui, tmp_path: Path) -> Regtui:
    """Return the same under a policy."""
    file = tmp_path / "policies.toml"
    file.write_text(POLICY, encoding="utf-8")
    check(two.json("policy", "put", file), "policy-put")
    return two


def request(regtui: Regtui) -> str:
    answer = regtui("promote", "team/ranker@2", "production", "-m", "better", "--json")
    assert answer.code == 5  # it is there, and a gate says no
    check(answer.json, "promote")
    return str(answer.json["request"]["request"])


def at(regtui: Regtui, alias: str = "production") -> Any:
    found = regtui.json("aliases", "team/ranker")["aliases"]
    return {one["alias"]: one["number"] for one in found}.get(alias)


def test_policies_are_put_listed_shown_and_removed(policed: Regtui, tmp_path: Path) -> None:
    again = policed.json("policy", "put", tmp_path / "policies.toml")
    assert again["policies"][0]["changed"] is False
    listed = policed.json("policy", "ls", "team/ranker")
    check(listed, "policy-ls")
    assert [one["policy"] for one in listed["policies"]] == ["prod"]
    check(policed.json("policy", "show", "prod"), "policy-show")
    shown = policed("policy", "show", "prod").out
    (tmp_path / "again.toml").write_text(shown, encoding="utf-8")
    same = policed.json("policy", "put", tmp_path / "again.toml")
    assert same["policies"][0]["changed"] is False
    check(policed.json("policy", "rm", "prod"), "policy-rm")
    assert policed.json("policy", "ls")["policies"] == []
    assert policed("policy", "show", "prod").code == 3
    both = POLICY + POLICY.replace("team/*", "*")
    (tmp_path / "both.toml").write_text(both, encoding="utf-8")
    assert policed("policy", "put", tmp_path / "both.toml").code == 0
    answer = policed("policy", "show", "PROD")
    assert (answer.code, "there are 2 policies called 'prod'" in answer.error) == (2, True)
    assert policed("policy", "show", "prod", "--models", "team/*").code == 0
    assert "no policy 'prod' for cv/*" in policed("policy", "rm", "prod", "--models", "cv/*").error


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[policy]]\nname = 'x'\n", "protects an alias or an environment"),
        ("[[policy]]\nname = 'x'\nalias = 'a'\nenvironment = 'b'\n", "an alias or an environment"),
        ("[[policy]]\nname = 'x'\nalias = 'a'\naprovals = 2\n", "aprovals"),
        ("[[policy]]\nname = 'x'\nalias = 'a'\nrule = 'checks.'\n", "no CEL expression"),
        ("[[policy]]\nname = 'x'\nalias = 'a'\napprovals = -1\n", "range from 0 to 100"),
        (RULE + "'foo.bar == 1.0'\n", "speaks of 'foo'"),
        (RULE + "'checks.all(c, checks[d].passed)'\n", "speaks of 'd'"),
        (RULE + "'1 + 1'\n", "neither true nor false"),
        (RULE + "'size(checks) + 1'\n", "neither true nor false"),
        (RULE + "'model.name'\n", "neither true nor false"),
        (RULE + "'1 / 0 == 1'\n", "can't be evaluated"),
        (RULE + "'better(model.name)'\n", "calls 'better'"),
        (RULE + "'version.metrics.f1 > 0.5'\n", 'trust = "declared"'),
        (RULE + "'has(current[\"metrics\"].f1)'\n", 'trust = "declared"'),
        ("[[policy]]\nname = 'x'\nalias = 'a'\nmax_age = 'soon'\n", "no duration"),
        ("[[policy]]\nname = 'x'\nalias = 'a'\nfreeze = ['always']\n", "no window"),
        ("[[policy]]\nalias = 'a'\n", "has a name and a scope"),
        ("policy = 3\n", "no table [[policy]]"),
        ("[[policy]\n", "is no TOML"),
    ],
)
def test_a_malformed_policy_is_refused_in_one_line(
    two: Regtui, tmp_path: Path, text: str, said: str
) -> None:
    (tmp_path / "bad.toml").write_text(text, encoding="utf-8")
    answer = two("policy", "put", tmp_path / "bad.toml")
    assert answer.code == 2
    assert said in answer.error
    assert two.json("policy", "ls")["policies"] == []


@pytest.mark.parametrize(
    "rule",
    [
        "checks.all(c, checks[c].passed)",
        "checks.eval.passed",
        'request.reason != "version.metrics" && version.size < 1e9',
        'version.params.lr < 0.1 || "metrics" in version.tags || type(version.number) == double',
        "false",
    ],
)
def test_a_rule_that_may_hold_is_put(two: Regtui, tmp_path: Path, rule: str) -> None:
    (tmp_path / "policy.toml").write_text(f"{RULE}'{rule}'\n", encoding="utf-8")
    answer = two("policy", "put", tmp_path / "policy.toml")
    assert (answer.code, answer.err) == (0, "")


def test_a_rule_may_read_metrics_where_it_says_so(two: Regtui, tmp_path: Path) -> None:
    text = RULE + "'version.metrics.f1 > 0.5'\n"
    (tmp_path / "policy.toml").write_text(text + "trust = 'declared'\n", encoding="utf-8")
    assert two("policy", "put", tmp_path / "policy.toml").code == 0
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    refused = two("policy", "test", tmp_path / "policy.toml")
    assert (refused.code, 'trust = "declared"' in refused.error) == (2, True)


def test_a_soak_where_there_is_no_environment_is_warned_of(two: Regtui, tmp_path: Path) -> None:
    text = POLICY + 'soak = { environment = "Staging", for = "1h" }\n'
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    answer = two("policy", "put", tmp_path / "policy.toml")
    assert (answer.code, "no environment 'Staging'" in answer.err) == (0, True)
    assert two("env", "put", "staging").code == 0
    assert not two("policy", "put", tmp_path / "policy.toml").err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('freeze = ["fri 16:00 - fri 16:00"]', "ends when it begins"),
        ('max_age = "0d"', "no check is as young as max_age asks"),
        ('soak = { environment = "staging", for = "0s" }', "a soak of no time asks for nothing"),
    ],
)
def test_a_time_of_no_length_is_refused(two: Regtui, tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "policy.toml").write_text(f"{POLICY}{line}\n", encoding="utf-8")
    answer = two("policy", "put", tmp_path / "policy.toml")
    assert answer.code == 2
    assert "the policy 'prod': " in answer.error
    assert said in answer.error


def test_the_policies_of_a_file_are_tried_under_their_names(two: Regtui, tmp_path: Path) -> None:
    file = tmp_path / "both.toml"
    file.write_text(POLICY + POLICY.replace('"prod"', '"more"'), encoding="utf-8")
    lines = two("policy", "test", file).out.splitlines()
    assert [one for one in lines if one.endswith(":")] == ["prod:", "more:"]
    file.write_text(POLICY, encoding="utf-8")
    assert "prod:" not in two("policy", "test", file).out.splitlines()


def test_without_requests_it_says_that_there_are_none(policed: Regtui) -> None:
    assert "no open requests; `regtui promote" in policed("requests").err
    assert "no requests; " in policed("request", "ls", "--state", "any").err
    assert "no applied requests of team/ranker; " in (
        policed("requests", "team/ranker", "--state", "applied").err
    )
    assert "no requests wait for your review" in policed("requests", "--mine").err
    bogus = policed("requests", "--state", "bogus")
    assert (bogus.code, "open, applied, withdrawn, any" in bogus.error) == (2, True)


def test_the_malformed_one_of_several_policies_is_named(two: Regtui, tmp_path: Path) -> None:
    file = tmp_path / "policies.toml"
    file.write_text(POLICY + "[[policy]]\nname = 'late'\nalias = 'a'\nmax_age = 'soon'\n")
    assert "the policy 'late': 'soon' is no duration" in two("policy", "put", file).error


def test_a_file_that_is_not_there_is_said_so(two: Regtui, tmp_path: Path) -> None:
    assert two("policy", "put", tmp_path / "none.toml").code == 3


def test_policy_test_tells_what_would_pass_and_what_is_out_of_policy(policed: Regtui) -> None:
    answer = policed("policy", "test", "prod", "--json")
    assert answer.code == 5
    check(answer.json, "policy-test")
    assert answer.json["out_of_policy"] == ["team/ranker@1"]
    assert policed("edit", "team/ranker@1", "--description", "the first").code == 0
    passed = policed("policy", "test", "prod", "--json")
    assert passed.code == 0
    said = {one["reference"]: one["passed"] for one in passed.json["versions"]}
    assert said == {"team/ranker@1": True, "team/ranker@2": False}


def test_a_protected_alias_is_blocked_with_exit_code_5(policed: Regtui) -> None:
    answer = policed("alias", "set", "team/ranker@2", "production")
    assert answer.code == 5
    assert "0 of 1 approval" in answer.error
    assert policed("alias", "rm", "team/ranker@production").code == 5
    assert policed("model", "delete", "team/ranker").code == 2
    assert at(policed) == 1


def test_a_request_moves_by_itself_when_its_last_gate_passes(policed: Regtui) -> None:
    asked = request(policed)
    assert at(policed) == 1
    check(policed.json("requests"), "request-ls")
    assert policed("review", asked, "comment", "-m", "why now?").code == 0
    said = policed.json("comments", "team/ranker@2")["comments"]
    assert [one["text"] for one in said] == ["why now?"]
    check(policed.json("review", asked, "approve", "-m", "fine"), "review")
    assert at(policed) == 1
    assert policed("edit", "team/ranker@2", "--description", "the second").code == 0
    shown = policed("request", "show", asked, "--json")
    assert shown.code == 5
    check(shown.json, "request-show")
    assert "does not count" in policed("request", "show", asked).out
    check(policed.json("review", asked, "approve"), "review")
    assert at(policed) == 2
    done = policed.json("request", "show", asked)["request"]
    assert done["state"] == "applied"
    assert (done["current"], done["version"]) == ("team/ranker@1", "team/ranker@2")
    assert [one["passed"] for one in done["gates"]] == [True] * len(done["gates"])
    assert policed("revert", "team/ranker@production").code == 0
    assert at(policed) == 1


def test_an_edit_that_completes_a_request_moves_it_and_is_undone_without_it(
    policed: Regtui, tmp_path: Path
) -> None:
    file = tmp_path / "policies.toml"
    file.write_text(POLICY.replace("approvals = 1\n", ""), encoding="utf-8")
    assert policed("policy", "put", file).code == 0
    asked = request(policed)
    assert policed("edit", "team/ranker@2", "--description", "the second").code == 0
    assert at(policed) == 2
    assert policed.json("request", "show", asked)["request"]["state"] == "applied"
    assert policed("undo").code == 0
    assert policed.json("show", "team/ranker@2")["version"]["description"] is None
    assert at(policed) == 2
    assert policed("redo").code == 0
    assert policed("revert", "team/ranker@production").code == 0
    assert at(policed) == 1


def test_a_request_that_a_policy_held_up_moves_when_it_is_made_again(policed: Regtui) -> None:
    asked = request(policed)
    assert policed("policy", "rm", "prod").code == 0
    assert at(policed) == 1  # a change of policies alone moves nothing
    again = policed("promote", "team/ranker@2", "production", "--json")
    assert (again.code, again.json["request"]["request"]) == (0, asked)
    assert again.json["request"]["state"] == "applied"
    assert at(policed) == 2


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_a_request_for_what_is_put_away_says_so_and_goes_on_when_it_is_back(
    policed: Regtui, verb: str
) -> None:
    assert policed("edit", "team/ranker@2", "--description", "better").code == 0
    name = request(policed)
    assert policed("version", verb, "team/ranker@2").code == 0
    assert policed("review", name, "approve").code == 0
    assert at(policed) == 1
    state = {"archive": "archived", "delete": "deleted"}[verb]
    shown = policed("request", "show", name)
    assert shown.code == 5
    assert f"(open, {state})" in shown.out
    assert f"the version is {state}; `regtui version restore` brings it back" in shown.out
    assert f"open, {state}" in policed("requests").out
    listed = policed.json("requests")
    check(listed, "request-ls")
    assert listed["requests"][0]["version_state"] == state
    assert policed("version", "restore", "team/ranker@2").code == 0
    assert at(policed) == 2
    assert policed.json("request", "show", name)["request"]["state"] == "applied"
    back = policed("undo")
    assert (back.code, at(policed)) == (2, 2)
    assert "alias" in back.error


def test_what_is_asked_for_again_in_other_words_is_refused(policed: Regtui) -> None:
    asked = policed("promote", "team/ranker@2", "production", "-m", "auto", "--json").json
    name = asked["request"]["request"]
    for words, said in (
        (["--by-hand", "-m", "please by hand"], "to move by itself"),
        (["-m", "another"], "for another reason"),
    ):
        answer = policed("promote", "team/ranker@2", "production", *words)
        assert answer.code == 2
        assert f"{name} asks for the same already, {said}" in answer.error
        assert f"`regtui request withdraw {name}` first" in answer.error
    for words in (["-m", "auto"], []):  # the same, or nothing else
        again = policed("promote", "team/ranker@2", "production", *words, "--json")
        assert (again.code, again.json["request"]["request"]) == (5, name)
    assert policed("request", "withdraw", name).code == 0
    by_hand = policed("promote", "team/ranker@2", "production", "--by-hand", "--json").json
    assert by_hand["request"]["auto"] is False
    assert "to be applied by hand" in policed("promote", "team/ranker@2", "production").error
    glass = policed("promote", "team/ranker@2", "production", "--break-glass", "an outage")
    assert (glass.code, at(policed)) == (0, 2)


def test_an_admin_breaks_glass_with_a_reason_that_stays(policed: Regtui) -> None:
    asked = policed.json("promote", "team/ranker@2", "production", "--break-glass", "it is burning")
    assert asked["request"]["break_glass"] == "it is burning"
    assert at(policed) == 2
    shown = policed("request", "show", asked["request"]["request"]).out
    assert "passed by an admin without its gates: it is burning" in shown


@pytest.mark.parametrize("reason", ["", "  "])
@pytest.mark.parametrize("alias", ["production", "free"])
def test_glass_is_not_broken_without_a_reason(policed: Regtui, alias: str, reason: str) -> None:
    answer = policed("promote", "team/ranker@2", alias, "--break-glass", reason)
    assert (answer.code, "breaking glass needs a reason" in answer.error) == (2, True)
    assert policed.json("requests", "--state", "any")["requests"] == []
    asked = request(policed)
    assert policed("request", "apply", asked, "--break-glass", reason).code == 2
    assert at(policed) == 1


def test_an_alias_that_is_not_there_is_not_asked_to_go(policed: Regtui) -> None:
    answer = policed("promote", "team/ranker", "nope", "--remove")
    assert (answer.code, "has no alias 'nope'" in answer.error) == (3, True)
    assert policed.json("requests", "--state", "any")["requests"] == []
    assert policed("promote", "team/ranker", "production", "--remove").code == 5


def test_an_applied_request_tells_what_stood_there_before(two: Regtui) -> None:
    first = two.json("promote", "team/ranker@2", "free")["request"]
    second = two.json("promote", "team/ranker@1", "free")["request"]
    assert (first["current"], second["current"]) == (None, "team/ranker@2")
    assert two("alias", "set", "team/ranker@2", "free").code == 0
    listed = two.json("requests", "--state", "applied")["requests"]
    assert [one["current"] for one in listed] == ["team/ranker@2", None]
    assert "team/ranker@2 → team/ranker@1" in two("request", "show", second["request"]).out


def test_places_that_are_not_there_are_told(two: Regtui) -> None:
    assert two("env", "put", "prod").code == 0
    assert two("deployments", "--env", "prod").code == 0
    answer = two("deployments", "--env", "nope")
    assert (answer.code, "there is no environment 'nope'" in answer.error) == (3, True)
    assert two("deploy", "team/ranker@1", "prod").code == 0
    answer = two("deploy", "rollback", "team/ranker", "prod", "--target", "nowhere")
    assert (answer.code, "is live in prod/nowhere" in answer.error) == (3, True)
    assert two("deploy", "rollback", "team/ranker", "prod").code == 3


def test_requests_are_applied_by_hand_and_withdrawn(policed: Regtui) -> None:
    asked = request(policed)
    answer = policed("request", "apply", asked)
    assert answer.code == 5
    check(policed.json("request", "withdraw", asked), "request-withdraw")
    assert policed("request", "withdraw", asked).code == 2
    assert policed("review", asked, "approve").code == 2
    assert policed("review", asked).code == 2
    assert policed("review", asked, "perhaps").code == 2
    assert policed("promote", "team/ranker@2").code == 2
    assert policed("request", "show", "zzzz").code == 2
    assert policed("request", "show", "00000000").code == 3
    assert policed("request", "ls", "--state", "lost").code == 2


def test_environments_are_put_listed_and_removed(two: Regtui) -> None:
    made = two.json("env", "put", "Prod", "--kind", "production", "--expect", "1m")
    check(made, "env-put")
    assert made["environment"]["environment"] == "prod"
    assert two.json("env", "put", "prod")["changed"] is False
    check(two.json("env", "ls"), "env-ls")
    for said in (["--expect", "often"], ["--expect", "0s"], ["--open", "--protected"]):
        assert two("env", "put", "prod", *said).code == 2
    assert two.json("env", "put", "prod", "--open")["environment"]["protected"] is False
    assert two.json("env", "put", "prod", "--protected")["environment"]["protected"] is True
    assert two("deploy", "team/ranker@1", "prod").code == 0
    assert "a deployment runs in prod" in two("env", "rm", "prod").error
    (live,) = two.json("deploy", "ls")["deployments"]
    assert two("deploy", "stop", live["deployment"], "-m", "done").code == 0
    check(two.json("env", "rm", "prod"), "env-rm")
    assert two("deploy", "team/ranker@1", "prod").code == 3


def test_what_came_beside_another_is_rolled_back_by_ending_it(two: Regtui) -> None:
    assert two("env", "put", "prod", "--open").code == 0
    first = two.json("deploy", "team/ranker@1", "prod")["deployment"]
    two.json("deploy", "team/ranker@2", "prod", "--beside")
    back = two.json("deploy", "rollback", "team/ranker", "prod")["deployment"]
    assert (back["deployment"], back["state"]) == (first["deployment"], "live")
    listed = two.json("deploy", "ls", "--all")
    assert [(one["version"], one["state"]) for one in listed["deployments"]] == [
        ("team/ranker@2", "rolled_back"),
        ("team/ranker@1", "live"),
    ]


def test_deployments_are_recorded_replaced_and_rolled_back(two: Regtui) -> None:
    assert two("env", "put", "prod").code == 0
    first = two.json("deploy", "team/ranker@1", "prod", "--target", "eu")
    check(first, "deploy-to")
    second = two.json("deploy", "team/ranker@2", "prod", "--target", "eu")
    assert second["deployment"]["replaces"] == first["deployment"]["deployment"]
    back = two.json("deploy", "rollback", "team/ranker", "prod", "--target", "eu")
    check(back, "deploy-rollback")
    assert back["deployment"]["version"] == "team/ranker@1"
    listed = two.json("deploy", "ls", "--all")
    check(listed, "deploy-ls")
    assert [one["state"] for one in listed["deployments"]] == ["live", "rolled_back", "stopped"]
    check(two.json("deploy", "show", first["deployment"]["deployment"]), "deploy-show")
    assert two("version", "archive", "team/ranker@1").code == 2
    assert two("deploy", "rollback", "team/ranker", "prod").code == 3
    live = back["deployment"]["deployment"]
    assert two("deploy", "state", live, "lost").code == 2
    check(two.json("deploy", "state", live, "draining"), "deploy-state")
    check(two.json("deploy", "stop", live), "deploy-stop")
    assert two("deploy", "state", live, "live").code == 2


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--url", "javascript:alert(1)", "an address of http or https"),
        ("--url", "eu-1.example.org", "an address of http or https"),
        ("--url", "file:///etc/passwd", "an address of http or https"),
        ("--expect", "0h", "nothing is heard of every 0 seconds"),
    ],
)
def test_such_a_deployment_is_refused(two: Regtui, option: str, value: str, said: str) -> None:
    assert two("env", "put", "prod").code == 0
    answer = two("deploy", "team/ranker@1", "prod", option, value)
    assert (answer.code, said in answer.error) == (2, True)
    assert two.json("deploy", "ls")["deployments"] == []
    assert two("deploy", "team/ranker@1", "prod", "--url", "HTTPS://eu-1.example.org").code == 0


def test_what_was_done_to_production_stands_in_the_log(policed: Regtui) -> None:
    request(policed)
    said = policed("log").out
    assert "asked for production to be @2" in said
    assert "put the policy prod of team/*" in said


def test_a_version_is_signed_once_by_a_replica_and_checked(two: Regtui, tmp_path: Path) -> None:
    assert two("verify", "team/ranker@1", "--signature").code == 8
    assert two("verify", "--signature").code == 2
    signed = two.json("sign", "team/ranker@1")
    check(signed, "signatures")
    assert (signed["changed"], signed["signatures"][0]["valid"]) == (True, True)
    assert two.json("sign", "team/ranker@1")["changed"] is False
    check(two.json("verify", "team/ranker@1", "--signature"), "signatures")
    policy = '[[policy]]\nname = "s"\nmodels = "team/*"\nalias = "signed"\nsigned = true\n'
    (tmp_path / "signed.toml").write_text(policy, encoding="utf-8")
    assert two("policy", "put", tmp_path / "signed.toml").code == 0
    assert two("alias", "set", "team/ranker@2", "signed").code == 5
    assert two("alias", "set", "team/ranker@1", "signed").code == 0


def test_beats_are_heard_counted_and_summed_up(two: Regtui) -> None:
    assert two("env", "put", "prod", "--expect", "1m").code == 0
    live = two.json("deploy", "team/ranker@1", "prod")["deployment"]
    assert live["health"] == "unknown"
    name = live["deployment"]
    check(two.json("deploy", "beat", name, "--requests", "3", "--errors", "1"), "deploy-beat")
    assert two("deploy", "beat", name, "--latency", "0.02", "--latency", "0.04").code == 0
    shown = two.json("deploy", "show", name)["deployment"]
    assert shown["health"] == "fresh"
    told = shown["usage"]["hour"]
    assert (told["requests"], told["errors"]) == (5, 1)
    assert 0.01 < told["p50"] < told["p95"] < 0.05
    heard = two.json("deploy", "usage", name, "--by", "day", "--since", "2d")
    check(heard, "deploy-usage")
    assert [one["requests"] for one in heard["usage"]["buckets"]] == [5]
    assert two("deploy", "beat", name, "--errors", "2").code == 2
    assert two("deploy", "usage", name, "--by", "year").code == 2
    assert two("deploy", "usage", name, "--since", "soon").code == 2
    assert two("deploy", "beat", "00000000").code == 3
    assert two("deploy", "stop", name).code == 0
    late = two("deploy", "beat", name)
    assert (late.code, "it is stopped" in late.error) == (2, True)
    assert two.json("deploy", "show", name)["deployment"]["usage"]["hour"]["requests"] == 5


def test_a_capture_stays_though_the_protected_alias_does_not_move(
    policed: Regtui, tmp_path: Path
) -> None:
    (tmp_path / "weights").write_text("three", encoding="utf-8")
    answer = policed(
        "capture", tmp_path / "weights", "--model", "team/ranker", "--alias", "production"
    )
    assert answer.code == 0
    assert "captured team/ranker@3" in answer.out
    assert "production did not move" in answer.err
    assert at(policed) == 1


def test_gates_name_people_and_not_their_ids(two: Regtui) -> None:
    assert two("env", "put", "prod").code == 0
    asked = two.json("promote", "team/ranker@1", "--env", "prod")["request"]
    assert asked["state"] == "applied"
    assert [one["reason"] for one in asked["gates"]] == [
        f"{asked['author']} is admin, it needs a maintainer"
    ]


def test_an_alias_that_a_request_made_first_has_nothing_before(two: Regtui) -> None:
    assert two("promote", "team/ranker@1", "best-one").code == 0
    assert two("revert", "team/ranker@best-one").code == 3
    assert two("alias", "set", "team/ranker@2", "best-one").code == 0
    assert two.json("revert", "team/ranker@best-one")["version"]["number"] == 1
    assert two("revert", "team/ranker@best-one").code == 3


def test_what_was_rolled_back_is_not_gone_back_to_until_it_is_deployed_again(two: Regtui) -> None:
    back = ("deploy", "rollback", "team/ranker", "prod")
    assert two("env", "put", "prod").code == 0
    assert two("deploy", "team/ranker@2", "prod").code == 0
    assert two("deploy", "team/ranker@1", "prod").code == 0
    assert two("deploy", "team/ranker@2", "prod").code == 0
    assert two.json(*back)["deployment"]["version"] == "team/ranker@1"
    assert two(*back).code == 3
    assert two("deploy", "team/ranker@2", "prod").code == 0
    assert two("deploy", "team/ranker@1", "prod").code == 0
    assert two.json(*back)["deployment"]["version"] == "team/ranker@2"


def test_each_target_goes_back_by_itself(two: Regtui) -> None:
    assert two("env", "put", "prod").code == 0
    for target in ("eu", "us"):
        for number in (1, 2, 1, 2):
            assert two("deploy", f"team/ranker@{number}", "prod", "--target", target).code == 0
    back = ("deploy", "rollback", "team/ranker", "prod", "--target")
    assert two.json(*back, "eu")["deployment"]["version"] == "team/ranker@1"
    assert two("deploy", "team/ranker@1", "prod", "--target", "us").code == 0
    assert two.json(*back, "us")["deployment"]["version"] == "team/ranker@2"


def test_a_mistyped_table_is_not_dropped(two: Regtui, tmp_path: Path) -> None:
    file = tmp_path / "policies.toml"
    file.write_text(POLICY + '\n[[polcy]]\nname = "x"\n')
    for command in (("policy", "put"), ("policy", "test")):
        assert "'polcy', which is no policy and no check" in two(*command, file).error


def test_what_is_deleted_is_passed_over_on_the_way_back(two: Regtui, tmp_path: Path) -> None:
    (tmp_path / "weights").write_text("three", encoding="utf-8")
    assert two("capture", tmp_path / "weights", "--model", "team/ranker").code == 0
    assert two("env", "put", "prod").code == 0
    for number in (2, 3, 1):
        assert two("deploy", f"team/ranker@{number}", "prod").code == 0
    assert two("version", "delete", "team/ranker@3").code == 0
    back = two.json("deploy", "rollback", "team/ranker", "prod")
    assert back["deployment"]["version"] == "team/ranker@2"


def test_a_file_says_everything_once(two: Regtui, tmp_path: Path) -> None:
    for kind, what in ("policy", 'alias = "a"'), ("check", 'run = "true"'):
        file = tmp_path / f"{kind}.toml"
        file.write_text(f'[[{kind}]]\nname = "one"\n{what}\n[[{kind}]]\nname = "One"\n{what}\n')
        assert "twice" in two(kind, "put", str(file)).error


def test_a_control_character_is_no_part_of_where_something_runs(two: Regtui) -> None:
    assert two("env", "put", "prod").code == 0
    for option in ("--target", "--url"):
        refused = two("deploy", "team/ranker@1", "prod", option, "https://a\x1b[2J")
        said = f"the {option[2:]} contains a control character"
        assert (refused.code, said in refused.error) == (2, True)
    assert (
        two("deploy", "team/ranker@1", "prod", "--target", "eu-1 é", "--url", "https://a").code == 0
    )


def test_a_latency_is_a_time(two: Regtui) -> None:
    assert two("env", "put", "prod").code == 0
    live = two.json("deploy", "team/ranker@1", "prod")["deployment"]["deployment"]
    for wrong in ("nan", "inf", "-1"):
        assert two("deploy", "beat", live, f"--latency={wrong}").code == 2
    for many in (2**40 + 1, 10**20):
        assert "at most" in two("deploy", "beat", live, "--requests", str(many)).error
