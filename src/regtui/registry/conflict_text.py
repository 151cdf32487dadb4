"""Both sides of a text in conflict as one text to edit, in the marks that merge tools use."""

import difflib
import re

from regtui.registry.answers_conflicts import ConflictAnswer, Side

_MARK = r"(?m)^(<{7}|={7}|>{7})( .*)?$"


def marked(conflict: ConflictAnswer) -> str:
    """Return the texts of a conflict as one, with marks around the lines that differ.

    With one candidate only the lines that differ are told apart; with more, the whole texts.
    """
    if len(conflict.candidates) == 1:
        return _told_apart(conflict.accepted, conflict.candidates[0])
    sides = [_lines(side) for side in conflict.candidates]
    return _block(conflict.accepted, _lines(conflict.accepted), conflict.candidates, sides)


def is_settled(text: str) -> bool:
    """Tell whether no mark is left in a text."""
    return re.search(_MARK, text) is None


def _told_apart(accepted: Side, candidate: Side) -> str:
    left, right = _lines(accepted), _lines(candidate)
    # Lines that seem to be junk to difflib are as good as others here.
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    parts = []
    for tag, start, end, first, last in matcher.get_opcodes():
        if tag == "equal":
            parts.append("".join(left[start:end]))
        else:
            parts.append(_block(accepted, left[start:end], [candidate], [right[first:last]]))
    return "".join(parts)


def _block(
    accepted: Side, lines: list[str], candidates: list[Side], others: list[list[str]]
) -> str:
    text = f"<<<<<<< what stands, by {accepted.author}\n" + _closed(lines)
    for side, theirs in zip(candidates, others, strict=True):
        text += f"======= by {side.author}\n" + _closed(theirs)
    return text + ">>>>>>>\n"


def _closed(lines: list[str]) -> str:
    text = "".join(lines)
    return text if not text or text.endswith("\n") else text + "\n"


def _lines(side: Side) -> list[str]:
    return ("" if side.value is None else str(side.value)).splitlines(keepends=True)
