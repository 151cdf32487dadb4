"""Policies: write one, try it on the versions that are there, put it, take it away."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.wording import count_text
from regtui.registry import Registry
from regtui.registry.definition_text import protects_text, tables_of, toml_of
from regtui.tui.acts.asking import ask, read
from regtui.tui.acts.telling import command, tell
from regtui.tui.request_view import gate_sign
from regtui.tui.safe_text import one_line
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.prompt import Confirm
from regtui.tui.screens.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registry.answers_production import PolicyAnswer, Tried
    from regtui.tui.app import RegtuiApp

FIRST = """\
[[policy]]
name = "production"
models = "*"                  # everything, a prefix such as "nlp/*", or one model
alias = "production"          # or: environment = "production"
approvals = 1
four_eyes = true              # of others than who made the version or the request
# checks = ["smoke"]          # that have to pass
# metadata = ["description", "card.license"]
# rollback = "free"           # going back asks for a maintainer only
# break_glass = true          # an admin may pass all of it with a reason
"""
"""What stands in the editor at first."""

SHOWN = 10
"""Lines of a dry run that a question shows."""


async def add_policy(app: "RegtuiApp") -> None:
    """Write a policy, and put it after a dry run."""
    await _write(app, "A policy", FIRST)


async def edit_policy(app: "RegtuiApp", policy: "PolicyAnswer") -> None:
    """Change a policy, and put it after a dry run."""
    title = f"The policy {policy.policy} of {policy.models}"
    await _write(app, title, toml_of(policy) + "\n", policy)


async def _write(
    app: "RegtuiApp", title: str, text: str, policy: "PolicyAnswer | None" = None
) -> None:
    async def save(text: str) -> bool:
        return await _put(app, text, policy)

    await ask(app, Editor(title, text, save, is_new=policy is None))


async def _put(app: "RegtuiApp", text: str, seen: "PolicyAnswer | None") -> bool:
    """Put the policies of a text after a dry run and a yes; False where the editor stays.

    Args:
        app: The app.
        text: TOML.
        seen: The policy as it was when the editor opened; None for a new one.
    """

    def attempt(registry: Registry) -> "list[Tried]":
        if seen is not None:
            _check_unchanged(registry, seen)
        tables = tables_of(text, "policy", "the text")
        return [one for table in tables for one in registry.try_policy(table)]

    tried = await read(app, attempt)
    if tried is None:
        return False
    # Not by `ask`, for which a question that is open already is the last word: the editor is one.
    question = Confirm("Put it? Today's versions:", "\n".join(_lines(tried, SHOWN)))
    if not await app.push_screen_wait(question):
        return False
    tables = tables_of(text, "policy", "the text")
    done = await app.act(lambda registry: registry.put_policies(tables))
    if done is None:
        return False
    said = [
        f"{one.policy} protects {protects_text(one)} of {one.models}"
        + ("" if changed else " already")
        for one, changed in done
    ]
    tell(app, "; ".join(said), command("policy", "put", "FILE.toml"), can_undo=False)
    return True


def _check_unchanged(registry: Registry, seen: "PolicyAnswer") -> None:
    """Refuse to put over what somebody else put since.

    Raises:
        BadInput: Somebody did.
        NotFound: Somebody took it away.
    """
    now = registry.policy(seen.policy, seen.models)
    if toml_of(now) != toml_of(seen):
        raise BadInput(
            f"somebody changed the policy {seen.policy} meanwhile",
            "keep your text, leave, and open it again",
        )


async def try_policy(app: "RegtuiApp", policy: "PolicyAnswer") -> None:
    """Tell which versions would pass a policy now."""
    name, models = policy.policy, policy.models
    tried = await read(app, lambda registry: registry.try_policy(name, models))
    if tried is not None:
        line = command("policy", "test", name, "--models", models)
        title = f"What {name} says to today's versions"
        await ask(app, Report(title, [*_lines(tried), "", f"$ {line}"]))


async def remove_policy(app: "RegtuiApp", policy: "PolicyAnswer") -> None:
    """Take a policy away, after a yes."""
    sentence = (
        f"{protects_text(policy)} of {policy.models} is not protected by it any more.\n"
        "Its history stays; putting it again brings it back."
    )
    if not await ask(app, Confirm(f"Take the policy {policy.policy} away?", sentence)):
        return
    name, models = policy.policy, policy.models
    done = await app.act(lambda registry: registry.remove_policy(name, models))
    if done is not None:
        line = command("policy", "rm", name, "--models", models)
        tell(app, f"the policy {name} of {models} is gone", line, can_undo=False)


def _lines(tried: "Sequence[Tried]", most: int | None = None) -> list[str]:
    """Return what a policy says to versions: those first that are where it protects.

    Args:
        tried: What it says to each.
        most: Lines at most; None for all, with the reasons.
    """
    if not tried:
        return ["no version of these models is there yet"]
    passing = sum(one.passed is True for one in tried)
    outside = [one for one in tried if one.holds and one.passed is False]
    found = [f"{passing} of {count_text(len(tried), 'version')} would pass"]
    if outside:
        names = ", ".join(one.reference for one in outside)
        found[0] += f"; out of policy, though it is there: {names}"
    lines = [line for one in tried for line in _line(one)]
    if most is not None and len(lines) > most:
        lines = [*lines[:most], f"and {count_text(len(lines) - most, 'line')} more"]
    return [*found, "", *lines]


def _line(one: "Tried") -> list[str]:
    there = "  (is there now)" if one.holds else ""
    against = [gate for gate in one.gates if gate.passed is not True]
    return [
        f"{gate_sign(one.passed)[0]} {one.reference}{there}",
        *(f"    {gate_sign(g.passed)[0]} {g.gate}  {one_line(g.reason)}" for g in against),
    ]
