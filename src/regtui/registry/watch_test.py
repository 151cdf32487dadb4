"""Telling what a watcher would capture of a path, and why; or why not."""

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from msgspec import Struct

from regtui.capture.beside import UP, Beside
from regtui.capture.complete import completeness
from regtui.capture.findings import Findings
from regtui.capture.keep import KeepRule, State, kept, parse_keep
from regtui.capture.listing import Listing, is_excluded, list_folder
from regtui.capture.naming import check_template, model_name, run_name
from regtui.capture.readers import read_all
from regtui.capture.recognise import Unit, considered, recognise
from regtui.capture.recogniser import Recogniser
from regtui.capture.run_files import on_disk
from regtui.capture.writers import is_written
from regtui.core import encoding
from regtui.core.errors import NotFound
from regtui.registry.context import Context
from regtui.registry.watch import settings_of
from regtui.registry.watch_judging import judged_by
from regtui.registry.watch_known import Known, known_states
from regtui.registry.watch_rules import WatchRule, rules

UNITS_LIMIT = 200
"""States that are explained; a folder may hold thousands."""


class ExplainedUnit(Struct, frozen=True, kw_only=True):
    """One state of a path.

    Attributes:
        path: Relative to the folder that was looked at.
        recogniser: Which trainer's it is.
        captured: Whether it would be captured now.
        known: What it is called in the registry; None where it is not there yet.
        reason: Why it would not be captured; empty where it would.
        bytes: Of its files.
        files: Paths of what makes the version.
        model: Name of the model.
        run: Name of the run.
        step: Of the state.
        labels: Other names of the same content.
        metrics: Value by name.
        params: Value by name.
        problems: What could not be read.
    """

    path: str
    recogniser: str
    captured: bool
    known: str | None
    reason: str
    bytes: int
    files: list[str]
    model: str
    run: str
    step: int | None
    labels: list[str]
    metrics: dict[str, float | str]
    params: dict[str, Any]
    problems: list[str]


class Explained(Struct, frozen=True, kw_only=True):
    """What a watcher makes of a path.

    Attributes:
        root: The folder that is watched, or that would be.
        rule: The kept rule that it was judged by; None where none watches it.
        path: What was asked about, relative to it; empty for the folder itself.
        units: The states that were found there, at most 200.
        more: How many there are beside those.
        considered: Which recognisers match what was asked about, and what each says of it.
        reason: Why there is no state; empty where there is one.
    """

    root: str
    rule: WatchRule | None
    path: str
    units: list[ExplainedUnit]
    more: int
    considered: dict[str, str]
    reason: str


def explain(  # noqa: PLR0913 -- what may be tried, by name
    context: Context,
    path: str,
    *,
    model: str | None = None,
    keep: str | None = None,
    exclude: Sequence[str] | None = None,
    rule: WatchRule | None = None,
) -> Explained:
    """Tell what would be captured of a file or folder; nothing is done.

    Args:
        context: The registry.
        path: The file or folder.
        model: Name of the model, with fields or without; None for what the rule says.
        keep: Which states would be kept, if all that are there came at once; None likewise.
        exclude: Patterns of what is left out; None likewise.
        rule: What it is judged by; None for the kept rule that watches the path, if one does.

    Raises:
        NotFound: There is no such path.
        BadInput: A recogniser of the user's, the name, the rule or the file of rules is malformed.
    """
    asked = Path(os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 -- links stay
    if not asked.exists():
        raise NotFound(f"there is no file or folder {path}")
    folder = asked.parent if asked.is_file() else asked
    judged_by_rule = _rule_of(context, asked) if rule is None else None
    rule = rule or judged_by_rule
    if rule is None:
        # Its run, and what lies right above, may tell more than the file or checkpoint alone.
        root = [folder, *folder.parents][: UP + 2][-1]
    else:
        root = rule.folder
        model = rule.model if model is None else model
        keep = rule.keep if keep is None else keep
        exclude = rule.exclude if exclude is None else exclude
    keep_rules = parse_keep(keep or "all")
    exclude = tuple(exclude or ())
    if model is not None:
        check_template(model)
    settings = settings_of(context, WatchRule(path=str(root)))
    within = asked.relative_to(root).as_posix()
    looked_into = None if folder == root else folder.relative_to(root).as_posix()
    listing = (
        list_folder(root, exclude=exclude, skip=settings.skip, within=looked_into) or Listing()
    )
    found = recognise(listing, settings.recognisers)
    mine = [
        unit
        for unit in found
        if within in {".", unit.path} or unit.path.startswith(f"{within}/") or within in unit.files
    ]
    beside = Beside(listing, found)
    left_out = _left_out(root, mine, beside, keep_rules)
    shown = mine[:UNITS_LIMIT]
    identities = {path: file.identity for path, file in listing.files.items()}
    known = known_states(context, root, shown, identities)
    units = [
        _explained(root, unit, beside.of(unit), model, left_out, known.get(unit.path))
        for unit in shown
    ]
    told = considered(listing, within, settings.recognisers)
    return Explained(
        root=str(root),
        rule=judged_by_rule,
        path="" if within == "." else within,
        units=units,
        more=len(mine) - len(units),
        considered=dict(told),
        reason="" if units else _nothing(within, listing, settings.recognisers),
    )


def _rule_of(context: Context, asked: Path) -> WatchRule | None:
    """Return the kept rule that watches a path; of several the one of the nearest folder."""
    watching = [one for one in rules(context.home) if asked.is_relative_to(one.folder)]
    return max(watching, key=lambda one: len(one.path), default=None)


def _left_out(
    root: Path, units: Sequence[Unit], beside: Beside, keep_rules: tuple[KeepRule, ...]
) -> dict[str, str]:
    """Return why rules do not keep some states, by their paths."""
    runs: dict[str, list[State]] = {}
    highest: dict[str, bool] = {}
    by_value = any(rule.kind == "best" for rule in keep_rules)
    if all(rule.kind == "all" for rule in keep_rules):
        return {}
    for unit in units:
        if _why_not(root, unit):
            continue  # it is no state yet
        judged = judged_by(_findings(root, unit, beside.of(unit))) if by_value else None
        if judged is not None:
            highest.setdefault(unit.run, judged.highest)
        value = None if judged is None else judged.value
        state = State(unit.path, _newest(root, unit), unit.step, value, unit.recogniser.final)
        runs.setdefault(unit.run, []).append(state)
    return {
        state.key: f"the rule is to keep {', '.join(map(str, keep_rules))}"
        for run, states in runs.items()
        for kept_ones in [kept(states, keep_rules, highest=highest.get(run, True), ended=True)]
        for state in states
        if state.key not in kept_ones
    }


def _newest(root: Path, unit: Unit) -> float:
    with suppress(OSError):
        return max((root / path).stat().st_mtime for path in unit.files)
    return 0.0


def _findings(root: Path, unit: Unit, beside: tuple[str, ...]) -> Findings:
    files = on_disk(root, unit.path, unit.files, beside, run=unit.run, step=unit.step)
    return read_all(unit.recogniser.readers, files)


def _explained(  # noqa: PLR0913, PLR0917 -- all that is known of a state
    root: Path,
    unit: Unit,
    beside: tuple[str, ...],
    model: str | None,
    left_out: dict[str, str],
    known: Known | None,
) -> ExplainedUnit:
    found = _findings(root, unit, beside)
    reason = _is_known(known) or _why_not(root, unit) or left_out.get(unit.path, "")
    return ExplainedUnit(
        path=unit.path,
        recogniser=unit.recogniser.name,
        captured=not reason,
        known=None if known is None else known.reference,
        reason=reason,
        bytes=sum(_size(root / path) for path in unit.files),
        files=list(unit.files),
        model=model_name(unit, root, model, found.model),
        run=run_name(unit, root, found.run),
        step=unit.step if found.step is None else found.step,
        labels=list(unit.labels),
        metrics={name: encoding.tag_float(value) for name, (value, _) in found.metrics.items()},
        params=found.params,
        problems=list(found.problems),
    )


def _is_known(known: Known | None) -> str:
    if known is None:
        return ""
    if known.state != "captured":
        return f"it is {known.reference}, which is {known.state} and stays so"
    return f"it is {known.reference} already"


def _size(file: Path) -> int:
    with suppress(OSError):
        return file.stat().st_size
    return 0


def _why_not(root: Path, unit: Unit) -> str:
    """Return why a state is not captured now; empty where it is."""
    try:
        known = completeness(unit, on_disk(root, unit.path, unit.files))
        if not known.whole:
            return known.reason
        written = next((path for path in unit.files if is_written(root / path)), None)
        newest = max((root / path).stat().st_mtime for path in unit.files)
    except OSError as error:
        return f"a file can't be read: {error.strerror or error}"
    if written is not None:
        return f"{written} is being written"
    if not known.certain and 0 <= time.time() - newest < 2:  # noqa: PLR2004 -- quiet time
        return "its format does not tell where it ends, and it has just changed"
    return ""


def _nothing(within: str, listing: Listing, recognisers: tuple[Recogniser, ...]) -> str:
    """Return why nothing would be captured of a path."""
    if is_excluded(within, ()):
        return "it has a temporary name, or lies in a folder that is passed over"
    never = next((one for one in recognisers if not one.version and one.matches(within)), None)
    if never is not None and within in listing.files and never.match != ("*",):
        return f"it is {never.title}, which is read for facts and never a version"
    if within in listing.files:
        return "no recogniser knows such a name; add one to capture.toml"
    start = f"{within}/" if within not in {"", "."} else ""
    if not any(path.startswith(start) for path in listing.files):
        return "there is nothing in it yet"
    return "no recogniser finds a state in it; add one to capture.toml"
