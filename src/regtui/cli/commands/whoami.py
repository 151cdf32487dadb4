"""`regtui whoami`."""

from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS
from regtui.core.errors import NotFound
from regtui.registry.figures import roles_text

app = single()


@app.command()
def whoami() -> None:
    """Tell who acts here, and what he may do."""
    registry = SETTINGS.registry()
    try:
        remote = registry.remote()
    except NotFound:
        remote = None
    if remote is None or remote.user is None:
        name, roles, url = registry.context.actor.name, [("admin", "*")], None
    else:
        name, roles, url = remote.user, remote.roles, remote.url
    if SETTINGS.json:
        emit({"user": name, "roles": roles, "remote": url})
        return
    say(f"{name}: {roles_text(roles)}")
