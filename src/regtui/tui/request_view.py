"""A promotion request as people read it: what is to move, what each gate says, and what people say.

Every verdict has a sign as well as a colour, so that it can be read without one.
"""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from regtui.core.wording import count_text
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_production import GateAnswer, PromotionAnswer, ReviewAnswer
from regtui.registry.answers_records import CommentAnswer
from regtui.registry.figures import age_text
from regtui.registry.promotion_text import glass_text, target_text
from regtui.tui.differences import difference, metric_of, value_text
from regtui.tui.markdown_text import MarkdownText
from regtui.tui.safe_text import one_line, safe
from regtui.tui.signs import signs
from regtui.tui.widgets.document import Block

METRICS = 12
"""Metrics that are compared here; the screen for comparing shows all of them."""


class Compared(Struct, frozen=True):
    """A version that shall stand somewhere beside the one that stands there.

    Attributes:
        current: The version that is there now; None where none is.
        wanted: The version that is asked for; None where the alias is to be taken away.
        directions: `max` or `min`, by metric.
    """

    current: VersionAnswer | None
    wanted: VersionAnswer | None
    directions: Mapping[str, str]


class Told(Struct, frozen=True):
    """Everything about one request that is read for it alone."""

    compared: Compared
    comments: Sequence[CommentAnswer]


def place_text(reference: str | None, model: str) -> str:
    """Return a version of a model that is known from beside it, as `@7`."""
    return "nothing" if reference is None else reference.removeprefix(model)


def move_text(request: PromotionAnswer) -> str:
    """Return from which version to which a target shall go."""
    arrow = "->" if signs().ellipsis == "~" else "→"
    to = place_text(request.version, request.model)
    return f"{place_text(request.current, request.model)} {arrow} {to}"


def gate_sign(passed: bool | None) -> tuple[str, str]:
    """Return the sign of what a gate says, and the name of its colour."""
    if passed is None:
        return signs().unknown, "warning"
    return (signs().passed, "success") if passed else (signs().failed, "error")


def state_text(request: PromotionAnswer) -> tuple[str, str]:
    """Return the state of a request in a word, and the name of its colour."""
    if request.state != "open":
        return request.state, "success" if request.state == "applied" else "dim"
    if request.requested:
        return "requested", "accent"
    if request.version_state in {"archived", "deleted"}:
        return request.version_state, "warning"
    if request.waiting:
        return "not sent", "warning"
    return ("ready", "success") if request.ready else ("open", "")


def blocks(request: PromotionAnswer, told: Told | None, keys: Mapping[str, str]) -> list[Block]:
    """Return everything about a request.

    Args:
        request: The request.
        told: What is read for it alone; None while that is on its way.
        keys: The keys of the actions on a request, by their names.
    """
    parts: list[RenderableType] = [_head(request), Text(""), gates_table(request.gates)]
    parts.append(Text(one_line(_next(request, keys)), "label"))
    if told is not None:
        parts += [Text(""), _heading(_comparison_title(request)), *_comparison(told.compared)]
    if request.reviews:
        parts += [Text(""), _heading("Reviews"), *map(_review, request.reviews)]
    if told is not None:
        parts += [Text(""), _heading("Discussion"), *_discussion(told.comments, keys)]
    return [Block(part) for part in parts]


def _head(request: PromotionAnswer) -> Text:
    state, style = state_text(request)
    head = Text()
    head.append(one_line(f"{target_text(request)}  {move_text(request)}"), "heading")
    head.append("  " + state, style if style != "dim" else "label")
    head.append(f"\n{request.request} by {one_line(request.author)}, ", "label")
    head.append(f"{age_text(request.created)} ago", "label")
    if request.auto and request.state == "open":
        head.append(", moves by itself when the last gate passes", "label")
    if request.reason:
        head.append("\n" + safe(request.reason))
    if request.break_glass:
        said = f"\n{signs().conflict} {glass_text(request)}: "
        head.append(said + one_line(request.break_glass), "error")
    return head


def gates_table(gates: Sequence[GateAnswer]) -> RenderableType:
    """Return gates as a checklist: sign, name, reason and policy."""
    if not gates:
        return Text("no gates", "label")  # asked, or kept: a server may have been put back since
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    grid.add_column(width=1, no_wrap=True)
    grid.add_column(width=max(len(one.gate) for one in gates), no_wrap=True)
    grid.add_column(ratio=1, overflow="fold")
    for one in gates:
        reason = Text(one_line(one.reason))
        if one.policy:
            reason.append(f"  {one_line(one.policy)}", "label")
        grid.add_row(Text(*gate_sign(one.passed)), Text(one.gate, "primary"), reason)
    return grid


def passed_text(gates: Sequence[GateAnswer]) -> str:
    """Return how many gates pass: `2/3`."""
    return f"{sum(one.passed is True for one in gates)}/{len(gates)}" if gates else ""


def _next(request: PromotionAnswer, keys: Mapping[str, str]) -> str:
    """Return what to do next; empty where nothing is."""
    if request.state != "open":
        return ""
    if request.requested:
        return f"it is requested: the server decides at the next sync ({keys['sync']})"
    if request.ready:
        return f"all gates pass: {keys['apply']} applies it"
    if any(one.gate == "approvals" and one.passed is False for one in request.gates):
        return f"{keys['approve']} approves, {keys['reject']} rejects: somebody who may has to"
    if request.ready is None:
        return f"the server has to say the rest: {keys['apply']} asks it"
    return ""


def _comparison_title(request: PromotionAnswer) -> str:
    if request.current is None:
        return f"{target_text(request)} is nothing yet"
    when = "is there now" if request.state == "open" else "was there before"
    return f"Against {request.current}, which {when}"


def _comparison(compared: Compared) -> Iterator[RenderableType]:
    wanted, current = compared.wanted, compared.current
    if wanted is None:
        yield Text("the alias is to be taken away", "label")
        return
    names = sorted({*wanted.metrics, *({} if current is None else current.metrics)})
    if not names:
        yield Text("neither has metrics", "label")
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, max_width=24, style="label")
    for _ in range(2):
        grid.add_column(justify="right", no_wrap=True)
    grid.add_column(no_wrap=True)
    for name in names[:METRICS]:
        before = None if current is None else metric_of(current.metrics, name)
        after = metric_of(wanted.metrics, name)
        change, style = difference(after, before, compared.directions.get(name, "max"))
        grid.add_row(
            Text(one_line(name), "label"),
            Text(value_text(before), "label"),
            Text(value_text(after)),
            Text(change, "label" if style == "dim" else style),
        )
    yield grid
    if len(names) > METRICS:
        yield Text(f"and {count_text(len(names) - METRICS, 'metric')} more", "label")


def _review(one: ReviewAnswer) -> RenderableType:
    sign, style = gate_sign(one.verdict == "approve")
    verb = "approved" if one.verdict == "approve" else "rejected"
    line = Text()
    line.append(f"{sign} ", style)
    line.append(one_line(one.author), "primary")
    line.append(f" ({one.role}) {verb}, {age_text(one.time)} ago", "label")
    if one.text:
        line.append("\n  " + safe(one.text).replace("\n", "\n  "))
    if one.counts is not True and one.reason:
        word = "it does not count: " if one.counts is False else ""
        line.append(f"\n  {word}{one_line(one.reason)}", "warning")
    return line


def _discussion(comments: Sequence[CommentAnswer], keys: Mapping[str, str]) -> list[RenderableType]:
    if not comments:
        return [Text(f"nobody said anything yet: {keys['comment']} does", "label")]
    return [_comment(one) for one in comments]


def _comment(said: CommentAnswer) -> RenderableType:
    head = Text()
    head.append(one_line(said.author), "primary")
    head.append(f"  {age_text(said.created)} ago", "label")
    return Group(head, MarkdownText(said.text))


def _heading(text: str) -> Text:
    return Text(one_line(text), "heading")
