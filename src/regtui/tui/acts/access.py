"""Access: grants, tokens, replicas, and machines that wait to be let in."""

from typing import TYPE_CHECKING

from regtui.core.access import Role, scope_key
from regtui.core.errors import BadInput
from regtui.registry import Registry
from regtui.tui.acts.asking import ask
from regtui.tui.acts.beside import beside
from regtui.tui.acts.telling import command, tell
from regtui.tui.screens.prompt import Choice, Chooser, Confirm, Prompt
from regtui.tui.screens.report import Report
from regtui.tui.settings_tabs import DIGITS, token_id

if TYPE_CHECKING:
    from regtui.registry.answers_access import GrantAnswer, ReplicaAnswer, TokenAnswer
    from regtui.tui.app import RegtuiApp

SCOPE = "* for all, a prefix such as nlp/*, or one model"

ROLES = {
    Role.REPORTER: "sends metrics from machines, sees nothing",
    Role.VIEWER: "sees",
    Role.CONTRIBUTOR: "captures, edits and moves aliases",
    Role.APPROVER: "like a contributor, for now",
    Role.MAINTAINER: "archives, deletes and restores",
    Role.ADMIN: "gives roles to others",
}
"""What each role may do, in a few words; each may what those above it may."""


async def add_grant(app: "RegtuiApp") -> None:
    """Give somebody, or a team, a role in a scope."""
    holders = await beside(app, lambda: _holders(app.registry))
    if holders is None:
        return
    holder = await ask(app, Chooser("Who shall get a role?", holders))
    if holder is None:
        return
    scope = await ask(app, Prompt(f"Where shall {holder} have it?", SCOPE, check=_wrong_scope))
    if scope:
        await _give(app, holder, scope.strip(), "")


async def change_grant(app: "RegtuiApp", grant: "GrantAnswer") -> None:
    """Give another role in the same scope."""
    await _give(app, grant.holder, grant.scope, grant.role)


async def _give(app: "RegtuiApp", holder: str, scope: str, before: str) -> None:
    choices = [
        Choice(role.name.lower(), role.name.lower(), ROLES[role])
        for role in Role
        if role.name.lower() != before
    ]
    role = await ask(app, Chooser(f"What may {holder} do in {scope}?", choices))
    if role is None:
        return
    done = await beside(app, lambda: app.registry.add_grant(holder, role, scope))
    if done is not None:
        line = command("grant", "add", holder, role, scope)
        tell(app, f"{done.holder} is {done.role} in {done.scope}", line, can_undo=False)


async def remove_grant(app: "RegtuiApp", grant: "GrantAnswer") -> None:
    """Take a role away, after a yes."""
    sentence = (
        f"{grant.holder} is {grant.role} in {grant.scope} no more.\n"
        "What one may not read any more goes from his registry at the next sync."
    )
    if not await ask(app, Confirm("Take the role away?", sentence)):
        return

    def remove() -> bool:
        app.registry.remove_grant(grant.holder, grant.scope)
        return True

    if await beside(app, remove):
        line = command("grant", "rm", grant.holder, grant.scope)
        tell(app, f"{grant.holder} has no role in {grant.scope}", line, can_undo=False)


async def add_token(app: "RegtuiApp") -> None:
    """Make a token for somebody, and show it this once."""
    people = await beside(app, app.registry.users)
    if people is None:
        return
    choices = [
        Choice(one.name, one.name, one.display_name or "")
        for one in people
        if one.state == "active"
    ]
    user = await ask(app, Chooser("Who shall sign in with the token?", choices))
    if user is None:
        return
    kinds = [
        Choice("once", "to sign in once", "what one gives to a person"),
        Choice("lasting", "to sign in again and again", "what one gives to a machine"),
    ]
    kind = await ask(app, Chooser("What is it for?", kinds))
    if kind is None:
        return
    is_once = kind == "once"
    made = await beside(app, lambda: app.registry.create_token(user, once=is_once))
    if made is not None:
        words = ["token", "create", "--user", user, *(["--once"] if is_once else [])]
        lines = [made.token, "", "It is shown this once and kept nowhere.", f"$ {command(*words)}"]
        await ask(app, Report(f"The token of {user}", lines))


async def revoke_token(app: "RegtuiApp", token: "TokenAnswer") -> None:
    """Make a token good for nothing, after a yes."""
    sentence = f"{token.user}'s token {token.name!r} is good for nothing from now on."
    if not await ask(app, Confirm("Revoke the token?", sentence)):
        return
    done = await beside(app, lambda: app.registry.revoke_token(token.id))
    if done is not None:
        line = command("token", "revoke", token_id(token.id))
        tell(app, f"{done.user}'s token {done.name!r} is {done.state}", line, can_undo=False)


async def revoke_replica(app: "RegtuiApp", replica: "ReplicaAnswer") -> None:
    """Stop a replica from syncing, after a yes."""
    this = "\nIt is the registry that is open here." if replica.here else ""
    sentence = (
        f"{replica.user}'s on {replica.host or 'a machine'} syncs no more, for good.\n"
        f"What it has stays on its machine.{this}"
    )
    if not await ask(app, Confirm("Revoke the replica?", sentence)):
        return
    done = await beside(app, lambda: app.registry.revoke_replica(replica.id))
    if done is not None:
        line = command("replica", "revoke", replica.id[:DIGITS])
        tell(app, f"the replica {replica.id[:DIGITS]} is {done.state}", line, can_undo=False)


async def approve_machine(app: "RegtuiApp") -> None:
    """Sign in another machine as this person, by the code that it shows."""
    hint = "what the other machine shows; it will act as you"
    code = await ask(app, Prompt("Let a machine in", hint))
    if not code or not code.strip():
        return
    name = await beside(app, lambda: app.registry.settle_device(code, approves=True))
    if name is not None:
        line = command("login", "--approve", code.strip())
        tell(app, f"{name} is signed in as you", line, can_undo=False)


def _holders(registry: Registry) -> list[Choice]:
    people = [
        Choice(one.name, one.name, one.display_name or "")
        for one in registry.users()
        if one.state == "active"
    ]
    teams = [
        Choice(f"team:{one.name}", f"team:{one.name}", ", ".join(one.members))
        for one in registry.teams()
        if one.state == "active"
    ]
    return people + teams


def _wrong_scope(text: str) -> str | None:
    try:
        scope_key(text.strip())
    except BadInput as error:
        return error.message
    return None
