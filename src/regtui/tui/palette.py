"""The palette: every action that can be done from where one is, found by its words."""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode

from regtui.tui.acting import Acting
from regtui.tui.actions import SCOPES, Action, of_scope
from regtui.tui.key_names import all_keys_of

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


class ActionProvider(Provider):
    """Gives the actions of where the focus was."""

    async def startup(self) -> None:
        """Find out what can be done before the palette takes the focus."""
        self._found = list(self._actions())

    async def discover(self) -> Hits:
        """Give all of them."""
        for action, node in self._found:
            run = partial(self._app.do_action, action.id, node)
            yield DiscoveryHit(self._line(action), run, help=action.help)

    async def search(self, query: str) -> Hits:
        """Give those whose words match."""
        matcher = self.matcher(query)
        for action, node in self._found:
            line = self._line(action)
            score = max(matcher.match(line), matcher.match(action.help))
            if score > 0:
                run = partial(self._app.do_action, action.id, node)
                yield Hit(score, matcher.highlight(line), run, help=action.help)

    @property
    def _app(self) -> "RegtuiApp":
        return cast("RegtuiApp", self.app)

    def _actions(self) -> Iterable[tuple[Action, DOMNode]]:
        focused: DOMNode = self.focused or self.screen
        nodes = list(focused.ancestors_with_self)
        seen: set[str] = set()
        beside = [node for node in self.screen.query("*") if isinstance(node, Acting)]
        for node in [*nodes, *beside, self.app]:
            if not isinstance(node, Acting):
                continue
            for scope in node.SCOPES:
                for action in of_scope(scope):
                    if action.id not in seen:
                        seen.add(action.id)
                        yield action, node

    def _line(self, action: Action) -> str:
        keys = all_keys_of(self._app, action)
        return f"{action.text} ({keys}) · {SCOPES[action.scope].lower()}"
