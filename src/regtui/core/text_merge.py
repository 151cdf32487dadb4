"""Three-way merge of texts by lines.

Changes of the two sides that touch neither the same nor neighbouring lines of the base are both
taken; equal changes count once. Anything else is for a person. It is stricter than tools for source
code: two edits of adjacent lines of a model card are rarely independent.

The lines that a side kept are those of a shortest edit script (Myers), whose cost grows with the
differences. Texts come from others, so these are bounded: beyond `DIFFERENCES_LIMIT` everything
from the first to the last changed line counts as one change.
"""

from itertools import pairwise
from typing import NamedTuple

DIFFERENCES_LIMIT = 500
"""Lines removed and added that are told apart between a base and a side."""


class Hunk(NamedTuple):
    """Lines `start` to `end` of the base replaced by other lines."""

    start: int
    end: int
    lines: tuple[str, ...]


def merge_text(base: str, theirs: str, mine: str) -> str | None:
    """Return the text with both sides' changes, None where they overlap or are adjacent."""
    lines = base.splitlines(keepends=True)
    left, right = _hunks(lines, theirs), _hunks(lines, mine)
    hunks = sorted({*left, *right})
    for earlier, later in pairwise(hunks):
        if later.start <= earlier.end and not _same_side(earlier, later, left, right):
            return None
    merged: list[str] = []
    position = 0
    for hunk in hunks:
        merged += lines[position : hunk.start]
        merged += hunk.lines
        position = hunk.end
    return "".join(merged + lines[position:])


def _hunks(base: list[str], text: str) -> list[Hunk]:
    """Return what the text changes in the base, in order, with kept lines in between."""
    lines = text.splitlines(keepends=True)
    start = _common(base, lines)
    tail = _common(base[start:][::-1], lines[start:][::-1])
    old, new = base[start : len(base) - tail], lines[start : len(lines) - tail]
    hunks: list[Hunk] = []
    x = y = 0
    for keep_x, keep_y in [*_kept(old, new), (len(old), len(new))]:
        if (x, y) != (keep_x, keep_y):
            hunks.append(Hunk(start + x, start + keep_x, tuple(new[y:keep_y])))
        x, y = keep_x + 1, keep_y + 1
    return hunks


def _common(left: list[str], right: list[str]) -> int:
    """Return how many lines the two begin with in common."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(left), len(right)))


def _kept(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Return the pairs of lines that a shortest edit script keeps; none beyond the limit.

    On each diagonal (line of the old text minus line of the new one) `reach` holds how far into the
    old text one gets with so many differences.
    """
    reach = {1: 0}
    rounds: list[dict[int, int]] = []
    for differences in range(min(len(old) + len(new), DIFFERENCES_LIMIT) + 1):
        rounds.append(dict(reach))
        for diagonal in range(-differences, differences + 1, 2):
            x = _entry(reach, diagonal, differences)[1]
            while x < len(old) and x - diagonal < len(new) and old[x] == new[x - diagonal]:
                x += 1
            reach[diagonal] = x
            if x >= len(old) and x - diagonal >= len(new):
                return _walk_back(rounds, len(old), len(new))
    return []


def _entry(reach: dict[int, int], diagonal: int, differences: int) -> tuple[int, int]:
    """Return from which diagonal one comes to this one, and at which line of the old text."""
    added = diagonal == -differences or (
        diagonal != differences and reach[diagonal - 1] < reach[diagonal + 1]
    )
    if added:
        return diagonal + 1, reach[diagonal + 1]
    return diagonal - 1, reach[diagonal - 1] + 1


def _walk_back(rounds: list[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    kept: list[tuple[int, int]] = []
    for differences in range(len(rounds) - 1, -1, -1):
        reach = rounds[differences]
        source, start = _entry(reach, x - y, differences)
        while x > start:
            x, y = x - 1, y - 1
            kept.append((x, y))
        x = reach[source]
        y = x - source
    return kept[::-1]


def _same_side(earlier: Hunk, later: Hunk, left: list[Hunk], right: list[Hunk]) -> bool:
    return any(earlier in side and later in side for side in (left, right))
