"""A choice of names that are there, or a new one that is typed."""

from collections.abc import Callable, Sequence

from textual.widgets import Input
from textual.widgets.option_list import Option

from regtui.tui.screens.prompt import Choice, Chooser

Make = Callable[[str], Choice]
"""Returns the choice of a new name."""


class NewOrChooser(Chooser):
    """Asks for one of several, or for a new one; None where the person went back.

    Args:
        title: What is asked for.
        choices: What there is.
        make: Gives the choice of what is typed where none of `choices` is called so.
    """

    def __init__(self, title: str, choices: Sequence[Choice], make: Make) -> None:
        super().__init__(title, choices)
        self._make = make

    def on_mount(self) -> None:
        """Say what can be typed."""
        super().on_mount()
        self.query_one(Input).placeholder = "type a name: one of these or a new one"

    def _options(self, typed: str) -> list[Option]:
        found = super()._options(typed)
        name = typed.strip()
        if name and all(choice.text.lower() != name.lower() for choice in self._choices):
            found.append(self._option(self._make(name)))
        return found
