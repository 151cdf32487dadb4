"""Safe text: what people wrote, as it can be painted.

Names, cards and comments may hold anything, and a character that steers a terminal must never reach
it: an escape sequence in a card could write to the clipboard of whoever reads it.
"""

KEPT = "\n\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}"
"""What people's texts hold and `str.isprintable` denies."""


def safe(text: str) -> str:
    """Return a text of any number of lines without what steers a terminal."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\t", "    ")
    return "".join(c if c.isprintable() or c in KEPT else "\N{REPLACEMENT CHARACTER}" for c in text)


def one_line(text: str) -> str:
    """Return a text as one line without what steers a terminal."""
    return " ".join(safe(text).split("\n"))
