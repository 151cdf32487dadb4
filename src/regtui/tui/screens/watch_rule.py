"""How a folder is watched: a form with what would be captured of the folder now, as one types."""

import asyncio
from typing import TYPE_CHECKING

from msgspec import structs
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Label, Static

from regtui.core.errors import NotFound, RegtuiError
from regtui.registry.watch_rules import WatchRule, checked
from regtui.tui.background import start
from regtui.tui.safe_text import safe

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.registry.watch_test import Explained

PAUSE = 0.3
"""Seconds without typing after which the folder is looked at."""

FIELDS = (
    ("model", "Model", "as its trainer calls it; {parent}/{run}, {stem} … may stand in it"),
    ("keep", "Keep", "all, final, last N, best N, every N steps; several with commas"),
    ("exclude", "Leave out", "names or paths, such as *.tmp or old; several with commas"),
    ("parents", "Made from", "versions, such as team/base@3; several with commas"),
    ("inputs", "Datasets", "such as reviews=s3://data/reviews.csv; several with commas"),
    ("without", "Without", "of the context: git, diff, command, environment, packages, hardware"),
)
"""Each field of a rule: its name, what it is called, and what a good answer looks like."""


class RuleForm(ModalScreen[WatchRule | None]):
    """Asks how to watch a folder; None where the person went back.

    Args:
        registry: Explains what would be captured.
        rule: What stands there at first.
        is_new: Whether it is not watched yet.
    """

    CSS_PATH = "../styles/watch.tcss"
    BINDINGS = [("escape", "back", "Back"), ("ctrl+s", "take", "Save")]

    def __init__(self, registry: "Registry", rule: WatchRule, *, is_new: bool) -> None:
        super().__init__()
        self._registry = registry
        self._rule = rule
        self._is_new = is_new

    def compose(self) -> ComposeResult:
        """Compose the fields, and what would be captured."""
        values = {
            "model": self._rule.model or "",
            "keep": self._rule.keep,
            "exclude": ", ".join(self._rule.exclude),
            "parents": ", ".join(self._rule.parents),
            "inputs": ", ".join(self._rule.inputs),
            "without": ", ".join(self._rule.without),
        }
        with Vertical(id="rule") as box:
            box.border_title = Text(
                f"{'Watch' if self._is_new else 'How to watch'} {self._rule.path}"
            )
            box.border_subtitle = "tab goes on, enter or ctrl+s keeps it, esc goes back"
            for name, title, hint in FIELDS:
                yield Label(title)
                yield Input(
                    values[name], placeholder=hint, select_on_focus=False, id=f"rule-{name}",
                    compact=True,
                )  # fmt: skip
            yield Static("", id="rule-summary", markup=False)
            with VerticalScroll(id="rule-preview"):
                yield Static("", id="rule-lines", markup=False)

    def on_mount(self) -> None:
        """Look at the folder."""
        self.query_one("#rule-model", Input).focus()
        start(self, self._look, 0.0, group="look")

    @property
    def rule(self) -> WatchRule:
        """The rule as it is typed."""
        texts = {
            name: self.query_one(f"#rule-{name}", Input).value.strip() for name, _, _ in FIELDS
        }
        return structs.replace(
            self._rule,
            model=texts["model"] or None,
            keep=texts["keep"] or "all",
            exclude=_several(texts["exclude"]),
            parents=_several(texts["parents"]),
            inputs=_several(texts["inputs"]),
            without=_several(texts["without"]),
        )

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        start(self, self._look, PAUSE, group="look")

    async def _look(self, pause: float) -> None:
        """Show what would be captured by what is typed."""
        from regtui.tui.acts.watching import lines, summary

        await asyncio.sleep(pause)
        rule = self.rule
        try:
            told = await asyncio.to_thread(self._explain, rule)
        except NotFound:
            self._show("the folder is not there; it is watched from when it comes", [])
        except RegtuiError as error:
            self._show(error.message + (f"; {error.hint}" if error.hint else ""), [], wrong=True)
        else:
            self._show(summary(told), lines(told))

    def _explain(self, rule: WatchRule) -> "Explained":
        rule = checked(rule)
        return self._registry.watch_test(rule.path, rule=rule)

    def _show(self, line: str, told: list[str], *, wrong: bool = False) -> None:
        shown = self.query_one("#rule-summary", Static)
        shown.update(safe(line))
        shown.set_class(wrong, "-problem")
        self.query_one("#rule-lines", Static).update(safe("\n".join(told)))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_take()

    def action_take(self) -> None:
        """Keep the rule, where nothing is wrong with it."""
        start(self, self._take, group="take")

    async def _take(self) -> None:
        try:
            rule = await asyncio.to_thread(checked, self.rule)
        except RegtuiError as error:
            self._show(error.message + (f"; {error.hint}" if error.hint else ""), [], wrong=True)
        else:
            self.dismiss(rule)

    def action_back(self) -> None:
        """Go back without an answer."""
        self.dismiss(None)


def _several(text: str) -> tuple[str, ...]:
    return tuple(part for part in (part.strip() for part in text.split(",")) if part)
