"""People: users and teams of the server, by whoever administrates it."""

from typing import TYPE_CHECKING

from regtui.tui.acts.asking import ask
from regtui.tui.acts.beside import beside
from regtui.tui.acts.telling import command, tell
from regtui.tui.screens.prompt import Confirm, Prompt

if TYPE_CHECKING:
    from regtui.registry.answers_access import TeamAnswer, UserAnswer
    from regtui.tui.app import RegtuiApp

NAME = "one word"
MEMBERS = "names of users, with spaces between"


async def add_user(app: "RegtuiApp") -> None:
    """Make somebody known to the server."""
    name = await ask(app, Prompt("Add a person", f"{NAME}; a grant then lets him see models"))
    if not name or not name.strip():
        return
    found = await beside(app, lambda: app.registry.add_user(name.strip()))
    if found is not None:
        user, is_new = found
        what = (
            f"{user.name} may sign in with a token" if is_new else f"{user.name} is there already"
        )
        tell(app, what, command("user", "add", user.name), can_undo=False)


async def rename_user(app: "RegtuiApp", user: "UserAnswer") -> None:
    """Change what somebody is called."""
    title = f"What is {user.name} called?"
    text = await ask(app, Prompt(title, "roles stay with the name", value=user.display_name or ""))
    if text is None or text.strip() == (user.display_name or ""):
        return
    called = text.strip()
    done = await beside(app, lambda: app.registry.change_user(user.name, display_name=called))
    if done is not None:
        line = command("user", "set", user.name, "--display-name", called)
        tell(app, f"{user.name} is called {called or user.name}", line, can_undo=False)


async def turn_user(app: "RegtuiApp", user: "UserAnswer") -> None:
    """Disable somebody, after a yes, or enable him again."""
    disables = user.state == "active"
    sentence = "Tokens stop being good at once. What was done stays; enabling brings all back."
    if disables and not await ask(app, Confirm(f"Disable {user.name}?", sentence)):
        return
    state = "disabled" if disables else "active"
    done = await beside(app, lambda: app.registry.change_user(user.name, state=state))
    if done is not None:
        line = command("user", "set", user.name, "--state", state)
        tell(app, f"{user.name} is {done.state}", line, can_undo=False)


async def add_team(app: "RegtuiApp") -> None:
    """Make a team."""
    name = await ask(app, Prompt("Make a team", NAME))
    if not name or not name.strip():
        return
    team = name.strip()
    members = await ask(app, Prompt(f"Who is in {team}?", MEMBERS))
    if members is not None:
        await _put_team(app, team, members.split(), [])


async def edit_team(app: "RegtuiApp", team: "TeamAnswer") -> None:
    """Change who is in a team."""
    value = " ".join(team.members)
    text = await ask(app, Prompt(f"Who is in {team.name}?", MEMBERS, value=value))
    if text is None:
        return
    before, now = set(team.members), set(text.split())
    if before != now:
        await _put_team(app, team.name, sorted(now - before), sorted(before - now))


async def turn_team(app: "RegtuiApp", team: "TeamAnswer") -> None:
    """Delete a team, after a yes, or restore it."""
    deletes = team.state == "active"
    sentence = "Its members lose what they may do by it alone. It can be restored."
    if deletes and not await ask(app, Confirm(f"Delete the team {team.name}?", sentence)):
        return
    state = "deleted" if deletes else "active"
    done = await beside(app, lambda: app.registry.put_team(team.name, state=state))
    if done is not None:
        line = command("team", "delete" if deletes else "restore", team.name)
        tell(app, f"the team {team.name} is {done.state}", line, can_undo=False)


async def _put_team(app: "RegtuiApp", name: str, add: list[str], remove: list[str]) -> None:
    done = await beside(app, lambda: app.registry.put_team(name, add=add, remove=remove))
    if done is None:
        return
    lines = [command("team", "add", name, *add)] if add else []
    lines += [command("team", "rm", name, *remove)] if remove else []
    members = ", ".join(done.members) or "nobody"
    line = "; ".join(lines) or command("team", "put", name)
    tell(app, f"in {done.name}: {members}", line, can_undo=False)
