"""`regtui logout`."""

from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.settings import SETTINGS

app = single()


@app.command()
def logout() -> None:
    """Sign out of the remote; what is here stays."""
    url = SETTINGS.registry().logout()
    if SETTINGS.json:
        emit({"url": url})
        return
    say(f"signed out of {url}")
