"""Publishing: a registry that decided for itself so far joins a server with all that it holds."""

from typing import TYPE_CHECKING

from regtui.core.errors import NotFound
from regtui.core.wording import count_text
from regtui.tui.acts.asking import ask
from regtui.tui.acts.beside import beside
from regtui.tui.acts.telling import command, tell
from regtui.tui.background import in_background
from regtui.tui.safe_text import one_line
from regtui.tui.screens.prompt import Confirm

if TYPE_CHECKING:
    from regtui.registry.publishing import Publication, PublishedModel
    from regtui.tui.app import RegtuiApp

SHOWN = 6
"""Models, and operations that would be refused, that the question lists."""


async def publish(app: "RegtuiApp") -> None:
    """Tell what publishing the registry does, and do it after a yes; signs in first."""
    from regtui.tui.acts.signing_in import sign_in

    app.notify("looking what publishing would do …", timeout=3)
    try:
        planned = await in_background(lambda: app.registry.publish(dry_run=True))
    except NotFound:  # nobody is signed in; that leads here again
        await sign_in(app)
        return
    title = f"Publish this registry at {planned.url}?"
    if not await ask(app, Confirm(title, "\n".join(lines(planned)))):
        return
    app.notify("publishing …", timeout=10)
    done = await beside(app, app.registry.publish)
    if done is not None:
        what = f"{count_text(done.operations, 'operation')} published as {done.user}"
        tell(app, what, command("sync", "--publish"), can_undo=False)
        await app.syncing.now()


def lines(planned: "Publication") -> list[str]:
    """Return what publishing does, line by line."""
    count, where = count_text(planned.operations, "operation"), planned.registry
    found = [f"{count} become {planned.user}'s in the registry {where}, which then decides."]
    found += ["This can't be undone.", "", *map(_line, planned.models[:SHOWN])]
    if len(planned.models) > SHOWN:
        found.append(f"  and {count_text(len(planned.models) - SHOWN, 'model')} more")
    if planned.conflicts:
        found.append(f"{count_text(planned.conflicts, 'value')} become conflicts there")
    if planned.left_out:
        left = count_text(planned.left_out, "operation")
        found.append(f"{left} of grants and the like are left out")
    found += [f"refused: {one.kind}: {one_line(one.reason)}" for one in planned.refused[:SHOWN]]
    return found


def _line(model: "PublishedModel") -> str:
    there = ", the model is there already" if model.exists else ""
    first = model.renumbered[0] if model.renumbered else None
    number = "" if first is None else f", {first.old} becomes {first.new}"
    return f"  {one_line(model.name)}  {count_text(model.versions, 'version')}{there}{number}"
