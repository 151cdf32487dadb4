"""Discussion: what people said about the version, and a line to say something."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widgets import Input

from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_records import CommentAnswer
from regtui.registry.figures import age_text
from regtui.tui.acting import Acting
from regtui.tui.actions import Action, bindings
from regtui.tui.acts.comments import change_comment, say, withdraw_comment, write_comment
from regtui.tui.acts.starting import start_act
from regtui.tui.background import start
from regtui.tui.key_names import key_of
from regtui.tui.markdown_text import MarkdownText
from regtui.tui.safe_text import one_line
from regtui.tui.widgets.document import Block, DocumentView
from regtui.tui.widgets.tabs.base import DetailTab, exact

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

LONGEST = 4_000
"""Characters that fit into the line; a longer comment is for an editor."""


class CommentLine(Input):
    """One line; what is pasted with more of them, or too long, goes on in an editor."""

    @dataclass
    class Long(Message):
        """What was typed, and pasted, is for an editor."""

        text: str

    def __init__(self) -> None:
        super().__init__(
            placeholder="say something; enter posts it", max_length=LONGEST, select_on_focus=False
        )
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        """Take one line as it is."""
        if "\n" in event.text.strip() or len(self.value) + len(event.text) > LONGEST:
            event.prevent_default()
            event.stop()
            self.post_message(self.Long(self.value + event.text))


class DiscussionTab(DetailTab, Acting):
    """Comments, oldest first."""

    NAME = "discussion"
    SCOPES = ("discussion",)
    BINDINGS = bindings("discussion")
    DEFAULT_CSS = """
    DiscussionTab {
        layout: vertical;
        & DocumentView { height: 1fr; }
        & Input {
            height: 1; border: none; padding: 0 2; background: $panel;
            &:focus { border: none; background: $boost; }
        }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._version: VersionAnswer | None = None
        self._comments: list[CommentAnswer] = []

    def compose(self) -> ComposeResult:
        """Compose what was said, and the line."""
        yield DocumentView()
        yield CommentLine()

    def on_mount(self) -> None:
        """Take the line away where nothing may be changed."""
        self.line.display = not self.regtui.read_only

    @property
    def document(self) -> DocumentView:
        """What was said."""
        return self.query_one(DocumentView)

    @property
    def line(self) -> Input:
        """The line to say something in."""
        return self.query_one(Input)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version; what is typed in the line stays there."""
        comments = await self.read(lambda registry: registry.comments(exact(version)))
        is_same = self._version is not None and self._version.id == version.id
        knew = len(self._comments)
        was_at_end = self.document.is_at_end
        blocks = [
            block for one in comments for block in (Block(_comment(one), one.id), Block(Text("")))
        ]
        key = key_of(self.regtui, "discussion.comment")
        note = f"nobody said anything yet: {key} is for the first word"
        await self.document.show(blocks or [Block(Text(note, "label"))], stay=is_same)
        self._version, self._comments = version, comments
        self.refresh_bindings()
        if is_same and was_at_end and len(comments) > knew:
            self.document.do_bottom()

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._version, self._comments = None, []
        blocks = [Block(Text(one_line(note), "label"))]
        start(self, self.document.show_new, blocks, group="clear")

    def focus_first(self) -> None:
        """Go to what was said."""
        self.screen.set_focus(self.document)

    def back(self) -> bool:
        """Leave the line, with what is typed kept."""
        if not self.line.has_focus:
            return False
        self.screen.set_focus(self.document)
        return True

    # What keys do

    def why_not(self, action: Action) -> str | None:
        """Tell why an action is not possible here."""
        if self._version is None:
            return "there is no version under the cursor"
        if action.name == "comment":
            return None
        if self._current is None:
            return "put the mark on a comment first"
        if self._current.author != self.regtui.registry.context.actor.name:
            return "only who said it may change it"
        return None

    def do_comment(self) -> None:
        """Go to the line to say something in."""
        self.screen.set_focus(self.line)

    def do_edit(self) -> None:
        """Change a comment of one's own."""
        if self._current is not None:
            start_act(self, change_comment, self._current)

    def do_withdraw(self) -> None:
        """Withdraw a comment of one's own."""
        if self._current is not None:
            start_act(self, withdraw_comment, self._current)

    @on(Input.Submitted)
    async def _say(self, event: Input.Submitted) -> None:
        event.stop()
        version, text = self._version, event.value.strip()
        if version is not None and text and await say(self.regtui, version, text):
            self.line.value = ""

    @on(CommentLine.Long)
    def _write(self, event: CommentLine.Long) -> None:
        event.stop()
        if self._version is not None:
            start_act(self, self._write_on, self._version, event.text)

    async def _write_on(self, app: "RegtuiApp", version: VersionAnswer, begun: str) -> None:
        if await write_comment(app, version, begun):
            self.line.value = ""

    @property
    def _current(self) -> CommentAnswer | None:
        return next((one for one in self._comments if one.id == self.document.current), None)


def _comment(said: CommentAnswer) -> Group:
    edited = "" if said.edited is None else f", edited {age_text(said.edited)} ago"
    head = Text(one_line(said.author), "primary")
    head.append(f"  {age_text(said.created)} ago{edited}", "label")
    return Group(head, MarkdownText(said.text))
