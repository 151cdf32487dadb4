"""`regtui comment REF TEXT`, `regtui comment edit | rm`."""

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from regtui.cli import complete
from regtui.cli.given_text import read_given
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS
from regtui.registry.editor import edit_text


class _Saying(TyperGroup):
    """A group in which what is no command is a reference to say something about."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command; `comment REF TEXT` is short for `comment add REF TEXT`."""
        known = not args or args[0] in self.list_commands(ctx)
        return super().resolve_command(ctx, args if known else ["add", *args])


app = typer.Typer(
    cls=_Saying,
    help="Say something about a model or version.\n\n`regtui comment REF TEXT` is short for `add`.",
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
)

Text = Annotated[str | None, typer.Argument(help="- reads a pipe; without it $EDITOR opens.")]
Identity = Annotated[str, typer.Argument(metavar="ID", help="Of the comment, or the end of it.")]


@app.command()
def add(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="A model or version.", autocompletion=complete.references
        ),
    ],
    text: Text = None,
) -> None:
    """Say something about a model or version."""
    registry = SETTINGS.registry()
    if text is None:
        registry.comments(reference)  # before anybody writes in vain
    comment = registry.add_comment(reference, _text(text, ""))
    if SETTINGS.json:
        emit({"comment": comment})
        return
    say(f"commented on {reference}  {comment.id[-8:]}")


@app.command()
def edit(identity: Identity, text: Text = None) -> None:
    """Change your own comment."""
    registry = SETTINGS.registry()
    before = registry.comment(identity)
    comment, changed = registry.edit_comment(before.id, _text(text, before.text))
    if SETTINGS.json:
        emit({"comment": comment, "changed": changed})
        return
    say(f"changed {identity}" if changed else f"{identity} is so already")


@app.command("rm")
def remove(identity: Identity) -> None:
    """Withdraw your own comment; it stays in the history."""
    comment, changed = SETTINGS.registry().withdraw_comment(identity)
    if SETTINGS.json:
        emit({"comment": comment, "changed": changed})
        return
    say(f"withdrew {identity}" if changed else f"{identity} is withdrawn already")


def _text(given: str | None, before: str) -> str:
    """Return the text given, read from a pipe, or written in an editor."""
    if given is None:
        return edit_text(before, suffix=".md")
    if given != "-":
        return given
    return read_given("-")
