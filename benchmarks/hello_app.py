"""The least that an app made with Textual is: a line, and a key that changes it."""

from typing import ClassVar

from textual.app import App, ComposeResult
from textual.widgets import Static


class HelloApp(App[None]):
    """Says hello, and how often `j` was pressed."""

    BINDINGS: ClassVar = [("j", "step", "Step")]
    count = 0

    def compose(self) -> ComposeResult:
        """Compose the one line."""
        yield Static("hello, world")

    def action_step(self) -> None:
        """Count a key."""
        self.count += 1
        self.query_one(Static).update(f"step {self.count}.")


if __name__ == "__main__":
    HelloApp().run()
