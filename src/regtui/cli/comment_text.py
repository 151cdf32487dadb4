"""Comments as people read them."""

from typing import TYPE_CHECKING

from regtui.registry.figures import age_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registry.answers_records import CommentAnswer

DIGITS = 8
"""Of an id, that people see: the end of it, for ids of comments begin with their time."""


def shown(found: "Sequence[CommentAnswer]") -> list[str]:
    """Return comments as people read them: who, about what, when, and the text below."""
    return [f"{_heading(comment)}\n{_indented(comment.text)}" for comment in found]


def _heading(comment: "CommentAnswer") -> str:
    about = comment.model if comment.number is None else f"{comment.model}@{comment.number}"
    edited = "" if comment.edited is None else f", edited {age_text(comment.edited)} ago"
    age = f"{age_text(comment.created)} ago{edited}"
    return f"{comment.id[-DIGITS:]}  {comment.author} on {about}, {age}"


def _indented(text: str) -> str:
    import textwrap

    lines = [
        part
        for line in text.splitlines()
        for part in textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return "\n".join("  " + line for line in lines)
