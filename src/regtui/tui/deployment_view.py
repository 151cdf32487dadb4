"""What runs where, as people read it: a grid of models and environments, and one deployment.

Health is told by a sign, a word and a colour: `fresh` was heard of lately, `stale` should have been
by now, `silent` was not for long, and of `unknown` nothing was heard ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from regtui.registry.answers_production import DeploymentAnswer, EnvironmentAnswer
from regtui.registry.figures import age_text
from regtui.tui.fact_grid import FactGrid
from regtui.tui.safe_text import one_line, safe
from regtui.tui.signs import signs, sparkline
from regtui.tui.widgets.document import Block

NOTHING: Mapping[str, Sequence[float]] = {}

SPANS = {"hour": "last hour", "day": "last day"}
"""The spans of time that the server sums usage up for, and what they are called."""


class Place(Struct, frozen=True):
    """A row of the grid: a model, and what in the environments it runs on.

    Attributes:
        model: Name of the model.
        target: What in an environment it runs on; empty for all of it.
        cells: What runs, by name of the environment; the newest first.
    """

    model: str
    target: str
    cells: Mapping[str, Sequence[DeploymentAnswer]]

    @property
    def key(self) -> str:
        """What it is known by."""
        return f"{self.model}\0{self.target}"

    @property
    def called(self) -> str:
        """What it is called."""
        return f"{self.model} {self.target}" if self.target else self.model


def places(deployments: Sequence[DeploymentAnswer]) -> list[Place]:
    """Return what runs as rows, by model and target."""
    found: dict[tuple[str, str], dict[str, list[DeploymentAnswer]]] = {}
    for one in deployments:
        cells = found.setdefault((one.model, one.target), {})
        cells.setdefault(one.environment, []).append(one)
    return [Place(*where, found[where]) for where in sorted(found)]


def columns_of(
    environments: Sequence[EnvironmentAnswer], deployments: Sequence[DeploymentAnswer]
) -> list[str]:
    """Return the environments to show: all that there are, and those where something still runs."""
    names = [one.environment for one in environments]
    return [*names, *sorted({one.environment for one in deployments} - set(names))]


def health_sign(one: DeploymentAnswer) -> tuple[str, str]:
    """Return the sign of how a deployment is, and the name of its colour."""
    known = signs()
    if one.state != "live":
        return {
            "pending": (known.waiting, "accent"),
            "draining": (known.down, "warning"),
            "stopped": (known.leaf, "dim"),
            "failed": (known.failed, "error"),
            "rolled_back": (known.failed, "warning"),
        }.get(one.state, (known.unknown, "dim"))
    return {
        "fresh": (known.live, "success"),
        "stale": (known.conflict, "warning"),
        "silent": (known.failed, "error"),
    }.get(one.health, (known.unknown, ""))


def version_text(one: DeploymentAnswer) -> str:
    """Return the version of a deployment, whose model is known from beside it."""
    return one.version.removeprefix(one.model)


def place_text(one: DeploymentAnswer) -> str:
    """Return where a deployment runs: `production/eu-1`."""
    return f"{one.environment}/{one.target}" if one.target else one.environment


def state_text(one: DeploymentAnswer) -> str:
    """Return the state of a deployment in words."""
    said = one.state.replace("_", " ")
    return f"{said}, the server has still to accept it" if one.waiting else said


def cell_text(running: Sequence[DeploymentAnswer]) -> tuple[str, str]:
    """Return what a cell of the grid shows: health, version, since when, and by whom."""
    if not running:
        return "", ""
    one = running[0]
    sign, style = health_sign(one)
    word = one.health if one.state == "live" and one.health in {"stale", "silent"} else ""
    word = word if one.state == "live" else one.state
    since = age_text(one.since or one.created)
    more = f" +{len(running) - 1}" if len(running) > 1 else ""
    parts = [sign, version_text(one) + more, word, since, one_line(one.by)]
    return " ".join(part for part in parts if part), style


def blocks(
    running: Sequence[DeploymentAnswer], courses: Mapping[str, Sequence[float]] = NOTHING
) -> list[Block]:
    """Return everything about what runs at one place.

    Args:
        running: The deployments.
        courses: Requests of each hour, by the id of the deployment, as far as they are known.
    """
    parts: list[RenderableType] = []
    for one in running:
        parts += [*([Text("")] if parts else []), *_deployment(one, courses.get(one.id, ()))]
    return [Block(part) for part in parts]


def _deployment(one: DeploymentAnswer, course: Sequence[float]) -> Iterator[RenderableType]:
    sign, style = health_sign(one)
    head = Text()
    head.append(f"{sign} ", style if style != "dim" else "label")
    head.append(one_line(f"{one.version} in {place_text(one)}"), "heading")
    head.append(f"  {state_text(one)}", "label")
    if one.reason:
        head.append("\n" + safe(one.reason))
    if one.break_glass:
        said = f"\n{signs().conflict} passed by an admin without its gates: "
        head.append(said + one_line(one.break_glass), "error")
    yield head
    yield FactGrid(facts(one))
    if one.usage:
        yield from _usage(one.usage, course)


def facts(one: DeploymentAnswer) -> list[tuple[str, str | Text]]:
    """Return what is known of a deployment, label and value of each."""
    heard = "" if one.last_beat is None else f", heard of {age_text(one.last_beat)} ago"
    found = [
        ("Live since", "" if one.since is None else f"{age_text(one.since)} ago"),
        ("Ended", "" if one.until is None else f"{age_text(one.until)} ago"),
        ("By", one.by),
        ("Health", (one.health or "ended") + heard),
        ("Approved by", ", ".join(one.approved_by)),
        ("Request", one.request or ""),
        ("Replaces", one.replaces or ""),
        ("Replaced by", one.replaced_by or ""),
        ("Rolls back", one.rollback_of or ""),
        ("Answers at", one.url or ""),
        ("Name", one.deployment),
    ]
    return [(label, one_line(value)) for label, value in found]


def _usage(usage: Mapping[str, Any], course: Sequence[float]) -> Iterator[RenderableType]:
    """Return the figures that the server sums up, one line for each span of time."""
    spans = [name for name in SPANS if isinstance(usage.get(name), dict)]
    if not spans:
        return
    yield Text("")
    grid = Table.grid(padding=(0, 2, 0, 0))
    for place in range(6):
        grid.add_column(justify="left" if place in {0, 5} else "right", no_wrap=True)
    names = ("", "Requests", "Errors", "p50", "p95", "")
    grid.add_row(*(Text(name, "label") for name in names))
    for span in spans:
        told = usage[span]
        errors = _count(told.get("errors"))
        grid.add_row(
            Text(SPANS[span], "label"),
            Text(_count(told.get("requests"))),
            Text(errors, "" if errors in {"", "0"} else "error"),
            Text(_latency(told.get("p50"))),
            Text(_latency(told.get("p95"))),
            Text(sparkline(list(course)) if span == "day" else "", "primary"),
        )
    yield grid


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else ""


def _latency(value: object) -> str:
    """Return seconds in few digits."""
    if not isinstance(value, int | float):
        return ""
    return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"
