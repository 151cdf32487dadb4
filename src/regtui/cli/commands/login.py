"""`regtui login`."""

import os
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, printable, say
from regtui.cli.remote_document import remote_document
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Unreachable

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.registry.remote import RemoteAnswer

app = single()

VARIABLE = "REGTUI_TOKEN"
_LONGEST = 64 << 10
"""Characters that are read of a line: no token has as many."""


@app.command()
def login(
    token: Annotated[
        str | None, typer.Option(metavar="TOKEN", help="From an admin; - reads a line.")
    ] = None,
    device: Annotated[
        bool, typer.Option("--device", help="Show a code that somebody who is signed in approves.")
    ] = False,
    approve: Annotated[
        str | None, typer.Option(metavar="CODE", help="Let the machine act for you that shows it.")
    ] = None,
    deny: Annotated[
        str | None, typer.Option(metavar="CODE", help="Refuse the machine that shows it.")
    ] = None,
) -> None:
    """Sign in to the remote and join its registry.

    Without a token, on a terminal, it is asked for; who has none shows a code instead.
    """
    if sum((token is not None, device, approve is not None, deny is not None)) > 1:
        raise BadInput("--token, --device, --approve and --deny exclude each other", "choose one")
    registry = SETTINGS.registry()
    code = deny if approve is None else approve
    if code is not None:
        _settle(registry, code, approves=approve is not None)
        return
    given = "" if device else _token(token)
    remote = registry.login(given) if given else _by_code(registry)
    if SETTINGS.json:
        emit({"remote": remote_document(remote)})
        return
    goes_on = (
        "`regtui sync --publish` sends what is here"
        if remote.is_solo
        else "`regtui sync` reads the registry"
    )
    say(f"signed in to {remote.url} as {remote.user}; {goes_on}")


def _token(token: str | None) -> str:
    """Return the token that was given; nothing where somebody at a terminal has none."""
    token = token or os.environ.get(VARIABLE)
    at_terminal = token is None and sys.stdin.isatty()
    if at_terminal:
        import getpass

        token = getpass.getpass("token (enter alone: sign in by a code): ")
    elif token in {None, "-"}:
        token = sys.stdin.readline(_LONGEST)
    token = (token or "").strip()
    if not token and not at_terminal:
        raise BadInput("no token was given", f"--token TOKEN, {VARIABLE}, or --device for a code")
    return token


def _by_code(registry: "Registry") -> "RemoteAnswer":
    if os.environ.get(VARIABLE):
        raise BadInput(f"{VARIABLE} is set and goes before who signs in here", "unset it first")
    waiting = registry.begin_device()
    minutes = round(waiting.expires_in / 60)
    _show(
        f"the code of this machine is {waiting.code}, for {minutes} minutes; "
        f"on one that is signed in, run: regtui login --approve {waiting.code}"
    )
    end = time.monotonic() + waiting.expires_in
    pause = waiting.interval
    while True:
        time.sleep(pause)
        pause = waiting.interval
        try:
            remote = registry.ask_device(waiting)
        except Unreachable as error:
            if time.monotonic() >= end:
                raise
            # The code stays good while the network is away.
            pause = max(pause, getattr(error, "after", None) or 0.0)
            continue
        if remote is not None:
            return remote


def _show(line: str) -> None:
    """Show what nobody can do without, whatever `--quiet` and `--json` say."""
    sys.stderr.write(f"regtui: {printable(line)}\n")
    sys.stderr.flush()


def _settle(registry: "Registry", code: str, *, approves: bool) -> None:
    name = registry.settle_device(code, approves=approves)
    if SETTINGS.json:
        emit({"device": name, "state": "approved" if approves else "denied"})
        return
    say(f"{name} is signed in as you" if approves else f"{name} is refused")
