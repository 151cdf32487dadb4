"""`regtui doctor`."""

from typing import Annotated

import typer

from regtui.cli.commands import single
from regtui.cli.output import emit, say
from regtui.cli.progress import Progress
from regtui.cli.settings import SETTINGS
from regtui.core.errors import Damaged
from regtui.core.wording import count_text

app = single()

MARKS = {"ok": "ok", "repaired": "repaired", "warning": "warning", "problem": "PROBLEM"}


@app.command()
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Mend what can be mended; nothing is lost by it.")
    ] = False,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Make the typed tables anew in any case.")
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Read every stored file again; damaged ones are set aside."),
    ] = False,
) -> None:
    """Examine the registry, and mend it.

    Exits with 8 where a problem stays.
    """
    with Progress("examining") as progress:
        found = SETTINGS.registry().doctor(
            repair=repair, rebuild=rebuild, deep=deep, on_progress=progress
        )
    if SETTINGS.json:
        emit(found)
    else:
        for one in found.checks:
            hint = f"\n{'':20}{one.hint}" if one.hint and one.status != "ok" else ""
            say(f"{MARKS[one.status]:9} {one.check:15}  {one.message}{hint}")
    if found.healthy:
        return
    if SETTINGS.json:
        raise typer.Exit(Damaged.exit_code)
    problems = sum(one.status == "problem" for one in found.checks)
    raise Damaged(f"{count_text(problems, 'problem')} in {found.home}", "what to do stands above")
