"""The third screen: promotion requests, what each gate says of them, and what people say.

Open requests are read whenever the registry changes, for somebody has to look at each of them;
those that have ended when somebody looks at the tab of all. What is under the cursor is told beside
or below: the metrics against what the target is at now, and the discussion, which are read for it
alone.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import on
from textual.containers import Container, Vertical
from textual.widget import Widget

from regtui.core.errors import NotFound
from regtui.registry import Registry
from regtui.registry.answers_production import PromotionAnswer
from regtui.registry.promotions import waits_for
from regtui.registry.side_by_side import side_by_side
from regtui.tui.actions import Action, bindings, of_scope
from regtui.tui.acts.starting import start_act
from regtui.tui.background import start
from regtui.tui.key_names import key_of
from regtui.tui.request_view import Compared, Told, blocks
from regtui.tui.screens.base import RegtuiScreen
from regtui.tui.widgets.document import DocumentView
from regtui.tui.widgets.request_table import RequestTable
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.tab_line import TabLine, TabTitle
from regtui.tui.widgets.virtual_table import VirtualTable

if TYPE_CHECKING:
    from regtui.tui.acts.reviewing import Act

MOST = 200
"""Requests that the tab of all lists, the newest ones: what their gates say is read for each."""

ON_OPEN = frozenset({"approve", "reject", "clear", "apply", "glass", "withdraw"})
"""Actions on a request that has not ended."""

NOTHING = {
    "review": "nothing waits for your review; {next} shows your own requests",
    "mine": "you asked for nothing that is open; {promote} on a version asks for a promotion",
    "all": "there is no request yet; {promote} on a version asks for a promotion",
}
"""What stands there without requests, by tab."""


class ReviewsScreen(RegtuiScreen):
    """Promotion requests."""

    NAME = "reviews"
    SCOPES = ("reviews",)
    BINDINGS = bindings("reviews")
    CSS_PATH = "../styles/reviews.tcss"

    def __init__(self) -> None:
        super().__init__()
        self._lists: dict[str, list[PromotionAnswer]] = {}
        self._told: tuple[str, Told] | None = None
        self._has_chosen = False
        self._person = ""

    def body(self) -> Iterable[Widget]:
        """Return tabs, list, and what is told of the row under the cursor."""
        with Container(id="reviews-body"):
            with Vertical(id="reviews-list"):
                yield TabLine(_titles({}))
                yield RequestTable(id="requests")
            yield DocumentView(id="request")

    def on_mount(self) -> None:
        """Go to the list."""
        self.set_focus(self.table)
        self.watch(self.app, "status", self._status_changed)

    def on_screen_resume(self) -> None:
        """Show what came while another screen was shown."""
        self.registry_changed()

    @property
    def table(self) -> RequestTable:
        """The requests of the chosen tab."""
        return self.query_one(RequestTable)

    @property
    def tabs(self) -> TabLine:
        """The tabs."""
        return self.query_one(TabLine)

    @property
    def document(self) -> DocumentView:
        """What is told of the request under the cursor."""
        return self.query_one(DocumentView)

    @property
    def current(self) -> PromotionAnswer | None:
        """The request under the cursor."""
        return self.table.current

    # What it shows

    def registry_changed(self) -> None:
        """Show what there is now."""
        start(self, self._read, group="reviews")

    def _status_changed(self) -> None:
        """Tell anew which requests are whose, once it is known who this is."""
        if self._person not in {"", self.regtui.status.person}:
            self.registry_changed()

    async def _read(self) -> None:
        found = await self.read(lambda registry: registry.promotions(), lane="list")
        if found is None:
            return
        self._person = person = self.regtui.status.person
        self._lists["review"] = [one for one in found if waits_for(one, person)]
        self._lists["mine"] = [one for one in found if one.author == person]
        if not self._has_chosen and not self._lists["review"]:
            self.tabs.choose("mine" if self._lists["mine"] else "all")
        self._has_chosen = True
        self._show()
        if self.tabs.chosen == "all":
            await self._read_all()

    async def _read_all(self) -> None:
        found = await self.read(
            lambda registry: registry.promotions(state=None, limit=MOST), lane="all"
        )
        if found is not None:
            self._lists["all"] = found
            self._show()

    def _show(self, *, stay: bool = True) -> None:
        """Show the requests of the chosen tab."""
        self.tabs.show_titles(_titles(self._lists))
        name = self.tabs.chosen
        keys = {
            "next": key_of(self.regtui, "reviews.next"),
            "promote": key_of(self.regtui, "versions.promote"),
        }
        is_known = name in self._lists
        self.table.empty = NOTHING[name].format(**keys) if is_known else "reading …"
        show_again(self.table, self._lists.get(name, []), lambda one: one.id, stay=stay)
        self._show_detail()

    @on(TabLine.Chosen)
    def _tab_chosen(self, event: TabLine.Chosen) -> None:
        event.stop()
        self._show(stay=False)
        if event.id == "all":
            start(self, self._read_all, group="all")

    @on(VirtualTable.Highlighted)
    def _moved(self, event: VirtualTable.Highlighted) -> None:
        event.stop()
        self._show_detail()

    def _show_detail(self) -> None:
        start(self, self._tell, group="detail")
        self.refresh_bindings()

    async def _tell(self) -> None:
        """Tell of the request under the cursor: what is known at once, then the rest."""
        request = self.current
        if request is None:
            await self.document.show([], stay=False)
            return
        is_same = self._told is not None and self._told[0] == request.id
        keys = self._keys()
        before = self._told[1] if is_same and self._told is not None else None
        await self.document.show(blocks(request, before, keys), stay=is_same)
        told = await self.read(lambda registry: _told(registry, request), lane="detail", quiet=True)
        if told is not None and self.current is not None and self.current.id == request.id:
            self._told = request.id, told
            await self.document.show(blocks(request, told, keys), stay=True)

    def _keys(self) -> dict[str, str]:
        keys = {one.name: key_of(self.regtui, one.id) for one in of_scope("reviews")}
        return keys | {"sync": key_of(self.regtui, "app.sync")}

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if action.scope != "reviews" or not self.is_mounted:
            return None
        if action.name in {"next", "previous"}:
            return None
        request = self.current
        if request is None:
            return "there is no request under the cursor"
        if action.name in ON_OPEN and request.state != "open":
            return f"it is {request.state}"
        from regtui.tui.acts.reviewing import why_not

        return why_not(self.regtui, request, action.name)

    def do_next(self) -> None:
        """Go to the next tab."""
        self.tabs.move(1)

    def do_previous(self) -> None:
        """Go to the tab before."""
        self.tabs.move(-1)

    def do_approve(self) -> None:
        """Approve the request."""
        from regtui.tui.acts.reviewing import approve

        self._run(approve)

    def do_reject(self) -> None:
        """Reject the request."""
        from regtui.tui.acts.reviewing import reject

        self._run(reject)

    def do_clear(self) -> None:
        """Take back what this person said to the request."""
        from regtui.tui.acts.reviewing import clear

        self._run(clear)

    def do_comment(self) -> None:
        """Say something about the request."""
        from regtui.tui.acts.reviewing import comment

        self._run(comment)

    def do_apply(self) -> None:
        """Move the target."""
        from regtui.tui.acts.reviewing import apply

        self._run(apply)

    def do_glass(self) -> None:
        """Move the target past its gates."""
        from regtui.tui.acts.reviewing import break_glass

        self._run(break_glass)

    def do_withdraw(self) -> None:
        """Take the request back."""
        from regtui.tui.acts.reviewing import withdraw

        self._run(withdraw)

    def do_compare(self) -> None:
        """Compare the version with what the target is at."""
        from regtui.tui.acts.reviewing import compare

        self._run(compare)

    def do_go(self) -> None:
        """Go to the version."""
        from regtui.tui.acts.reviewing import go

        self._run(go)

    def do_copy(self) -> None:
        """Copy the short name."""
        if self.current is not None:
            self.app.copy_to_clipboard(self.current.request)
            self.notify(f"copied {self.current.request}", timeout=3)

    @on(VirtualTable.Opened)
    def _open(self, event: VirtualTable.Opened) -> None:
        """Ask what to do with the request."""
        event.stop()
        from regtui.tui.acts.reviewing import choose

        if not self.regtui.read_only and self.current is not None and self.current.state == "open":
            start_act(self, choose, self.current)

    def _run(self, act: "Act") -> None:
        if self.current is not None:
            start_act(self, act, self.current)


def _told(registry: Registry, request: PromotionAnswer) -> Told:
    """Read what is told of one request alone."""
    wanted = [one for one in (request.current, request.version) if one is not None]
    try:
        found = side_by_side(registry.context, wanted) if wanted else None
    except NotFound:  # a request whose version is gone is told all the same
        found = None
    by_name = {} if found is None else dict(zip(wanted, found.sides, strict=True))
    current, version = (
        by_name[one].version if one in by_name else None
        for one in (request.current or "", request.version or "")
    )
    directions = {} if found is None else found.directions
    return Told(Compared(current, version, directions), registry.comments(f"request:{request.id}"))


def _titles(lists: "dict[str, list[PromotionAnswer]]") -> list[TabTitle]:
    return [
        TabTitle(name, title, short, len(lists[name]) if name in lists else None)
        for name, title, short in _TABS
    ]


_TABS = (
    ("review", "To review", "Review"),
    ("mine", "My open requests", "Mine"),
    ("all", "All requests", "All"),
)
