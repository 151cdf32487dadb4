"""`regtui-server` and its groups."""

import typer

from sync_server.commands import (
    backup,
    doctor,
    gc,
    grants,
    heal,
    init,
    operations,
    run,
    teams,
    tokens,
    users,
    webhooks,
)

app = typer.Typer(
    name="regtui-server",
    help="The shared server of regtui: one small process that decides for a team.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("init")(init.init)
app.command("run")(run.run)
app.add_typer(users.app, name="user")
app.add_typer(teams.app, name="team")
app.add_typer(grants.app, name="grant")
app.add_typer(tokens.app, name="token")
app.add_typer(backup.app, name="backup")
app.command("restore")(backup.restore)
app.command("heal")(heal.heal)
app.command("doctor")(doctor.doctor)
app.command("gc")(gc.gc)
app.add_typer(operations.app, name="ops")
app.add_typer(webhooks.app, name="webhook")
