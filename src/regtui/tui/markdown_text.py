"""Markdown as rich paints it, in the app's own terms.

Textual's widget mounts a widget a paragraph, which takes seconds for a long card and blocks the
keys meanwhile. rich makes lines of it in any thread. Whatever a card holds, nothing of it is
loaded, run or followed: an image is its caption, a link shows its address, HTML is left out.
"""

import re
from typing import ClassVar

from markdown_it.token import Token
from msgspec import Struct
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.padding import Padding
from rich.text import Text

from regtui.tui.safe_text import safe

LONGEST = 50_000
"""Characters of a text that are shown."""

_LINK = re.compile(r"(?:https?|ftp)://[^\s<>()\[\]\"'`]+[^\s<>()\[\]\"'`.,;:!?]")

_KEY = re.compile(r"^([A-Za-z_][\w .-]*):(?:\s+(.*))?$")


class Card(Struct, frozen=True):
    """A card taken apart: what its front matter states, and the text below."""

    facts: dict[str, str]
    text: str


def read_card(card: str) -> Card:
    """Take a card apart.

    Front matter is YAML, of which plain entries and lists of them are understood; what is nested
    deeper is shown as it was written, on one line.
    """
    lines = safe(card[: 2 * LONGEST]).split("\n")
    if lines[0].strip() != "---":
        return Card({}, "\n".join(lines))
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() in {"---", "..."}), None)
    if end is None:
        return Card({}, "\n".join(lines))
    facts: dict[str, list[str]] = {}
    name = ""
    for line in lines[1:end]:
        found = _KEY.match(line)
        if found is not None:
            name = found[1].strip()
            facts[name] = [_bare(found[2])] if found[2] else []
        elif name and line.strip() and not line.lstrip().startswith("#"):
            facts[name].append(_bare(line.strip().removeprefix("- ")))
    return Card(
        {name: ", ".join(values) for name, values in facts.items()},
        "\n".join(lines[end + 1 :]).strip("\n"),
    )


def links(card: str) -> list[str]:
    """Return the addresses in a card, each once, in their order."""
    return list(dict.fromkeys(_LINK.findall(safe(card))))


def _bare(value: str) -> str:
    """Return a plain YAML value without its quotes, and a list in brackets without these."""
    value = value.strip()
    if value.startswith("[") and value.endswith("]"):
        return ", ".join(_bare(part) for part in value[1:-1].split(",") if part.strip())
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


class _Heading(Heading):
    """A heading on the left, where one reads."""

    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {}


class _Code(CodeBlock):
    """Code as it is: colours of a theme of its own would not suit the app's."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        code = Text(str(self.text).rstrip(), style="markdown.code_block", overflow="fold")
        yield Padding(code, (0, 2))


class MarkdownText:
    """A text of somebody, in Markdown; plain where rich can't make anything of it.

    It is read when it is painted, in the thread that paints it.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = safe(self._text[:LONGEST])
        if len(self._text) > LONGEST:
            shown += "\n\n*… the rest is left out here*"
        try:
            yield from list(_Parsed(shown).__rich_console__(console, options))
        except Exception:  # noqa: BLE001 -- a text of anybody, nested as deeply as it likes
            yield Text(shown)


class _Parsed(Markdown):
    """Markdown in which nothing is loaded, and nothing leads anywhere."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
    }

    def __init__(self, text: str) -> None:
        super().__init__(text, hyperlinks=False)
        for token in self.parsed:
            for child in token.children or ():
                if child.type == "image":
                    _caption(child)


def _caption(image: Token) -> None:
    """Make text of an image, in its place within the line."""
    caption = " ".join(image.content.split())
    image.type, image.tag, image.children = "text", "", None
    image.content = f"[image: {caption}]" if caption else "[image]"
