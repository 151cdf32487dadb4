"""`regtui hook add | ls | rm | test | run | log`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import RegtuiError
from regtui.core.wording import count_text
from regtui.registry.figures import age_text

if TYPE_CHECKING:
    from regtui.registry.hook_rules import HookAnswer
    from regtui.registry.hooks import HookRun

app = group("Run commands when something was done to the registry.")

_SAID = 60
"""Characters of what a hook printed that a line of the log shows."""

Name = Annotated[str, typer.Argument(metavar="HOOK", help="As `hook ls` calls it.")]


@app.command()
def add(
    on: Annotated[
        list[str],
        typer.Option(
            metavar="EVENT,…",
            help="Such as version.capture, promotion.*, deployment.*, alias.moved, or *.",
        ),
    ],
    run: Annotated[
        str, typer.Option(metavar="COMMAND", help="It gets the operation as JSON on its input.")
    ],
    models: Annotated[
        str, typer.Option(metavar="SCOPE", help="A model, team/*, or * for everything.")
    ] = "*",
    timeout: Annotated[str, typer.Option(metavar="TIME", help="How long it may take.")] = "1m",
) -> None:
    """Run a command whenever something is done from now on, by whoever sees it here."""
    events = [word.strip() for given in on for word in given.split(",") if word.strip()]
    hook = SETTINGS.registry().add_hook(events, run, models=models, timeout=timeout)
    if SETTINGS.json:
        emit({"hook": hook})
        return
    say(f"{hook.hook} runs {hook.run} on {', '.join(hook.on)}")


@app.command()
def ls() -> None:
    """List the hooks of this home."""
    found = SETTINGS.registry().hooks()
    if SETTINGS.json:
        emit({"hooks": found})
        return
    if not found:
        warn("no hooks yet; `regtui hook add --on EVENT --run COMMAND` adds one")
        return
    say(table(("HOOK", "ON", "MODELS", "TIMEOUT", "RUNS"), [_row(one) for one in found]))
    if not all(one.trusted for one in found):
        warn("who acts here did not add all of them: these are not run; `hook add` trusts one")


@app.command()
def rm(name: Name) -> None:
    """Remove a hook."""
    gone = SETTINGS.registry().remove_hook(name)
    if SETTINGS.json:
        emit({"hook": gone})
        return
    say(f"{gone.hook} is removed; it ran {gone.run}")


@app.command("test")
def try_(
    name: Name,
    operation: Annotated[
        int | None, typer.Option(metavar="SEQ", help="For this one; else the newest that fits.")
    ] = None,
) -> None:
    """Run a hook now and show what it prints; exits with 1 where it fails."""
    done = SETTINGS.registry().try_hook(name, operation)
    if SETTINGS.json:
        emit({"run": done})
    else:
        say(f"{_outcome(done)} for #{done.seq}: {done.summary}")
        if done.output:
            say(done.output)
    if done.outcome == "done":
        return
    if SETTINGS.json:
        raise typer.Exit(RegtuiError.exit_code)
    raise RegtuiError(f"the hook {done.hook} did not succeed: {_outcome(done)}")


@app.command()
def run() -> None:
    """Run hooks for what was done since they were run last, which else happens by itself."""
    done = SETTINGS.registry().run_hooks()
    if SETTINGS.json:
        emit({"runs": done})
        return
    for one in done:
        say(f"{one.hook}  #{one.seq}  {_outcome(one)}  {one.summary}")
    say(f"ran {count_text(len(done), 'hook')}")


@app.command()
def log(
    limit: Annotated[int, typer.Option(min=1, help="Runs to show.")] = 20,
) -> None:
    """Tell what hooks did, newest first."""
    found = SETTINGS.registry().hook_log(limit=limit)
    if SETTINGS.json:
        emit({"runs": found})
        return
    if not found:
        warn("no hook was run yet")
        return
    rows = [
        [one.hook, f"#{one.seq}", age_text(one.at), _outcome(one), one.summary, _said(one.output)]
        for one in found
    ]
    say(table(("HOOK", "SEQ", "AGE", "ENDED", "FOR", "SAID"), rows))


def _row(hook: "HookAnswer") -> list[str]:
    command = hook.run if hook.trusted else f"(not trusted) {hook.run}"
    return [hook.hook, ", ".join(hook.on), hook.models, hook.timeout, command]


def _said(output: str) -> str:
    """Return the beginning of what a hook printed; `--json` has all of it."""
    first, _, more = output.strip().partition("\n")
    shown = first.rstrip()
    if len(shown) > _SAID or more:
        return shown[: _SAID - 1].rstrip() + "…"
    return shown


def _outcome(done: "HookRun") -> str:
    if done.outcome == "failed" and done.code is not None:
        ended = f"signal {-done.code}" if done.code < 0 else f"exit {done.code}"
        return f"failed ({ended}) after {done.seconds:g} s"
    return f"{done.outcome} after {done.seconds:g} s"
