"""The root command: it knows every command by name and loads only the one that runs.

Help texts stand in the table, so `--help` imports no command; a test holds them to the docstrings.
"""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command as command_of

from regtui.cli.settings import common_options

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Make a sample registry with small real models to play with."),
    "ui": ("ui", "Open the app; `regtui` alone does the same on a terminal."),
    "web": ("web", "Open the app in a browser, on this machine alone."),
    "capture": ("capture", "Make a version of a file or folder."),
    "watch": ("watch", "Capture what trainers finish in folders."),
    "ls": ("ls", "List versions by query."),
    "models": ("models", "List models."),
    "show": ("show", "Show everything of a model or version."),
    "diff": ("diff", "Show how two versions differ."),
    "lineage": ("lineage", "Show what a version was made from, and what was made from it."),
    "plot": ("plot", "Draw a metric in the terminal, or into a picture."),
    "edit": ("edit", "Change values of a model or version."),
    "alias": ("alias", "Set, remove and list aliases."),
    "aliases": ("aliases", "List aliases."),
    "conflicts": ("conflicts", "List values that people set without seeing each other."),
    "resolve": ("resolve", "Settle a conflict."),
    "comment": ("comment", "Say something about a model or version."),
    "comments": ("comments", "List what was said about a version or model."),
    "dataset": ("dataset", "Make datasets known, list and remove them."),
    "log": ("log", "Tell who did what, newest first."),
    "undo": ("undo", "Take back your last change by hand, or an operation."),
    "redo": ("redo", "Take back your last undo, or the one over an operation."),
    "revert": ("revert", "Move an alias back to where it pointed before."),
    "audit": ("audit", "Prove that the history is what was done."),
    "promote": ("promote", "Ask for a target to be moved to a version; tell what it takes."),
    "request": ("request", "Look after promotion requests."),
    "requests": ("requests", "List promotion requests, newest first."),
    "review": ("review", "Approve or reject a promotion request, or say something to it."),
    "check": ("check", "Say how versions are tried, and try them."),
    "policy": ("policy", "Say what an alias or environment asks of a version."),
    "env": ("env", "Look after the environments that versions are deployed to."),
    "deploy": ("deploy", "Record what runs where, and go back."),
    "deployments": ("deployments", "List deployments, newest first."),
    "report": ("report", "Write all that is known of a model or version on one page."),
    "checkout": ("checkout", "Write the files of a version into a folder, verified."),
    "path": ("path", "Print where a file of a version is stored."),
    "verify": ("verify", "Compare stored files with their digests."),
    "sign": ("sign", "Vouch for the bytes of a version, with this replica's key."),
    "sql": ("sql", "Ask a question in SQL, read-only."),
    "model": ("model", "Create, archive, delete and restore models."),
    "version": ("version", "Archive, delete and restore versions."),
    "sync": ("sync", "Send what waits to the remote, and read what is newer there."),
    "pull": ("pull", "Fetch the files of versions from the remote."),
    "remote": ("remote", "Name the server that decides, and tell how it stands."),
    "login": ("login", "Sign in to the remote and join its registry."),
    "logout": ("logout", "Sign out of the remote; what is here stays."),
    "whoami": ("whoami", "Tell who acts here, and what he may do."),
    "user": ("user", "Look after people and service accounts on the server."),
    "team": ("team", "Look after teams, which have roles for several people."),
    "grant": ("grant", "Say who may do what where, on the server."),
    "token": ("token", "Look after tokens, by which people and machines sign in."),
    "replica": ("replica", "Look after the copies of the registry that sync."),
    "outbox": ("outbox", "Look after what waits for the server, and what it refused."),
    "gc": ("gc", "Remove stored files that no version needs any more."),
    "hook": ("hook", "Run commands when something was done to the registry."),
    "retention": ("retention", "Keep the files of some versions of a model, free the others."),
    "du": ("du", "Tell how many bytes models and versions need."),
    "backup": ("backup", "Write the whole registry into a file, and make it from one."),
    "export": ("export", "Write a version, or the whole registry, into a bundle."),
    "import": ("import_", "Take in a bundle of a version or of a registry."),
    "doctor": ("doctor", "Examine the registry, and mend it."),
}
"""Module and help of each command, in the order in which `--help` lists them."""


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 -- the base class asks
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """Return a command, imported now; None where there is no such."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"regtui.cli.commands.{COMMANDS[cmd_name][0]}")
        command = command_of(module.app)
        command.name = cmd_name
        _add_common_options(command)
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of a command line; close names are offered for a wrong one."""
        if args and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"did you mean {near[0]}?" if near else "`regtui --help` lists them"
            ctx.fail(f"there is no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Return completions without importing every command for its help."""
        from typer._click.shell_completion import CompletionItem

        names = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return names if not incomplete.startswith("-") else super().shell_complete(ctx, incomplete)


app = typer.Typer(
    cls=LazyGroup,
    rich_markup_mode=None,  # rich would cost 0.1 s for every --help
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def regtui(ctx: typer.Context, *, version: bool = typer.Option(False, "--version")) -> None:
    """The model registry that lives in a terminal and keeps working offline.

    Capture what a trainer wrote, find it again, compare it, name it, get it back.
    """
    if version:
        from regtui import __version__

        typer.echo(f"regtui {__version__}")
        raise typer.Exit
    if ctx.invoked_subcommand is None:
        from regtui.cli.terminal_app import is_terminal, run_app

        if is_terminal():
            run_app()
        else:
            typer.echo(ctx.get_help())


def root() -> Any:
    """Return the root command."""
    command = command_of(app)
    command.params.extend(common_options())
    return command


def _add_common_options(command: Any) -> None:
    command.params.extend(common_options())
    for child in getattr(command, "commands", {}).values():
        _add_common_options(child)
