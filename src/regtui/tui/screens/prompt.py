"""Prompts: one line to type, a choice to make, a yes or no."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

Check = Callable[[str], str | None]
"""Returns what is wrong with a text, in one sentence; None where nothing is."""


class Prompt(ModalScreen[str | None]):
    """Asks for one line; None where the person went back.

    Args:
        title: What is asked for.
        hint: What a good answer looks like.
        value: What stands there at first.
        check: Is asked at every key what is wrong; only an answer without fault is taken.
        is_secret: Whether what is typed is not shown.
    """

    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [("escape", "dismiss", "Back")]

    def __init__(
        self,
        title: str,
        hint: str = "",
        *,
        value: str = "",
        check: Check | None = None,
        is_secret: bool = False,
    ) -> None:
        super().__init__()
        self._title = title
        self._hint = hint
        self._value = value
        self._check = check
        self._is_secret = is_secret

    def compose(self) -> ComposeResult:
        """Compose title, line and hint."""
        with Vertical(classes="prompt") as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "enter takes it, esc goes back"
            yield Input(value=self._value, select_on_focus=False, password=self._is_secret)
            yield Static(Text(self._hint), classes="prompt--hint")

    @on(Input.Changed)
    def _look(self, event: Input.Changed) -> None:
        problem = self._check(event.value) if self._check and event.value else None
        hint = self.query_one(".prompt--hint", Static)
        hint.update(Text(problem or self._hint))
        hint.set_class(problem is not None, "-problem")

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        if self._check is None or self._check(event.value) is None:
            self.dismiss(event.value)

    def action_dismiss(self) -> None:  # type: ignore[override]
        """Go back without an answer."""
        self.dismiss(None)


class Choice(Struct, frozen=True):
    """One thing to choose: what it is called, what stands beside it, and why it can't be chosen."""

    id: str
    text: str
    note: str = ""
    why_not: str | None = None


class Chooser(ModalScreen[str | None]):
    """Asks for one of several; None where the person went back. Typing narrows them down."""

    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [
        ("escape", "back", "Back"),
        ("down,ctrl+n", "move(1)", "Down"),
        ("up", "move(-1)", "Up"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], *, typed: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._typed = typed

    def compose(self) -> ComposeResult:
        """Compose the line to type in and the list."""
        with Vertical(classes="prompt -list") as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "enter takes it, esc goes back"
            yield Input(value=self._typed, placeholder="type to narrow down")
            yield OptionList(*self._options(self._typed))

    def _options(self, typed: str) -> list[Option]:
        words = typed.lower().split()
        return [
            self._option(choice)
            for choice in self._choices
            if all(word in f"{choice.text} {choice.note}".lower() for word in words)
        ]

    @staticmethod
    def _option(choice: Choice) -> Option:
        line = Text.assemble(choice.text, ("  " + (choice.why_not or choice.note), "dim"))
        return Option(line, id=choice.id, disabled=choice.why_not is not None)

    @on(Input.Changed)
    def _narrow(self, event: Input.Changed) -> None:
        listed = self.query_one(OptionList)
        listed.clear_options()
        listed.add_options(self._options(event.value))
        if listed.option_count:
            listed.highlighted = 0

    def on_mount(self) -> None:
        """Put the cursor on the first choice."""
        listed = self.query_one(OptionList)
        if listed.option_count:
            listed.highlighted = 0

    @on(Input.Submitted)
    def _take(self, event: Input.Submitted) -> None:
        event.stop()
        listed = self.query_one(OptionList)
        if listed.highlighted is not None:
            listed.action_select()

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(event.option.id)

    def action_move(self, by: int) -> None:
        """Move in the list while the cursor stays in the line."""
        listed = self.query_one(OptionList)
        (listed.action_cursor_down if by > 0 else listed.action_cursor_up)()

    def action_back(self) -> None:
        """Go back without a choice."""
        self.dismiss(None)


class Confirm(ModalScreen[bool]):
    """Asks whether to do what a sentence says. The key that confirms is not one that starts."""

    CSS_PATH = "../styles/prompt.tcss"
    BINDINGS = [
        ("y", "answer(True)", "Yes"),
        ("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, title: str, sentence: str) -> None:
        super().__init__()
        self._title = title
        self._sentence = sentence

    def compose(self) -> ComposeResult:
        """Compose the question."""
        with Vertical(classes="prompt") as box:
            box.border_title = Text(self._title)
            box.border_subtitle = "y does it, n or esc goes back"
            yield Static(Text(self._sentence))

    def action_answer(self, answer: bool) -> None:
        """Answer."""
        self.dismiss(answer)
