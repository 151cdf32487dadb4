"""A layout: what is known of a file beyond its bytes.

It follows from the file's bytes, from the program's readers, and from the suffixes of its names:
the same bytes can be harmless as `notes.txt` and dangerous as `model.pkl`. So it belongs to no
identity, and may be thrown away and made again.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from regtui.formats.values import Facts, Safety, Tensor

BADNESS: Final[dict[Safety, int]] = {
    "no-code": 0,
    "tensors-only": 1,
    "needs-classes": 2,
    "unread": 3,
    "dangerous": 4,
}
"""Which verdict counts where a file has several."""


class Layout(msgspec.Struct, frozen=True):
    """What is known of one file.

    Attributes:
        facts: What its reader says; the tensors stand below, not in it.
        tensors: In the order of the file, each with the blake3 digest of its raw values; None where
            they don't lie in the file in one piece, or lie where another tensor lies in part.
        pieces: Offset, size and blake3 digest, covering the file in order; none of an empty file.
        suffixes: Of the names that it was read under, sorted.
    """

    facts: Facts
    tensors: tuple[tuple[Tensor, str | None], ...] = ()
    pieces: tuple[tuple[int, int, str], ...] = ()
    suffixes: tuple[str, ...] = ()


def suffix_of(name: str) -> str:
    """Return the part of a name, with or without folders, that says what opens it: `.pkl`."""
    base = name.lower().rpartition("/")[2]
    dot = base.rfind(".")
    return base[dot:] if dot > 0 else ""


def worst(found: Iterable[Facts]) -> Facts:
    """Return the facts with the worst verdict, the first of them."""
    return max(found, key=lambda facts: BADNESS[facts.safety])


HARMLESS: frozenset[str] = frozenset({"no-code", "tensors-only"})
"""The verdicts of files that run no code of theirs, nor of anybody else, when they are loaded."""
