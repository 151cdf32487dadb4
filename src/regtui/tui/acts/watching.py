"""Watching: choose folders, how they are watched, and who watches them."""

from typing import TYPE_CHECKING

from regtui.core.wording import count_text
from regtui.registry.figures import size_text
from regtui.registry.watch_rules import WatchRule, checked, refuse_file
from regtui.tui.acts.asking import ask
from regtui.tui.acts.beside import beside
from regtui.tui.acts.telling import command, tell
from regtui.tui.background import in_background
from regtui.tui.screens.path_prompt import PathPrompt
from regtui.tui.screens.prompt import Confirm
from regtui.tui.screens.report import Report
from regtui.tui.screens.watch_rule import RuleForm

if TYPE_CHECKING:
    from regtui.registry.watch_status import WatchedFolder
    from regtui.registry.watch_test import Explained, ExplainedUnit
    from regtui.tui.app import RegtuiApp

METRICS = 6
"""Metrics of a state that are shown where it is explained."""


async def add_folder(app: "RegtuiApp") -> None:
    """Ask for a folder and how to watch it, and offer to watch it at once."""
    hint = "the folder of your runs; it need not be there yet"
    path = await ask(app, PathPrompt("Watch a folder", hint, _refuse_file))
    if path is not None:
        await _keep(app, WatchRule(path=path.strip()), is_new=True)


def _refuse_file(typed: str) -> None:
    refuse_file(checked(WatchRule(path=typed.strip())))


async def edit_rule(app: "RegtuiApp", folder: "WatchedFolder") -> None:
    """Change how a folder is watched; one without a rule gets one."""
    rule = folder.rule or WatchRule(path=folder.path)
    await _keep(app, rule, is_new=folder.rule is None)


async def _keep(app: "RegtuiApp", rule: WatchRule, *, is_new: bool) -> None:
    wanted = await ask(app, RuleForm(app.registry, rule, is_new=is_new))
    if wanted is None:
        return
    kept = await app.act(lambda registry: registry.add_watch_rule(wanted))
    if kept is None:
        return
    tell(app, f"watches {kept.path}, keeps {kept.keep}", _add_command(kept), can_undo=False)
    app.look_at_watchers()
    if not await _is_watched(app, kept):
        sentence = "It goes on when you leave the app; `regtui watch stop` ends it."
        if await ask(app, Confirm("Start watching now?", sentence)):
            await start_watching(app)


async def remove_rule(app: "RegtuiApp", rule: WatchRule) -> None:
    """Watch a folder no more, after a yes."""
    sentence = f"{rule.path}\n\nWhat was captured of it stays."
    if not await ask(app, Confirm("Watch this folder no more?", sentence)):
        return
    gone = await app.act(lambda registry: registry.remove_watch_rule(rule.path))
    if gone is not None:
        line = command("watch", "remove", gone.path)
        tell(app, f"watches {gone.path} no more", line, can_undo=False)
        app.look_at_watchers()


async def start_watching(app: "RegtuiApp") -> None:
    """Start a watcher of the rules that goes on by itself."""
    started = await beside(app, app.registry.start_watcher)
    if started is not None:
        line = command("watch", "start")
        already = "" if started.is_new else " already"
        tell(
            app,
            f"process {started.pid} watches{already}, also when you leave the app",
            line,
            can_undo=False,
        )
        app.look_at_watchers()


async def stop_watching(app: "RegtuiApp") -> None:
    """Stop the watchers of the rules, after a yes."""
    sentence = "What they have taken is finished. What trainers write from then on is not captured."
    if not await ask(app, Confirm("Stop watching?", sentence)):
        return
    app.notify("stopping …", timeout=2)
    pids = await beside(app, app.registry.stop_watchers)
    if pids is not None:
        processes = ", ".join(f"process {pid}" for pid in pids)
        line = command("watch", "stop")
        tell(app, f"stopped {processes or 'nothing: no watcher runs'}", line, can_undo=False)
        app.look_at_watchers()


async def explain(app: "RegtuiApp", path: str, rule: WatchRule | None = None) -> None:
    """Tell what would be captured of a path, and why or why not."""
    told = await in_background(lambda: app.registry.watch_test(path, rule=rule))
    title = f"What would be captured of {told.path or told.root}"
    await ask(app, Report(title, [summary(told), "", *lines(told)]))


def summary(told: "Explained") -> str:
    """Return in one line what would be captured of a folder."""
    if told.reason:
        return told.reason
    count = len(told.units) + told.more
    taken = [unit for unit in told.units if unit.captured]
    size = size_text(sum(unit.bytes for unit in taken))
    return f"{count_text(count, 'state')}, {len(taken):,} would be captured now: {size}"


def lines(told: "Explained") -> list[str]:
    """Return the explanation of a path, line by line."""
    found = [line for unit in told.units for line in _unit(unit)]
    if told.more:
        found.append(f"and {told.more:,} more")
    return found + [f"{name}: {reason}" for name, reason in told.considered.items()]


def _unit(unit: "ExplainedUnit") -> list[str]:
    if unit.captured:
        verdict = f"would be {unit.model}"
    else:
        verdict = f"not now: {unit.reason}" if unit.known is None else f"known: {unit.reason}"
    step = "" if unit.step is None else f", step {unit.step:,}"
    size = f"{count_text(len(unit.files), 'file')}, {size_text(unit.bytes)}"
    found = [
        f"{unit.path or '.'}  {verdict}",
        f"  {unit.recogniser}, run {unit.run}{step}, {size}",
    ]
    shown = list(unit.metrics.items())[:METRICS]
    found += ["  " + ", ".join(f"{name} = {value}" for name, value in shown)] if shown else []
    found += [f"  also called {', '.join(unit.labels)}"] if unit.labels else []
    return found + [f"  {problem}" for problem in unit.problems]


async def _is_watched(app: "RegtuiApp", rule: WatchRule) -> bool:
    """Tell whether somebody watches by the rules, who follows them."""
    status = await in_background(lambda: app.registry.watch_status(limit=0))
    return bool(status.by_rules) or any(
        report.root == rule.path for folder in status.folders for report in folder.watchers
    )


def _add_command(rule: WatchRule) -> str:
    words = ["watch", "add", rule.path]
    words += ["--model", rule.model] if rule.model else []
    words += ["--keep", rule.keep] if rule.keep != "all" else []
    several = {
        "--exclude": rule.exclude,
        "--without": rule.without,
        "--parent": rule.parents,
        "--input": rule.inputs,
    }
    for option, values in several.items():
        for value in values:
            words += [option, value]
    return command(*words)
