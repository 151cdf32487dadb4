"""Contents: the files of versions, back on disk, or compared with their digests."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from regtui.core.errors import BadInput
from regtui.core.wording import count_text
from regtui.registry.answers import Verified, VersionAnswer
from regtui.registry.figures import size_text
from regtui.tui.acts.asking import ask, may_change, present
from regtui.tui.acts.telling import command, command_of_each, named, tell
from regtui.tui.acts.working import worked
from regtui.tui.jobs import Job, Progress
from regtui.tui.screens.prompt import Prompt
from regtui.tui.screens.report import Report

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp


async def check_out(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Write the files of a version into a folder; asked again for another where that fails."""
    found = await present(app, versions[:1]) if may_change(app) else None
    if found is None:
        return
    (version,) = found
    reference = version.reference
    title = f"Check out {reference}"
    content = f"{count_text(version.files, 'file')}, {size_text(version.size)}"
    answer: str | None = suggested(version)
    while answer is not None:
        hint = f"{content}, into a new or empty folder: below {_here()}, or from / or ~"
        answer = await ask(app, Prompt(title, hint, value=answer))
        if answer is None or not answer.strip():
            return
        folder = answer.strip()
        job = Job(lambda count: _checkout(app, reference, folder, count), version.size)  # noqa: B023 -- awaited within the turn
        done = await worked(app, title, job, "nothing was written")
        if done is not None:
            line = command("checkout", reference, folder)
            tell(app, f"{reference} is in {done}: {content}", line, can_undo=False)
            return


async def verify(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Compare the stored files of versions with their digests."""
    found = await present(app, versions) if may_change(app) else None
    if found is None:
        return
    title = f"Verify {named(found)}"
    size = sum(version.size for version in found)
    references = [version.reference for version in found]

    def work(count: Progress) -> list[Verified]:
        return [app.registry.verify(one, on_progress=count) for one in references]

    results = await worked(app, title, Job(work, size), "nothing was changed")
    if results is None:
        return
    line = command_of_each(found, "verify", "$v")
    damaged = {damage.digest: damage for result in results for damage in result.damaged}
    if not damaged:
        files = count_text(sum(result.files for result in results), "file")
        content = f"{files}, {size_text(sum(result.bytes for result in results))}"
        tell(app, f"{named(found)}: {content}, all intact", line, can_undo=False)
        return
    lines = [
        "Capture the same content again from another copy: that heals it.",
        "",
        *(f"{one.problem}: {one.digest[:16]} needed by {', '.join(one.used_by)}"
          for one in damaged.values()),
        "",
        f"$ {line}",
    ]  # fmt: skip
    await app.push_screen_wait(Report(f"{len(damaged)} damaged", lines))  # whatever else is asked


def suggested(version: VersionAnswer) -> str:
    """Return the folder that is suggested for a version, below the current one."""
    name = version.model.rpartition("/")[2]
    return f"{name}-{version.short_id[1:] if version.number is None else version.number}"


def _checkout(app: "RegtuiApp", reference: str, folder: str, count: Callable[[int], None]) -> str:
    try:
        target = Path(folder).expanduser().absolute()
    except RuntimeError as error:
        raise BadInput(f"there is no folder {folder}: {error}") from None
    app.registry.checkout(reference, target, on_progress=count)
    with suppress(ValueError, OSError):
        return str(target.relative_to(Path.cwd()))
    return str(target)


def _here() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "a folder that is gone"
