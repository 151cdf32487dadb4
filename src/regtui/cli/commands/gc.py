"""`regtui gc`."""

from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say, table
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

app = single()


@app.command()
def gc(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell only, remove nothing.")] = False,
    grace: Annotated[
        str, typer.Option(help="Keep what was needed or written since: 14d, 12h, 30m, 0.")
    ] = "14d",
) -> None:
    """Remove stored files that no version needs any more.

    Files of captured versions always stay, and so do those of archived ones, unless a rule of
    retention speaks for their model: then they go when they were archived longer ago than the grace
    period. So do files of versions that were deleted longer ago. Then `version restore` brings back
    the record only.
    """
    found = SETTINGS.registry().gc(grace=_seconds(grace), dry_run=dry_run)
    if SETTINGS.json:
        emit(found)
        return
    rows = [
        [verb, reason, str(amount.files), size_text(amount.bytes)]
        for verb, amounts in (("removed", found.removed), ("kept", found.kept))
        for reason in amounts.__struct_fields__
        if (amount := getattr(amounts, reason)).files
    ]
    if rows:
        say(table(("", "WHAT", "FILES", "BYTES"), rows, right="FILES BYTES"))
    if found.held:
        say(f"something is running: what was needed since {found.limit} is kept")
    total = found.removed.total
    verb = "would remove" if dry_run else "removed"
    say(f"{verb} {count_text(total.files, 'file')}, {size_text(total.bytes)}")


def _seconds(text: str) -> int:
    """Return the seconds of a duration."""
    from regtui.core.query.times import read_duration

    found = read_duration("0s" if text == "0" else text)
    if found is None:
        raise BadInput(f"--grace {text!r} is no duration", "such as 14d, 12h, 30m or 0")
    return found // 1000
