"""Promotion requests as people read them."""

from typing import TYPE_CHECKING

from regtui.cli.gate_text import gate_lines, sign
from regtui.registry.figures import age_text
from regtui.registry.promotion_text import glass_text, state_words, target_text

if TYPE_CHECKING:
    from regtui.registry.answers_production import PromotionAnswer


def head_line(answer: "PromotionAnswer") -> str:
    """Return a request in one line."""
    there = answer.current or "nothing"
    to = answer.version or "nothing"
    return f"{answer.request}  {target_text(answer)}: {there} → {to}  ({state_words(answer)})"


def request_text(answer: "PromotionAnswer") -> str:
    """Return everything of a request."""
    lines = [head_line(answer)]
    lines.append(f"  by {answer.author}, {age_text(answer.created)} ago")
    if answer.reason:
        lines += [f"  {part}" for part in answer.reason.splitlines()]
    if answer.break_glass:
        lines.append(f"  ! {glass_text(answer)}: {answer.break_glass}")
    lines += gate_lines(answer.gates)
    for one in answer.reviews:
        counts = "" if one.counts else f"  (does not count: {one.reason})"
        counts = f"  ({one.reason})" if one.counts is None else counts
        text = f": {one.text}" if one.text else ""
        lines.append(f"  {sign(one.verdict == 'approve')} {one.author} ({one.role}){text}{counts}")
    lines += _next(answer)
    return "\n".join(lines)


def _next(answer: "PromotionAnswer") -> list[str]:
    """Return what to do next."""
    if answer.state != "open":
        return []
    if answer.requested:
        return ["  it moves where all gates pass: the server decides at the next `regtui sync`"]
    if answer.ready:
        return [f"  all gates pass: `regtui request apply {answer.request}`"]
    if any(one.gate == "approvals" and one.passed is False for one in answer.gates):
        return [f"  `regtui review {answer.request} approve` by somebody who may"]
    if answer.ready is None:
        return [
            f"  the server has to say the rest: `regtui request apply {answer.request}` asks it"
        ]
    return []
