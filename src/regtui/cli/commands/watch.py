"""`regtui watch [PATH]…`, and `regtui watch VERB` for rules, explanations and the background."""

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from regtui.cli import complete
from regtui.cli.output import emit, printable, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.cli.stopping import stopped_by_signals

if TYPE_CHECKING:
    from regtui.capture.events import Event
    from regtui.registry.watch_rules import WatchRule
    from regtui.registry.watch_status import WatchStatus
    from regtui.registry.watch_test import Explained, ExplainedUnit


class _Watching(TyperGroup):
    """A group in which what is no command is a folder to watch."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Find the command; `watch PATH` is short for `watch run PATH`, and so is `watch`."""
        known = bool(args) and (args[0] in self.list_commands(ctx) or args[0] in {"-h", "--help"})
        return super().parse_args(ctx, args if known else ["run", *args])


app = typer.Typer(
    cls=_Watching,
    help="Capture what trainers finish in folders.\n\n`regtui watch PATH` is short for `run`.",
    add_completion=False,
    rich_markup_mode=None,
)

Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="The model, such as team/ranker or {parent}/{run}.",
        autocompletion=complete.models,
    ),
]
Exclude = Annotated[list[str], typer.Option(metavar="GLOB", help="Leave out names or paths.")]
_KEEP = typer.Option(
    metavar="RULE", help="all, final, last N, best N, every N; several with commas."
)
Keep = Annotated[str, _KEEP]
KeepIfSaid = Annotated[str | None, _KEEP]
Without = Annotated[
    list[str], typer.Option(metavar="PART", help="Do not collect this part of a run's context.")
]
Parents = Annotated[
    list[str],
    typer.Option(
        "--parent",
        metavar="REF",
        help="What they were made from.",
        autocompletion=complete.references,
    ),
]
Inputs = Annotated[
    list[str],
    typer.Option(
        "--input", help="A dataset: NAME=URI, or NAME alone.", autocompletion=complete.datasets
    ),
]
Folder = Annotated[str, typer.Argument(metavar="PATH", help="A folder.")]


@app.command()
def run(
    paths: Annotated[
        list[str] | None, typer.Argument(metavar="[PATH]...", help="Folders; none for the rules.")
    ] = None,
    model: Model = None,
    once: Annotated[
        bool, typer.Option("--once", help="Capture what is there and end, for jobs and cron.")
    ] = False,
    exclude: Exclude = [],
    keep: Keep = "all",
    without: Without = [],
    parent: Parents = [],
    input_: Inputs = [],
    no_checks: Annotated[
        bool, typer.Option("--no-checks", help="Run no checks of what is captured.")
    ] = False,
) -> None:
    """Capture what trainers finish, now and since last time."""
    from regtui.registry.watch import Stop

    options = (model, keep, exclude, without, parent, input_)
    rules = [_rule(path, *options) for path in paths or []]
    stop = Stop()
    failed: set[tuple[str, str | None]] = set()

    def tell(event: "Event") -> None:
        key = event.root, event.path
        if event.event == "failed":
            failed.add(key)
        elif event.event in {"captured", "known", "deleted", "skipped"}:
            failed.discard(key)
        _tell(event)

    with stopped_by_signals(stop):
        SETTINGS.registry(via="watcher").watch(
            rules, tell=tell, once=once, stop=stop, checks=not no_checks
        )
    if once and failed:
        raise typer.Exit(1)


@app.command()
def add(
    path: Folder,
    model: Model = None,
    exclude: Exclude = [],
    keep: KeepIfSaid = None,
    without: Without = [],
    parent: Parents = [],
    input_: Inputs = [],
) -> None:
    """Keep a rule: `regtui watch` alone watches this folder.

    Of a rule that is kept already only what is said here changes.
    """
    from msgspec import structs

    registry = SETTINGS.registry()
    before = registry.watch_rule(path)
    said = _rule(path, model, keep or "all", exclude, without, parent, input_)
    if before is not None:
        given = {name: value for name, value in structs.asdict(said).items() if value}
        if keep is None:
            del given["keep"]
        said = structs.replace(before, **given | {"path": before.path})
    kept = registry.add_watch_rule(said)
    if SETTINGS.json:
        emit({"rule": kept})
        return
    verb = "watches" if before is None else "unchanged:" if kept == before else "changed: watches"
    model_ = "" if kept.model is None else f" as {kept.model}"
    say(f"{verb} {printable(kept.path)}{model_}, keeps {kept.keep}")


@app.command("list")
def list_() -> None:
    """List the rules."""
    rules = SETTINGS.registry().watch_rules()
    if SETTINGS.json:
        emit({"rules": rules})
        return
    if not rules:
        warn("no rules yet; `regtui watch add PATH` keeps one")
        return
    rows = [[one.path, one.model or "", one.keep, ", ".join(one.exclude)] for one in rules]
    say(table(("PATH", "MODEL", "KEEP", "EXCLUDE"), rows))


@app.command()
def remove(path: Folder) -> None:
    """Remove the rule of a folder; what was captured stays."""
    gone = SETTINGS.registry().remove_watch_rule(path)
    if SETTINGS.json:
        emit({"rule": gone})
        return
    say(f"watches {printable(gone.path)} no more")


@app.command("test")
def explain(
    path: Annotated[str, typer.Argument(metavar="PATH", help="A file or folder.")],
    model: Model = None,
    keep: KeepIfSaid = None,
    exclude: Exclude = [],
) -> None:
    """Tell what would be captured, and why or why not; nothing is done.

    A path that is watched by a rule is judged by it, but for what is said here.
    """
    told = SETTINGS.registry().watch_test(path, model=model, keep=keep, exclude=exclude or None)
    if SETTINGS.json:
        emit(told)
        return
    say("\n".join(_explained(told, path)))


@app.command()
def status(
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="Events at most.")] = 20,
) -> None:
    """Tell what is watched, by whom, what is being captured, and what came of it."""
    found = SETTINGS.registry().watch_status(limit=limit)
    if SETTINGS.json:
        emit(found)
        return
    if found.problem:
        warn(found.problem)
    elif not found.folders and not found.events:
        warn("nothing is watched; `regtui watch add PATH` keeps a folder")
        return
    if lines := _status(found):
        say("\n".join(lines))


@app.command()
def start() -> None:
    """Watch by the rules in the background; it goes on when the terminal is closed."""
    pid, is_new = SETTINGS.registry(via="watcher").start_watcher()
    if SETTINGS.json:
        emit({"pid": pid})
        return
    verb = "watches" if is_new else "watches already"
    say(f"{verb} in process {pid}; `regtui watch status` tells what it does")


@app.command()
def stop() -> None:
    """Stop the watchers by the rules on this machine; what they have taken is finished."""
    pids = SETTINGS.registry().stop_watchers()
    if SETTINGS.json:
        emit({"stopped": pids})
        return
    if not pids:
        warn("no watcher by the rules runs on this machine")
        return
    say(f"stopped {', '.join(f'process {pid}' for pid in pids)}")


@app.command()
def install() -> None:
    """Print a unit of systemd that watches by the rules, for ~/.config/systemd/user."""
    unit = _UNIT.format(
        program=_quoted(sys.executable), home=_quoted(str(SETTINGS.registry().home))
    )
    if SETTINGS.json:
        emit({"unit": unit})
        return
    say(unit.rstrip())


_UNIT = """\
[Unit]
Description=regtui watches the folders of trainers

[Service]
ExecStart={program} -m regtui watch --home {home}
Restart=on-failure
RestartSec=10
Nice=10
IOSchedulingClass=idle
TimeoutStopSec=90

[Install]
WantedBy=default.target
"""


def _quoted(text: str) -> str:
    """Return a word of a command line as systemd reads it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(c in escaped for c in " \"'\\$;") else escaped


def _rule(
    path: str,
    model: str | None,
    keep: str,
    exclude: list[str],
    without: list[str],
    parents: list[str],
    inputs: list[str],
) -> "WatchRule":
    from regtui.registry.watch_rules import WatchRule

    return WatchRule(
        path=path,
        model=model,
        keep=keep,
        exclude=tuple(exclude),
        without=tuple(without),
        parents=tuple(parents),
        inputs=tuple(inputs),
    )


def _tell(event: "Event") -> None:
    if SETTINGS.json:
        emit(event)
        sys.stdout.flush()
        return
    where = event.path if event.path is not None else event.root
    where, message = printable(where or "."), printable(event.message)
    say("  ".join(part for part in (f"{event.event:<10}", where, message) if part))
    sys.stdout.flush()


def _status(found: "WatchStatus") -> list[str]:
    from regtui.registry.figures import age_text, size_text

    lines = []
    for folder in found.folders:
        who = ", ".join(f"process {one.pid} on {one.host}" for one in folder.watchers)
        missing = "" if folder.is_there else "; it is not there"
        watched = f"watched by {who}" if who else "not watched"
        lines.append(f"{printable(folder.path)}  {watched}{missing}")
        for report in folder.watchers:
            for one in report.doing:
                done = f"{size_text(one.stored)} of " if one.phase == "capturing" else ""
                reason = f"  {printable(one.reason)}" if one.reason else ""
                where = printable(one.path) or "."
                lines.append(f"  {one.phase:<9} {where}  {done}{size_text(one.size)}{reason}")
            if report.more:
                lines.append(f"  and {report.more:,} more")
    shown = {report.pid for folder in found.folders for report in folder.watchers}
    lines += [f"process {pid} watches by the rules" for pid in found.by_rules if pid not in shown]
    for told in found.events:
        where = printable(told.path if told.path is not None else told.root) or "."
        lines.append(
            f"{age_text(told.at):>4}  {told.event:<10}  {where}  {printable(told.message)}".rstrip()
        )
    return lines


def _explained(told: "Explained", asked: str) -> list[str]:
    lines = []
    if told.rule is not None:
        name = "" if told.rule.model is None else f"model {told.rule.model}, "
        lines.append(f"by the rule for {told.rule.path}: {name}keeps {told.rule.keep}")
    for unit in told.units:
        lines += _unit(unit, _shown(told, asked, unit.path))
    if told.more:
        lines.append(f"and {told.more:,} more")
    if told.reason:
        lines.append(f"{printable(_shown(told, asked, told.path))}: {told.reason}")
    lines += [f"  {name}: {reason}" for name, reason in told.considered.items()]
    return lines


def _shown(told: "Explained", asked: str, path: str) -> str:
    """Return a path as it is told by who watches it; without a rule, as it was asked for."""
    if told.rule is not None:
        return path or "."
    whole = os.path.join(told.root, path) if path else told.root  # noqa: PTH118 -- a string
    is_relative = not os.path.isabs(os.path.expanduser(asked))  # noqa: PTH111, PTH117 -- a string
    return os.path.relpath(whole) if is_relative else whole


def _unit(unit: "ExplainedUnit", path: str) -> list[str]:
    from regtui.core.wording import count_text

    if unit.captured:
        verdict = f"would be captured as {unit.model}"
    else:
        verdict = f"not yet: {unit.reason}" if unit.known is None else f"known: {unit.reason}"
    step = "" if unit.step is None else f", step {unit.step}"
    lines = [f"{printable(path)}  {verdict}"]
    files = count_text(len(unit.files), "file")
    lines.append(f"  {unit.recogniser}, run {printable(unit.run)}{step}, {files}")
    shown = ", ".join(f"{name} = {value}" for name, value in list(unit.metrics.items())[:8])
    lines += [f"  metrics: {shown}"] if shown else []
    lines += [f"  also called {', '.join(unit.labels)}"] if unit.labels else []
    return lines + [f"  {problem}" for problem in unit.problems]
