"""What a dossier is made of, whatever it is written as."""

from collections.abc import Sequence

from msgspec import Struct


class Facts(Struct, frozen=True):
    """Names with their values; what has no value is left out."""

    pairs: Sequence[tuple[str, str]]


class Table(Struct, frozen=True):
    """Rows under headings."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


class Paragraph(Struct, frozen=True):
    """A sentence or more."""

    text: str


class Card(Struct, frozen=True):
    """A text in Markdown that somebody wrote."""

    text: str


Block = Facts | Table | Paragraph | Card


class Section(Struct, frozen=True):
    """Some blocks under a heading; one without blocks says that there is nothing."""

    title: str
    blocks: Sequence[Block]
    nothing: str = "None."


class Dossier(Struct, frozen=True):
    """All of it.

    Attributes:
        title: What it is about.
        made: A sentence: when, from which registry, up to which operation.
        sections: In their order.
    """

    title: str
    made: str
    sections: Sequence[Section]
