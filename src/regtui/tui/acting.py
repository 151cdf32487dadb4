"""Acting: how a key, the palette or a click comes to the method that does an action.

A widget or screen with a scope has `bindings(scope)` and, for each action of it, `do_NAME`. Why an
action can't be done now is a sentence of `why_not`: pressing its key then says so instead of doing
nothing, and the footer shows it dimmed. That a read-only app changes nothing is seen to here, for
every action that does harm.
"""

import inspect
from typing import TYPE_CHECKING, Any, cast

from regtui.tui.actions import BY_ID, Action

if TYPE_CHECKING:
    from textual.dom import DOMNode as Base

    from regtui.tui.app import RegtuiApp
else:
    # Textual takes the default styles of the first base that is one of its nodes: were this one,
    # the app, screens and containers that act would lose theirs.
    Base = object

READ_ONLY = "this app is read-only: nothing can be changed in it"


class Acting(Base):
    """What does the actions of one scope or more.

    Attributes:
        SCOPES: The scopes whose actions it does.
    """

    SCOPES: tuple[str, ...] = ()

    @property
    def regtui(self) -> "RegtuiApp":
        """The app, as what it is."""
        return cast("RegtuiApp", self.app)

    def action_of(self, name: str) -> Action:
        """Return the action that a name means here."""
        return next(BY_ID[f"{scope}.{name}"] for scope in self.SCOPES if f"{scope}.{name}" in BY_ID)

    def why_not(self, action: Action) -> str | None:  # noqa: ARG002 -- those with a reason override it
        """Return in one sentence why an action can't be done now; None where it can."""
        return None

    def refusal(self, action: Action) -> str | None:
        """Return why an action is refused, in this app or here and now; None where it is not."""
        if action.harm != "none" and self.regtui.read_only:
            return READ_ONLY
        return self.why_not(action)

    async def action_do(self, name: str) -> None:
        """Do an action, or say why not."""
        action = self.action_of(name)
        reason = self.refusal(action)
        if reason is not None:
            self.app.notify(reason, severity="warning", timeout=4)
            return
        done: Any = getattr(self, f"do_{name}")()
        if inspect.isawaitable(done):
            await done
