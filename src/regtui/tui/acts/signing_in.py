"""Signing in: the server's address, the token that an admin gave, and the way out again."""

from typing import TYPE_CHECKING

from regtui.core.errors import BadInput, RegtuiError
from regtui.core.wording import count_text
from regtui.registry.remote import checked_address
from regtui.tui.acts.asking import ask
from regtui.tui.acts.beside import beside
from regtui.tui.acts.telling import command, tell
from regtui.tui.screens.device import DeviceCode
from regtui.tui.screens.prompt import Choice, Chooser, Confirm, Prompt

if TYPE_CHECKING:
    from regtui.registry.remote import RemoteAnswer
    from regtui.tui.app import RegtuiApp

ADDRESS = "its address, such as https://models.example.org"
TOKEN = "the token that an admin gave you; it is not shown"  # noqa: S105 -- a hint


async def get_ready(app: "RegtuiApp") -> None:
    """Do what is missing before this registry can be synced."""
    from regtui.tui.acts.publishing import publish

    remote = app.status.remote
    if remote is None:
        await connect(app)
    elif remote.is_solo:
        await publish(app)
    else:
        await sign_in(app)


async def connect(app: "RegtuiApp") -> None:
    """Ask for the server that shall decide, and sign in to it."""
    address = await ask(app, Prompt("Connect to a server", ADDRESS, check=_wrong_address))
    if not address:
        return
    remote = await app.act(lambda registry: registry.add_remote(address))
    if remote is not None:
        await app.look_again()
        tell(app, f"the server is {remote.url}", command("remote", "add", address), can_undo=False)
        await sign_in(app)


async def sign_in(app: "RegtuiApp") -> None:
    """Sign in by a token or a code, and read the registry."""
    remote = await beside(app, app.registry.remote)
    if remote is None:
        return
    ways = [
        Choice("token", "with a token", "that an admin gave you"),
        Choice("code", "with a code", "where you are signed in on another machine"),
    ]
    way = await ask(app, Chooser(f"Sign in to {remote.url}", ways))
    if way is None:
        return
    joined = await (_by_token if way == "token" else _by_code)(app, remote.url)
    if joined is not None:
        await app.look_again()
        # Without the token: what is on the screen may be seen by others.
        tell(app, f"signed in as {joined.user}", command("login"), can_undo=False)
        if joined.is_solo:
            from regtui.tui.acts.publishing import publish

            await publish(app)
        else:
            await app.syncing.now()


async def _by_token(app: "RegtuiApp", url: str) -> "RemoteAnswer | None":
    token = await ask(app, Prompt(f"Sign in to {url}", TOKEN, is_secret=True))
    if token is None or not token.strip():
        return None
    app.notify("signing in …", timeout=2)
    return await beside(app, lambda: app.registry.login(token.strip()))


async def _by_code(app: "RegtuiApp", url: str) -> "RemoteAnswer | None":
    waiting = await beside(app, app.registry.begin_device)
    if waiting is None:
        return None
    found = await ask(app, DeviceCode(app.registry, url, waiting))
    if isinstance(found, RegtuiError):
        app.show_error(found)
        return None
    return found


async def sign_out(app: "RegtuiApp") -> None:
    """Sign out, after a yes; what is here stays."""
    remote = app.status.remote
    if remote is None:
        return
    waits = f"\n{count_text(remote.pending, 'change')} wait till then." if remote.pending else ""
    sentence = f"The token is revoked. What is here stays; sign in again to sync.{waits}"
    if not await ask(app, Confirm(f"Sign out of {remote.url}?", sentence)):
        return
    url = await beside(app, app.registry.logout)
    await app.look_again()  # also where the server did not hear of it
    if url is not None:
        tell(app, f"signed out of {url}", command("logout"), can_undo=False)


async def forget_server(app: "RegtuiApp") -> None:
    """Forget the address of a server that was not joined."""
    url = await app.act(lambda registry: registry.remove_remote())
    if url is not None:
        await app.look_again()
        tell(app, f"{url} is no remote any more", command("remote", "rm"), can_undo=False)


def _wrong_address(text: str) -> str | None:
    try:
        checked_address(text.strip())
    except (BadInput, ValueError) as error:
        return str(error)
    return None
