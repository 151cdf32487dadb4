"""History: an operation taken back, the whole of it verified, and the way to what it is about."""

from typing import TYPE_CHECKING

from regtui.core.wording import count_text
from regtui.registry.figures import seq_text
from regtui.tui.acts.asking import ask, read
from regtui.tui.acts.telling import command
from regtui.tui.background import start
from regtui.tui.jobs import Job, Stopped
from regtui.tui.key_names import key_of
from regtui.tui.safe_text import one_line
from regtui.tui.screens.prompt import Confirm
from regtui.tui.screens.report import Report

if TYPE_CHECKING:
    from collections.abc import Sequence

    from regtui.registry import Registry
    from regtui.registry.audit import Audit
    from regtui.registry.history import OperationAnswer
    from regtui.registry.undo import Undone
    from regtui.tui.app import RegtuiApp
    from regtui.tui.screens.activity import ActivityScreen

LOOK = 0.2
"""Seconds between two looks at how far the verification is."""

ASKED = frozenset({"version.capture", "version.delete"})
"""Kinds of operations that the undo key takes back only after a yes: whole versions come or go."""

SHOWN = 8
"""Operations that a question lists."""


async def undo_operation(app: "RegtuiApp", operation: "OperationAnswer") -> None:
    """Take back an operation with all of its intent, after saying what that will do."""
    would = await app.act(lambda registry: registry.undo(operation.id, dry_run=True))
    if would is not None:
        what = f"\n{_listed(would.undone)}\n\nby:\n{_listed(would.operations)}"
        number = seq_text(operation.seq).removeprefix("#")
        await _ask_and_undo(app, operation, what, command("undo", number))


async def undo_last(app: "RegtuiApp") -> None:
    """Take back this person's last change; what is in `ASKED`, after a yes."""
    would = await app.act(lambda registry: registry.undo(dry_run=True))
    if would is None:
        return
    # By its id: somebody may do something else before the answer, and a sync gives it a number.
    last, again = would.undone[0], command("undo")
    if ASKED.isdisjoint(one.kind for one in would.undone):
        await _undo(app, last, again)  # awaited: the key pressed twice takes back two changes
        return
    more = len(would.undone) - 1
    what = f" {one_line(would.undone[0].summary)}" + (f", and {more:,} more" if more else "")
    start(app.screen, _ask_and_undo, app, last, what, again, group="act", together=True)


async def _ask_and_undo(
    app: "RegtuiApp", operation: "OperationAnswer", what: str, again: str
) -> None:
    """Take back an operation with all of its intent, after a yes."""
    if await ask(app, Confirm(f"Undo {seq_text(operation.seq)}", f"It takes back:{what}")):
        await _undo(app, operation, again)


async def _undo(app: "RegtuiApp", operation: "OperationAnswer", again: str) -> None:
    done = await app.act(lambda registry: registry.undo(operation.id))
    if done is not None:
        tell_taken_back(app, "undid", done, again)
        for line in done.warnings:
            app.notify(line, severity="warning")


def tell_taken_back(app: "RegtuiApp", verb: str, done: "Undone", again: str) -> None:
    """Tell what `undo` or `redo` did, or asked the server for.

    Args:
        app: The app.
        verb: `undid` or `redid`.
        done: What became of it.
        again: The command that does the same.
    """
    told = done.undone if verb == "undid" else done.operations
    lines = [one.summary.removeprefix(f"{verb} ") for one in told]
    if done.requested:
        verb = f"requested to {verb.replace('did', 'do')}"
        lines[-1] += f": the server decides ({key_of(app, 'app.sync')} asks it)"
    app.tell_done(verb, lines, again)


async def go_to_subject(app: "RegtuiApp", operation: "OperationAnswer") -> None:
    """Go to the version or model that an operation was done to."""
    if operation.model is None:
        what = "a dataset" if operation.dataset is not None else "the registry itself"
        app.notify(f"it was done to {what}, which has no screen", severity="warning")
        return
    model = operation.model
    if operation.number is not None:
        await app.go_to(f"{model}@{operation.number}")
        return
    alias = operation.alias
    if alias is not None:
        number = await read(app, lambda registry: _pointed_to(registry, model, alias))
        if number is not None:
            await app.go_to(f"{model}@{number}")
            return
    await app.go_to(model)


def _pointed_to(registry: "Registry", model: str, alias: str) -> int | None:
    """Return the number of the version that an alias points to now; None where it is gone."""
    return next((one.number for one in registry.aliases(model) if one.alias == alias), None)


async def verify_history(screen: "ActivityScreen") -> None:
    """Verify the history, with its progress in a line, and tell what was found."""
    app = screen.regtui
    registry = app.registry
    job = Job(lambda count: registry.verify_history(on_progress=count), None)
    screen.verifying = job
    job.start()
    key = key_of(app, "activity.verify")
    try:
        while not await job.wait(LOOK):
            state = "stopping …" if job.is_stopped else f"{job.done:,} looked at; {key} stops it"
            screen.show_progress(f"verifying operations and documents: {state}")
        await _tell_audit(app, await job.result())
    except Stopped:
        app.notify("stopped: nothing is known of the rest", severity="warning")
    except Exception as error:  # noqa: BLE001 -- shown, whatever it is
        app.show_error(error)
    finally:
        job.stop()  # where the app ends meanwhile
        screen.verifying = None
        if screen.is_attached:
            screen.show_progress("")


async def _tell_audit(app: "RegtuiApp", found: "Audit") -> None:
    if found.ok:
        parts = [
            count_text(found.operations, "operation"),
            count_text(found.documents, "document"),
            count_text(found.signatures, "signature"),
        ]
        what = f"{parts[0]}, {parts[1]} and {parts[2]} are what they were"
        app.notify(f"{what}\n$ {command('audit', 'verify')}", timeout=8, markup=False)
        return
    lines = [
        "The history is not what was done. Move the folder away, restore the newest backup and",
        "compare: docs/history.md says how.",
        "",
        *(f"{one.kind} {one.name}: {one.problem}" for one in found.problems),
        "",
        f"$ {command('audit', 'verify')}",
    ]
    await ask(app, Report(count_text(found.count, "problem"), lines))


def _listed(operations: "Sequence[OperationAnswer]") -> str:
    lines = [f"  {one_line(one.summary)}" for one in operations[:SHOWN]]
    if len(operations) > SHOWN:
        lines.append(f"  and {len(operations) - SHOWN:,} more")
    return "\n".join(lines)
