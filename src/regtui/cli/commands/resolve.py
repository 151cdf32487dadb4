"""`regtui resolve`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.commands.conflicts import DIGITS, value_text
from regtui.cli.given_text import read_given
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, RegtuiError
from regtui.registry.editor import edit_text, keep

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.registry.answers_conflicts import ConflictAnswer

app = single()

TEXTS = {"card": ".md", "description": ".txt", "text": ".txt"}
"""Suffix by field, for the fields that are settled in an editor."""

CHOICES = "--theirs, --mine, --take ID or --value V"


@app.command()
def resolve(
    conflict: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Of the conflict, or its beginning.",
            autocompletion=complete.conflicts,
        ),
    ],
    theirs: Annotated[bool, typer.Option("--theirs", help="Keep what stands.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Take what you asked for.")] = False,
    take: Annotated[
        str | None, typer.Option(metavar="CANDIDATE", help="Take this candidate.")
    ] = None,
    value: Annotated[
        str | None,
        typer.Option(help="Set another value; for an alias a version. Empty takes it away."),
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Set the text in this file; - reads a pipe.")
    ] = None,
) -> None:
    """Settle a conflict.

    Without options it opens $EDITOR on both sides of a text.
    """
    if sum([theirs, mine, take is not None, value is not None, file is not None]) > 1:
        raise BadInput("only one value can be chosen", f"give one of {CHOICES}")
    registry = SETTINGS.registry()
    if theirs or mine:
        settled = registry.resolve(conflict, "accepted" if theirs else "mine")
    elif take is not None:
        settled = registry.resolve(conflict, "candidate", candidate=take)
    elif value is not None:
        settled = registry.resolve(conflict, "value", value=value or None)
    elif file is not None:
        settled = registry.resolve(conflict, "value", value=read_given(file, option="--file"))
    else:
        settled = _edited(registry, conflict)
    if SETTINGS.json:
        emit({"conflict": settled})
        return
    if settled.state == "open":  # policies protect what it is about
        about = f"{settled.about} {settled.field}"
        say(f"requested: the end of the conflict on {about}; `regtui sync` lets the server decide")
        return
    accepted = settled.accepted
    say(f"{settled.about} {settled.field}: {value_text(accepted.value, accepted.version)}")


def _edited(registry: "Registry", identity: str) -> "ConflictAnswer":
    """Open the editor on the sides of a text, and take what is saved."""
    from regtui.registry.conflict_text import is_settled, marked
    from regtui.registry.conflicts import resolved_already

    seen = registry.conflict(identity)
    if seen.state != "open":
        raise resolved_already()
    if seen.field not in TEXTS:
        named = ", ".join(
            f"{side.author}'s {str(side.id)[-DIGITS:]}: {value_text(side.value, side.version)}"
            for side in seen.candidates
        )
        raise BadInput(f"nothing is chosen; the candidates are {named}", f"give {CHOICES}")
    suffix = TEXTS[seen.field]
    shown = marked(seen)
    text = edit_text(shown, suffix=suffix)
    if not text.strip():
        raise BadInput(
            "the text is empty, so nothing is settled", "--value '' takes the value away"
        )
    if text == shown or not is_settled(text):
        where = "" if text == shown else f"; your text is in {keep(text, suffix)}"
        raise BadInput("both sides are still in the text", f"take the marks out{where}")
    try:
        given = text if seen.field == "card" else text.strip() or None
        return registry.resolve(seen.id, "value", value=given, seen=seen)
    except RegtuiError as error:
        raise type(error)(error.message, f"your text is in {keep(text, suffix)}") from error
