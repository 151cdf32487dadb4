"""Checking: run checks of a version here, and read what they printed."""

from threading import Event
from typing import TYPE_CHECKING

from regtui.checks import command as running
from regtui.core.wording import count_text
from regtui.tui.acts.asking import ask, read
from regtui.tui.acts.telling import command, tell
from regtui.tui.acts.working import worked
from regtui.tui.jobs import Job, Progress, Stopped
from regtui.tui.safe_text import one_line
from regtui.tui.screens.prompt import Confirm
from regtui.tui.screens.report import Report

if TYPE_CHECKING:
    from regtui.registry.answers import VersionAnswer
    from regtui.registry.answers_checks import CheckAnswer, Checked, CheckRunAnswer
    from regtui.tui.app import RegtuiApp


class _Checking(Job["Checked"]):
    """Runs checks; stopping it kills what runs."""

    def __init__(self, app: "RegtuiApp", reference: str, names: list[str]) -> None:
        self._ends = Event()

        def work(_: Progress) -> "Checked":
            try:
                return app.registry.run_checks(reference, names, stop=self._ends)
            except running.Stopped:
                raise Stopped from None

        super().__init__(work, None)

    def stop(self) -> None:
        """End what runs."""
        self._ends.set()
        super().stop()


async def run_check(app: "RegtuiApp", version: "VersionAnswer", check: "CheckAnswer") -> None:
    """Run one check of a version; a command that nobody let run here is asked about first."""
    if not check.trusted:
        sentence = (
            f"{check.author} defined it for {check.models}. On this machine, as you, it runs\n\n"
            f"  {one_line(check.does)}\n\nLet that run here, now and from now on?"
        )
        if not await ask(app, Confirm(f"Trust the check {check.check}?", sentence)):
            return
        trusted = await app.act(lambda registry: registry.trust_check(check.digest))
        if trusted is None:
            return
    await _run(app, version, [check.check])


async def run_all(app: "RegtuiApp", version: "VersionAnswer") -> None:
    """Run all checks that hold for the model and may run here."""
    await _run(app, version, [])


async def _run(app: "RegtuiApp", version: "VersionAnswer", names: list[str]) -> None:
    reference = version.reference
    title = f"Check {reference}" + (f": {names[0]}" if names else "")
    job = _Checking(app, f":{version.id}", names)
    done = await worked(app, title, job, "nothing was told of it")
    if done is None:
        return
    failed = [one for one in done.runs if not one.passed]
    what = f"{count_text(len(done.runs), 'check')} of {reference}"
    if len(done.runs) == 1:
        what = f"{done.runs[0].check} of {reference}: {done.runs[0].outcome}"
    elif failed:
        what += f", {len(failed)} failed: {', '.join(one.check for one in failed)}"
    else:
        what += " passed" if done.runs else " ran"
    if done.untrusted:
        what += f"; not trusted here: {', '.join(done.untrusted)}"
    tell(app, what, command("check", "run", reference, *names), can_undo=False)


async def show_log(app: "RegtuiApp", run: "CheckRunAnswer") -> None:
    """Show what a run printed."""
    about = f":{run.version_id}"
    found = await read(app, lambda registry: registry.check_log(about, run.id))
    if found is None:
        return
    _, log = found
    lines = log.splitlines() or ["it printed nothing"]
    line = command("check", "log", run.reference, run.check)
    title = f"{run.check} of {run.reference}: {run.outcome}"
    await ask(app, Report(title, [*lines, "", f"$ {line}"]))
