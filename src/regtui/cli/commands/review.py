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


@app.command()
def review(
    request: Annotated[
        str, typer.Argument(help="Its short name.", autocompletion=complete.requests)
    ],
    approve: Annotated[bool, typer.Option("--approve", help="Say yes.")] = False,
    reject: Annotated[bool, typer.Option("--reject", help="Say no.")] = False,
    clear: Annotated[bool, typer.Option("--clear", help="Take back what you said.")] = False,
    text: Annotated[str, typer.Option("--text", "-m", help="Why.")] = "",
) -> None:
    """Approve or reject a promotion request.

    An approval is bound to what you see: it does not count any more when the version, the target,
    a policy or what it read is another one.
    """
    if approve + reject + clear != 1:
        raise BadInput("say one of --approve, --reject and --clear", "`regtui request show` tells")
    verdict = "approve" if approve else "reject" if reject else "none"
    found = SETTINGS.registry().review(request, verdict, text)
    if SETTINGS.json:
        emit({"request": found})
        return
    say(request_text(found))
