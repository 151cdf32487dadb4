"""`Registry`: the verbs of the registry as methods.

The face that commands, the app and Python scripts share. Its methods stand by topic in
`regtui.registry.face`; each verb stands in a module of its own and is imported when it is first
used, which keeps cold commands near their floor.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from regtui.registry.context import Context, make_context
from regtui.registry.face.carrying import CarryingVerbs
from regtui.registry.face.checking import CheckingVerbs
from regtui.registry.face.comparing import ComparingVerbs
from regtui.registry.face.content import ContentVerbs
from regtui.registry.face.editing import EditingVerbs
from regtui.registry.face.history import HistoryVerbs
from regtui.registry.face.hooking import HookVerbs
from regtui.registry.face.keeping import KeepingVerbs
from regtui.registry.face.listing import ListingVerbs
from regtui.registry.face.origins import OriginVerbs
from regtui.registry.face.people import PeopleVerbs
from regtui.registry.face.producing import ProducingVerbs
from regtui.registry.face.retaining import RetainingVerbs
from regtui.registry.face.syncing import SyncingVerbs
from regtui.registry.face.talking import TalkingVerbs
from regtui.registry.face.watching import WatchingVerbs

if TYPE_CHECKING:
    from regtui.registry.contested import Listener


class Registry(
    ContentVerbs,
    ListingVerbs,
    EditingVerbs,
    ComparingVerbs,
    OriginVerbs,
    TalkingVerbs,
    HistoryVerbs,
    CarryingVerbs,
    KeepingVerbs,
    RetainingVerbs,
    CheckingVerbs,
    HookVerbs,
    SyncingVerbs,
    PeopleVerbs,
    ProducingVerbs,
    WatchingVerbs,
):
    """A registry on this machine.

    It holds no file open: each call is a short unit of work, so any number of processes may use
    one registry at the same time. Beside what each method names, all of them may raise `Busy`
    (others held it past the deadline) and `Damaged` (the database is damaged).

    Args:
        context: What to work on; `regtui.open()` makes it.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def home(self) -> Path:
        """The folder that holds the registry."""
        return self.context.home


def open_registry(
    home: str | Path | None = None, *, via: str = "api", listener: "Listener | None" = None
) -> Registry:
    """Open a registry, made at first use.

    Args:
        home: Its folder; None for the nearest `.regtui/` upwards from here, else the user's own.
        via: What the history says the changes came from.
        listener: Is told of references through contested aliases, and may refuse them.
    """
    return Registry(make_context(None if home is None else Path(home), via, listener))
