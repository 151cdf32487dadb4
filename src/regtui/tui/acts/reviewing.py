"""Reviewing: what people say to a promotion request, and how it ends.

What is governed is decided by the server where there is one: then an act only asks it, and says so.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from regtui.registry.promotion_text import target_text
from regtui.tui.acts.asking import ask, read
from regtui.tui.acts.telling import command, tell
from regtui.tui.key_names import key_of
from regtui.tui.request_view import move_text, passed_text
from regtui.tui.safe_text import one_line
from regtui.tui.screens.editor import Editor
from regtui.tui.screens.prompt import Choice, Chooser, Confirm, Prompt

if TYPE_CHECKING:
    from regtui.registry.answers_production import GateAnswer, PromotionAnswer
    from regtui.tui.app import RegtuiApp

Act = Callable[["RegtuiApp", "PromotionAnswer"], Awaitable[object]]

WHY = "why, in a line; it may stay empty"


def why_not(app: "RegtuiApp", request: "PromotionAnswer", name: str) -> str | None:
    """Return why an action is not possible on a request; None where it is."""
    person = app.status.person
    reasons = {
        "apply": _why_not_apply(app, request),
        "clear": None
        if any(one.author == person for one in request.reviews)
        else "you said nothing to it",
        "glass": f"all gates pass: {key_of(app, 'reviews.apply')} applies it"
        if request.ready
        else None,
        "withdraw": f"it is {request.author}'s"
        if request.author != person and app.status.remote is None
        else None,
        "go": _why_not_go(request),
        "compare": _why_not_go(request)
        or (f"{target_text(request)} is at nothing yet" if request.current is None else None),
    }
    return reasons.get(name)


def _why_not_go(request: "PromotionAnswer") -> str | None:
    return None if request.version is not None else "it takes the alias away"


def _why_not_apply(app: "RegtuiApp", request: "PromotionAnswer") -> str | None:
    if request.requested:
        return f"it is requested; the server decides at the next sync ({key_of(app, 'app.sync')})"
    against = next((one for one in request.gates if one.passed is False), None)
    return None if against is None else f"{against.gate}: {one_line(against.reason)}"


async def choose(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Ask what to do with a request that has not ended, and do it."""
    acts: dict[str, tuple[str, str, Act]] = {
        "approve": ("approve it", "", approve),
        "reject": ("reject it", "", reject),
        "clear": ("take back what you said", "", clear),
        "apply": ("apply it", passed_text(request.gates), apply),
        "comment": ("say something", "", comment),
        "withdraw": ("withdraw it", "nothing moves then", withdraw),
        "glass": ("pass its gates as an admin", "flagged for ever", break_glass),
    }
    choices = [
        Choice(name, text, note, why_not(app, request, name))
        for name, (text, note, _) in acts.items()
    ]
    title = f"{target_text(request)}  {move_text(request)}"
    chosen = await ask(app, Chooser(one_line(title), choices))
    if chosen is not None:
        await acts[chosen][2](app, request)


async def approve(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Say yes to a request, and why."""
    await _review(app, request, "approve", "approved")


async def reject(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Say no to a request, and why."""
    await _review(app, request, "reject", "rejected")


async def _review(app: "RegtuiApp", request: "PromotionAnswer", verdict: str, verb: str) -> None:
    title = f"{verdict.capitalize()} {_called(request)}"
    text = await ask(app, Prompt(one_line(title), WHY))
    if text is None:
        return
    said = text.strip()
    done = await app.act(lambda registry: registry.review(request.request, verdict, said))
    if done is None:
        return
    words = ["review", request.request, verdict, *(["-m", said] if said else [])]
    moved = done.state == "applied"
    tell(
        app,
        f"{verb} {_called(request)}" + ("; it moved by itself" if moved else ""),
        command(*words),
        can_undo=False,
    )


async def clear(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Take back what one said to a request."""
    done = await app.act(lambda registry: registry.review(request.request, "none"))
    if done is not None:
        line = command("review", request.request, "clear")
        tell(app, f"took back what you said to {_called(request)}", line, can_undo=False)


async def comment(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Say something about a request, in as many lines as it takes."""

    async def save(text: str) -> bool:
        said = await app.act(lambda registry: registry.add_comment(f"request:{request.id}", text))
        if said is not None:
            line = command("review", request.request, "comment", "-m", text)
            tell(app, f"commented on {_called(request)}", line)
        return said is not None

    await ask(app, Editor(f"Comment on {_called(request)}", "", save, is_new=True))


async def apply(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Move the target as a request asks, after a yes."""
    sentence = f"{target_text(request)} goes {move_text(request)}."
    if request.ready is None:
        sentence += "\nThe server has to say the rest, and decides at the next sync."
    if await ask(app, Confirm("Apply the request?", one_line(sentence))):
        await _apply(app, request, None)


async def break_glass(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Move the target past its gates, with a reason."""
    hint = "why it can't wait for its gates: everybody sees this for ever"
    reason = await ask(app, Prompt(f"Pass the gates of {_called(request)}", hint))
    if reason is not None and reason.strip():
        await _apply(app, request, reason.strip())


async def _apply(app: "RegtuiApp", request: "PromotionAnswer", glass: str | None) -> None:
    done = await app.act(
        lambda registry: registry.apply_promotion(request.request, break_glass=glass)
    )
    if done is None:
        return
    answer, outcome = done
    words = [] if glass is None else ["--break-glass", glass]
    line = command("request", "apply", request.request, *words)
    to = answer.version or "nothing"
    what = f"{target_text(request)} is {to} now"
    if outcome.requested:
        what = requested_text(app, f"{target_text(request)} to be {to}", outcome.gates)
    tell(app, what, line, can_undo=False)


async def withdraw(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Take a request back, after a yes."""
    sentence = f"{_called(request)}: nothing moves then. It can be asked for again."
    if not await ask(app, Confirm("Withdraw the request?", one_line(sentence))):
        return
    done = await app.act(lambda registry: registry.withdraw_promotion(request.request))
    if done is not None:
        line = command("request", "withdraw", request.request)
        tell(app, f"withdrew {_called(request)}", line, can_undo=False)


async def compare(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Compare the version with what the target is at now, in everything."""
    wanted = [one for one in (request.current, request.version) if one is not None]
    found = await read(app, lambda registry: [registry.version(one) for one in wanted])
    if found is not None:
        await app.compare(found)


async def go(app: "RegtuiApp", request: "PromotionAnswer") -> None:
    """Go to the version that is asked for."""
    if request.version is not None:
        await app.go_to(request.version)


def requested_text(app: "RegtuiApp", wanted: str, gates: "list[GateAnswer]") -> str:
    """Return what to say of what only the server can do."""
    known = f", {passed_text(gates)} gates pass here" if gates else ""
    return f"requested {wanted}: the server decides ({key_of(app, 'app.sync')} asks it){known}"


def _called(request: "PromotionAnswer") -> str:
    return f"{target_text(request)} {move_text(request)}"
