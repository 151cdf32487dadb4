"""`regtui review`."""

from typing import Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.promotion_text import request_text
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput

app = single()


VERDICTS = {"approve": "approve", "reject": "reject", "clear": "none"}


@app.command()
def review(
    request: Annotated[
        str, typer.Argument(help="Its short name.", autocompletion=complete.requests)
    ],
    verdict: Annotated[
        str,
        typer.Argument(metavar="approve|reject|clear|comment", autocompletion=complete.verdicts),
    ],
    text: Annotated[str, typer.Option("--text", "-m", help="Why, or what you say.")] = "",
) -> None:
    """Approve or reject a promotion request, or say something to it.

    An approval is bound to what you see: it does not count any more when the version, the target,
    a policy or what it read is another one.
    """
    registry = SETTINGS.registry()
    if verdict == "comment":
        said = registry.add_comment(f"request:{request}", text)
        if SETTINGS.json:
            emit({"comment": said})
            return
        say(f"commented on {request}")
        return
    if verdict not in VERDICTS:
        raise BadInput(f"there is no verdict {verdict!r}", "approve, reject, clear or comment")
    found = registry.review(request, VERDICTS[verdict], text)
    if SETTINGS.json:
        emit({"request": found})
        return
    say(request_text(found))
