"""`regtui remote add | show | move | rm`."""

from typing import Annotated

import typer

from regtui.cli.commands import group
from regtui.cli.output import emit, say
from regtui.cli.remote_document import remote_document
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text
from regtui.registry.answers import iso
from regtui.registry.figures import age_text, roles_text

app = group("Name the server that decides, and tell how it stands.")


@app.command()
def add(url: Annotated[str, typer.Argument(metavar="URL", help="https://HOST[:PORT]")]) -> None:
    """Name the server; `regtui login` joins it."""
    remote = SETTINGS.registry().add_remote(url)
    if SETTINGS.json:
        emit({"remote": remote_document(remote)})
        return
    say(f"the remote is {remote.url}; `regtui login` joins it")


@app.command()
def show() -> None:
    """Tell which server it is, who acts there, and how it was found last."""
    remote = SETTINGS.registry().remote()
    if SETTINGS.json:
        emit({"remote": remote_document(remote)})
        return
    say(f"{remote.url}  {remote.state}")
    if remote.user is not None:
        say(f"{remote.user} in the registry {remote.registry}: {roles_text(remote.roles)}")
    if remote.synced is not None:
        say(f"last sync {age_text(iso(remote.synced * 1000))}")
    if remote.pending or remote.refused:
        waits, refused = count_text(remote.pending, "change"), remote.refused
        say(f"{waits} to send, {refused} refused; `regtui outbox ls` lists them")


@app.command()
def move(url: Annotated[str, typer.Argument(metavar="URL", help="https://HOST[:PORT]")]) -> None:
    """Follow the server to another address; it has to be the same one."""
    remote = SETTINGS.registry().move_remote(url)
    if SETTINGS.json:
        emit({"remote": remote_document(remote)})
        return
    say(f"the remote is {remote.url} from now on")


@app.command()
def rm() -> None:
    """Forget the server, as long as its registry was not joined."""
    url = SETTINGS.registry().remove_remote()
    if SETTINGS.json:
        emit({"removed": url})
        return
    say(f"{url} is no remote any more")
