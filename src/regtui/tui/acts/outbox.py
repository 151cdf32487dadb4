"""The outbox: what the server refused is made again, made otherwise, or let go."""

from typing import TYPE_CHECKING, Any

from regtui.core.errors import BadInput
from regtui.core.wording import count_text
from regtui.registry.typed_values import text_of, value_of
from regtui.tui.acts.asking import ask
from regtui.tui.acts.telling import command, tell
from regtui.tui.conflict_view import operation_id, shown_values, value_line
from regtui.tui.safe_text import one_line
from regtui.tui.screens.prompt import Choice, Chooser, Confirm, Prompt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registry.outbox import OutboxEntry
    from regtui.tui.app import RegtuiApp

RETRY, AMEND, DISCARD = "retry", "amend", "discard"

SEND = "\0send"
"""The choice that ends an amendment; no path is called so."""

LISTED = 8
"""Operations that a question lists."""


async def choose_for(
    app: "RegtuiApp", entry: "OutboxEntry", outbox: "Sequence[OutboxEntry]"
) -> None:
    """Ask what to do with a refused operation, and do it."""
    choices = [
        Choice(RETRY, "make it again", "on what stands now"),
        Choice(AMEND, "make it otherwise", "with other values", _why_not_amend(entry)),
        Choice(DISCARD, "let it go", "nobody else ever saw it"),
    ]
    chosen = await ask(app, Chooser(f"{entry.kind} {entry.model or ''}", choices))
    if chosen == RETRY:
        await retry(app, entry)
    elif chosen == AMEND:
        await amend(app, entry)
    elif chosen == DISCARD:
        await discard(app, entry, outbox)


async def retry(app: "RegtuiApp", entry: "OutboxEntry | None") -> None:
    """Make a refused operation again, with what depends on it; None for all of them."""
    identity = None if entry is None else entry.id
    done = await app.act(lambda registry: registry.retry(identity))
    if done is not None:
        line = command("outbox", "retry", _named(entry))
        tell(app, f"{count_text(len(done), 'change')} made again", line, can_undo=False)


async def discard(
    app: "RegtuiApp", entry: "OutboxEntry | None", outbox: "Sequence[OutboxEntry]"
) -> None:
    """Let a refused operation go with what depends on it, after a yes; None for all of them."""
    gone = (
        [one for one in outbox if one.state == "refused"] if entry is None else _tree(entry, outbox)
    )
    lines = [f"  {one.kind} {one.model or ''}  {_values(one)}" for one in gone[:LISTED]]
    lines += [f"  and {len(gone) - LISTED:,} more"] if len(gone) > LISTED else []
    sentence = "The server refused it, so nobody else ever saw it. This can't be undone:\n"
    title = f"Let {count_text(len(gone), 'change')} go?"
    if not await ask(app, Confirm(title, "\n".join([sentence, *lines]))):
        return
    identity = None if entry is None else entry.id
    done = await app.act(lambda registry: registry.discard(identity))
    if done is not None:
        line = command("outbox", "discard", _named(entry))
        tell(app, f"{count_text(len(done), 'change')} discarded", line, can_undo=False)


async def amend(app: "RegtuiApp", entry: "OutboxEntry") -> None:
    """Make a refused operation again with other values, which are asked for."""
    reason = _why_not_amend(entry)
    if reason is not None:
        app.notify(reason, severity="warning")
        return
    typed: dict[str, str] = {}
    if len(entry.values) == 1:
        path = next(iter(entry.values))
        text = await _ask_value(app, path, _text(path, entry.values[path]))
        if text is None:
            return
        typed[path] = text
    elif not await _ask_values(app, entry, typed):
        return
    given = {path: _meant(path, text) for path, text in typed.items()}
    done = await app.act(lambda registry: registry.amend(entry.id, given))
    if done is not None:
        sets = [word for path, text in typed.items() for word in ("--set", f"{path}={text}")]
        line = command("outbox", "amend", operation_id(entry.id), *sets)
        tell(app, f"{count_text(len(done), 'change')} made otherwise", line, can_undo=False)


async def go_to_entry(app: "RegtuiApp", entry: "OutboxEntry") -> None:
    """Go to the model that an operation is about."""
    if entry.model is None:
        app.notify("it is about nothing that is here", severity="warning")
    else:
        await app.go_to(entry.model)


async def _ask_values(app: "RegtuiApp", entry: "OutboxEntry", typed: dict[str, str]) -> bool:
    """Ask for values until the person is content; False where he went back."""
    while True:
        choices = [
            Choice(path, path, _shown(path, value, typed), _why_not_type(path, value))
            for path, value in entry.values.items()
        ]
        if typed:
            choices.insert(0, Choice(SEND, "make the change with these values"))
        chosen = await ask(app, Chooser(f"{entry.kind}: which value shall be another?", choices))
        if chosen is None:
            return False
        if chosen == SEND:
            return True
        before = typed.get(chosen, _text(chosen, entry.values[chosen]))
        text = await _ask_value(app, chosen, before)
        if text is not None:
            typed[chosen] = text


async def _ask_value(app: "RegtuiApp", path: str, text: str) -> str | None:
    def check(typed: str) -> str | None:
        try:
            _meant(path, typed)
        except BadInput as error:
            return error.message
        return None

    return await ask(app, Prompt(path, "empty takes it away", value=text, check=check))


def _shown(path: str, value: Any, typed: dict[str, str]) -> str:
    return f"→ {one_line(typed[path])}" if path in typed else value_line(value)


def _meant(path: str, text: str) -> Any:
    field, _, key = path.partition("/")
    return value_of(field, key, text) if text else None


def _text(path: str, value: Any) -> str:
    return "" if value is None else text_of(path.partition("/")[0], value)


def _why_not_amend(entry: "OutboxEntry") -> str | None:
    if any(_why_not_type(path, value) is None for path, value in entry.values.items()):
        return None
    return "it sets nothing that can be typed"


def _why_not_type(path: str, value: Any) -> str | None:
    """Return why a value can't be typed in a line; None where it can."""
    if path.partition("/")[0] in {"metrics", "inputs"}:
        return None
    if isinstance(value, dict | list):
        return "it is a structure"
    return "it has many lines" if isinstance(value, str) and "\n" in value else None


def _tree(entry: "OutboxEntry", outbox: "Sequence[OutboxEntry]") -> "list[OutboxEntry]":
    """Return a refused operation and what depends on it, as `discard` takes them."""
    known = {entry.id}
    found = [entry]
    for one in outbox:
        if one.cause in known:
            known.add(one.id)
            found.append(one)
    return found


def _values(entry: "OutboxEntry") -> str:
    return "; ".join(f"{name}={value}" for name, value in shown_values(entry))


def _named(entry: "OutboxEntry | None") -> str:
    return "--all" if entry is None else operation_id(entry.id)
