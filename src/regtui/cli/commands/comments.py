"""`regtui comments`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import age_text, emit, say, warn
from regtui.cli.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registry.answers_records import CommentAnswer

app = single()

DIGITS = 8
"""Of an id, that people see: the end of it, for ids of comments begin with their time."""


@app.command()
def comments(
    reference: Annotated[
        str,
        typer.Argument(
            metavar="REF", help="A model or version.", autocompletion=complete.references
        ),
    ],
) -> None:
    """List what was said about a version or model.

    Of a model these are the comments on its versions too.
    """
    found = SETTINGS.registry().comments(reference)
    if SETTINGS.json:
        emit({"comments": found})
    elif found:
        say("\n\n".join(shown(found)))
    else:
        warn(f"no comments; `regtui comment {reference} TEXT` adds one")


def shown(found: "Sequence[CommentAnswer]") -> list[str]:
    """Return comments as people read them: who, about what, when, and the text below."""
    return [f"{_heading(comment)}\n{_indented(comment.text)}" for comment in found]


def _heading(comment: "CommentAnswer") -> str:
    about = comment.model if comment.number is None else f"{comment.model}@{comment.number}"
    edited = "" if comment.edited is None else f", edited {age_text(comment.edited)} ago"
    age = f"{age_text(comment.created)} ago{edited}"
    return f"{comment.id[-DIGITS:]}  {comment.author} on {about}, {age}"


def _indented(text: str) -> str:
    import textwrap

    lines = [
        part
        for line in text.splitlines()
        for part in textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return "\n".join("  " + line for line in lines)
