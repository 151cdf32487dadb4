"""`regtui check put | ls | show | rm | run | report | log | trust | untrust`."""

import re
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete, values
from regtui.cli.check_text import run_line, runs_table
from regtui.cli.commands import group
from regtui.cli.definition_files import tables_in
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput, Denied, RegtuiError
from regtui.core.wording import count_text

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.registry.answers_checks import CheckAnswer, Checked

app = group("Say how versions are tried, and try them.")

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete.checks)]
Reference = Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)]
Models = Annotated[
    str | None,
    typer.Option(
        "--models",
        metavar="SCOPE",
        help="Where several have the name.",
        autocompletion=complete.scopes,
    ),
]

_PLACEHOLDER = re.compile(r"""(?<![$%\w({'"]){([A-Za-z_]\w*)}""")
"""What looks like one of a check's own, and not like the code of a shell or a program."""

_LOG_LIMIT = 64 << 20
"""Bytes of a log file that are read; of them beginning and end are kept."""


@app.command()
def put(
    file: Annotated[str, typer.Argument(metavar="FILE.toml", help="With [[check]]; - reads it.")],
) -> None:
    """Put the checks of a file: all of them or none. Their commands may run here."""
    wanted = [_wanted(one) for one in tables_in(file, "check")]
    done = SETTINGS.registry().put_checks(wanted)
    if SETTINGS.json:
        emit({"checks": [{"check": one, "changed": changed} for one, changed in done]})
        return
    for one, changed in done:
        verb = "tries" if changed else "tries already"
        say(f"{one.check} {verb} {one.models}: {one.does}")
        for name in _PLACEHOLDER.findall(str(one.definition.get("run", ""))):
            if name not in {"version", "files"}:
                warn(f"{{{name}}} in {one.check} stands for nothing; {{version}} and {{files}} do")


@app.command()
def ls(
    of: Annotated[
        str | None,
        typer.Argument(
            metavar="[MODEL|REF]",
            help="Checks of a model; runs of a version.",
            autocompletion=complete.references,
        ),
    ] = None,
) -> None:
    """List checks, those that hold for a model, or what they told of a version."""
    registry = SETTINGS.registry()
    if of is not None and ("@" in of or of.startswith(":")):
        runs = registry.check_runs(of)
        if SETTINGS.json:
            emit({"runs": runs})
        elif runs:
            say(runs_table(runs))
        else:
            warn(f"no check was run on {of} yet; `regtui check run {of}` runs those that hold")
        return
    found = registry.checks(of)
    if SETTINGS.json:
        emit({"checks": found})
        return
    if not found:
        warn("no checks yet; `regtui check put FILE.toml` puts some")
        return
    rows = [
        [one.check, one.models, ", ".join(one.definition.get("on", [])), _trusted(one), one.does]
        for one in found
    ]
    say(table(("CHECK", "MODELS", "ON", "TRUSTED", "DOES"), rows))


@app.command()
def show(name: Name, models: Models = None) -> None:
    """Show a check."""
    found = SETTINGS.registry().check(name, models)
    if SETTINGS.json:
        emit({"check": found})
        return
    say(_toml(found))
    say(f"# {found.digest[:12]}, {'trusted' if found.trusted else 'not trusted'} on this machine")


@app.command("rm")
def remove(name: Name, models: Models = None) -> None:
    """Take a check away; what its runs told stays."""
    found = SETTINGS.registry().remove_check(name, models)
    if SETTINGS.json:
        emit({"check": found})
        return
    say(f"removed {found.check}, which tried {found.models}")


@app.command()
def run(
    reference: Annotated[
        str | None,
        typer.Argument(metavar="[REF]", help="A version.", autocompletion=complete.references),
    ] = None,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[NAME]...", help="Checks; none for all.", autocompletion=complete.checks
        ),
    ] = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="Run what waits: on capture and on request.")
    ] = False,
    loop: Annotated[
        int | None,
        typer.Option(metavar="SECONDS", min=1, help="With --pending: again and again."),
    ] = None,
    limit: Annotated[
        int, typer.Option(min=1, max=10_000, help="With --pending: runs at once.")
    ] = 100,
) -> None:
    """Run checks of a version, or what waits to be run; fails where one does not pass or run."""
    if pending == (reference is not None):
        raise BadInput(
            "it runs the checks of a version or what waits", "name a version, or give --pending"
        )
    if loop is not None and not pending:
        raise BadInput("--loop goes with --pending")
    registry = SETTINGS.registry()
    if loop is not None:
        _loop(registry, loop, limit)
        return
    if reference is not None:
        found = registry.run_checks(reference, names or [], on_start=_begins)
    else:
        found = registry.run_pending_checks(limit=limit, on_start=_begins, on_offline=warn)
    _tell(found, always=True)
    if not found.passed or found.refused or (found.untrusted and not pending):
        raise typer.Exit(1)
    if found.untrusted:
        raise typer.Exit(Denied.exit_code)


@app.command()
def report(
    reference: Reference,
    name: Name,
    passed: Annotated[bool, typer.Option("--passed")] = False,
    failed: Annotated[bool, typer.Option("--failed")] = False,
    error: Annotated[bool, typer.Option("--error", help="It could not be tried.")] = False,
    timeout: Annotated[bool, typer.Option("--timeout")] = False,
    figure: Annotated[list[str], typer.Option(help="NAME=VALUE.")] = [],
    log: Annotated[
        str | None, typer.Option(metavar="FILE", help="What it printed; - reads it.")
    ] = None,
    runner: Annotated[str | None, typer.Option(help="Where it ran; here by default.")] = None,
) -> None:
    """Tell how a check ended that was run elsewhere."""
    given = {"passed": passed, "failed": failed, "error": error, "timeout": timeout}
    chosen = [outcome for outcome, is_given in given.items() if is_given]
    if len(chosen) != 1:
        raise BadInput("a check has one outcome", "--passed, --failed, --error or --timeout")
    figures = {key: _figure(key, text) for key, text in values.pairs(figure, "--figure").items()}
    told = SETTINGS.registry().report_check(
        reference, name, chosen[0], figures=figures, log=_log(log), runner=runner
    )
    if SETTINGS.json:
        emit({"run": told})
        return
    say(run_line(told) + ("" if told.counts else "  (policies go by reporters only)"))


@app.command("log")
def log_(
    reference: Reference,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|ID", help="A check, or a run.", autocompletion=complete.checks
        ),
    ],
) -> None:
    """Print what the last run of a check printed."""
    told, text = SETTINGS.registry().check_log(reference, name)
    if SETTINGS.json:
        emit({"run": told, "log": text})
        return
    if text:
        say(text.rstrip("\n"))
    else:
        warn(f"{told.check} printed nothing; it {told.outcome}")


@app.command()
def trust(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME|DIGEST]", help="None lists them.", autocompletion=complete.checks
        ),
    ] = None,
    models: Models = None,
) -> None:
    """Let the command of a check run on this machine, as it is defined now."""
    registry = SETTINGS.registry()
    if name is None:
        found = registry.trusted_checks()
        if SETTINGS.json:
            emit({"trusted": found})
            return
        rows = [[one.digest[:12], ", ".join(one.checks) or "(no check is so now)"] for one in found]
        say(table(("DIGEST", "CHECKS"), rows)) if rows else warn("nothing is trusted here yet")
        return
    done = registry.trust_check(name, models)
    if SETTINGS.json:
        emit({"trusted": [done]})
        return
    say(f"{', '.join(done.checks) or done.digest[:12]} may run on this machine")


@app.command()
def untrust(
    name: Annotated[str, typer.Argument(metavar="NAME|DIGEST", autocompletion=complete.checks)],
    models: Models = None,
) -> None:
    """Let the command of a check run on this machine no more."""
    done = SETTINGS.registry().untrust_check(name, models)
    if SETTINGS.json:
        emit({"untrusted": done})
        return
    say(f"{', '.join(done.checks) or done.digest[:12]} may not run on this machine any more")


def tell_checked(found: "Checked") -> None:
    """Tell a person how checks ended, and which could not run."""
    for one in found.runs:
        say(run_line(one))
    for one in found.runs:
        if not one.passed:
            warn(
                f"{one.check} of {one.reference} ended as {one.outcome}; "
                f"`regtui check log {one.reference} {one.check}` tells more"
            )
    for name in found.untrusted:
        warn(f"{name} did not run: its command is not trusted here; `regtui check trust {name}`")


def _tell(found: "Checked", *, always: bool) -> None:
    if SETTINGS.json:
        if always or found.runs:
            emit(found)
            sys.stdout.flush()
        return
    tell_checked(found)
    if found.more:
        warn(f"{found.more} more wait")
    if found.refused:
        warn(f"{count_text(found.refused, 'change')} refused; `regtui outbox ls` tells why")
    if always and not found.runs and not found.untrusted:
        warn("no check is to be run")
    sys.stdout.flush()


def _loop(registry: "Registry", seconds: int, limit: int) -> None:
    """Run what waits again and again, until it is told to end."""
    from regtui.checks.command import Stopped
    from regtui.cli.stopping import stopped_by_signals

    stop, told = Event(), ""
    with stopped_by_signals(stop.set):
        while not stop.is_set():
            more = 0
            try:
                found = registry.run_pending_checks(
                    limit=limit, stop=stop, on_start=_begins, on_offline=warn
                )
                _tell(found, always=False)
                told, more = "", found.more
            except Stopped:
                return
            except RegtuiError as error:  # what it is about may be mended meanwhile
                if str(error) != told:
                    told = str(error)
                    warn(told)
            if not more:
                stop.wait(seconds)


def _begins(reference: str, name: str) -> None:
    if sys.stderr.isatty():
        warn(f"{name} on {reference} …")


def _wanted(given: dict[str, Any]) -> Any:
    from regtui.registry.checks import WantedCheck

    definition = {key: value for key, value in given.items() if key not in {"name", "models"}}
    name, models = given.get("name"), given.get("models", "*")
    if not isinstance(name, str) or not isinstance(models, str):
        raise BadInput("a check has a name, and models that it is about", "docs/checks.md")
    return WantedCheck(name, models, definition)


def _figure(name: str, text: str) -> float:
    from regtui.checks.figures import figures_of

    found = figures_of({name: text})
    if found.problems:
        raise BadInput(found.problems[0])
    return float(found.figures[name])


def _log(path: str | None) -> str:
    if path is None:
        return ""
    try:
        if path == "-":
            data = sys.stdin.buffer.read(_LOG_LIMIT)
        else:
            with Path(path).open("rb") as file:
                data = file.read(_LOG_LIMIT)
    except OSError as error:
        raise BadInput(f"can't read --log {path}: {error.strerror}") from None
    return data.decode("utf-8", "replace")


def _trusted(check: "CheckAnswer") -> str:
    return "yes" if check.trusted else "no"


def _toml(check: "CheckAnswer") -> str:
    """Return a check as a file has it."""
    import tomlkit

    document, tables, one = tomlkit.document(), tomlkit.aot(), tomlkit.table()
    for key, value in {"name": check.check, "models": check.models, **check.definition}.items():
        one.add(key, value)
    tables.append(one)
    document.add("check", tables)
    return tomlkit.dumps(document).strip()
