"""`regtui deploy REF ENVIRONMENT`, and `regtui deploy ls | show | state | stop | rollback`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from regtui.cli import complete
from regtui.cli.commands import deployments
from regtui.cli.commands.deployments import place_text
from regtui.cli.gate_text import outcome_line
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from regtui.registry.answers_production import DeploymentAnswer, Moved


class _Deploy(TyperGroup):
    """`deploy REF ENVIRONMENT` is `deploy to REF ENVIRONMENT`: no command has a version's name."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of a command line."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = ["to", *args]
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=_Deploy,
    help="Record what runs where, and go back.",
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
)

Deployment = Annotated[
    str,
    typer.Argument(
        metavar="DEPLOYMENT", help="Its short name.", autocompletion=complete.deployments
    ),
]
Environment = Annotated[
    str, typer.Argument(metavar="ENVIRONMENT", autocompletion=complete.environments)
]
Target = Annotated[str, typer.Option(help="What in there it runs on, such as eu-1.")]
Reason = Annotated[str, typer.Option("--reason", "-m", help="Why.")]
Glass = Annotated[
    str | None,
    typer.Option(metavar="REASON", help="Pass the gates as an admin; flagged for ever."),
]


@app.command("to")
def to_(
    reference: Annotated[str, typer.Argument(metavar="REF", autocompletion=complete.references)],
    environment: Environment,
    target: Target = "",
    pending: Annotated[bool, typer.Option("--pending", help="It is not live yet.")] = False,
    beside: Annotated[
        bool, typer.Option("--beside", help="What is live there stays, such as for a canary.")
    ] = False,
    url: Annotated[str | None, typer.Option(help="Where it answers.")] = None,
    expect: Annotated[
        str | None, typer.Option(metavar="TIME", help="How often to hear of it, such as 5m.")
    ] = None,
    reason: Reason = "",
    break_glass: Glass = None,
) -> None:
    """Record that a version is deployed; it takes the place of what is live there."""
    values: dict[str, Any] = {"url": url, "expect": expect, "reason": reason}
    found, outcome = SETTINGS.registry().deploy(
        reference,
        environment,
        target=target,
        pending=pending,
        beside=beside,
        values={key: value for key, value in values.items() if value},
        break_glass=break_glass,
    )
    _tell(found, outcome, f"{reference} in {place_text(environment, target)}")


app.command("ls")(deployments.deployments)


@app.command()
def show(deployment: Deployment) -> None:
    """Show a deployment."""
    found = SETTINGS.registry().deployment(deployment)
    if SETTINGS.json:
        emit({"deployment": found})
        return
    say(_shown(found))


@app.command()
def state(
    deployment: Deployment,
    to: Annotated[str, typer.Argument(help="live, draining, stopped, failed or rolled_back.")],
    reason: Reason = "",
) -> None:
    """Take a deployment to its next state."""
    found, outcome = SETTINGS.registry().transition(deployment, to, reason)
    _tell(found, outcome, f"{found.version} in {place_text(found.environment, found.target)}: {to}")


@app.command()
def stop(deployment: Deployment, reason: Reason = "") -> None:
    """End a deployment."""
    found, outcome = SETTINGS.registry().transition(deployment, "stopped", reason)
    _tell(
        found, outcome, f"{found.version} in {place_text(found.environment, found.target)}: stopped"
    )


@app.command()
def rollback(
    model: Annotated[str, typer.Argument(metavar="MODEL", autocompletion=complete.models)],
    environment: Environment,
    target: Target = "",
    reason: Reason = "",
    break_glass: Glass = None,
) -> None:
    """Go back to the version that was live before."""
    found, outcome = SETTINGS.registry().roll_back(
        model, environment, target=target, reason=reason, break_glass=break_glass
    )
    _tell(found, outcome, f"{model} in {place_text(environment, target)} goes back")


@app.command()
def beat(
    deployment: Deployment,
    requests: Annotated[int, typer.Option(help="Answered since the last time.")] = 0,
    errors: Annotated[int, typer.Option(help="Of them failed.")] = 0,
    latency: Annotated[
        list[float], typer.Option(metavar="SECONDS", help="That one of them took; repeatable.")
    ] = [],
) -> None:
    """Tell that a deployment is alive, and what it did since the last time."""
    name = SETTINGS.registry().beat(deployment, requests=requests, errors=errors, latencies=latency)
    if SETTINGS.json:
        emit({"deployment": name})
        return
    say(f"heard of {name}")


@app.command()
def usage(
    deployment: Deployment,
    by: Annotated[str, typer.Option(help="minute, hour or day.")] = "hour",
    since: Annotated[str | None, typer.Option(help="Such as 7d, or a date.")] = None,
) -> None:
    """Tell what was heard of a deployment."""
    found = SETTINGS.registry().usage(deployment, by=by, since=since)
    if SETTINGS.json:
        emit({"usage": found})
        return
    if not found.buckets:
        warn(f"nothing was heard of {found.deployment} in that time")
        return
    rows = [
        [
            one.time[:16].replace("T", " "),
            str(one.requests),
            str(one.errors),
            _milliseconds(one.p50),
            _milliseconds(one.p95),
        ]
        for one in found.buckets
    ]
    headings = ("FROM (UTC)", "REQUESTS", "ERRORS", "P50", "P95")
    say(table(headings, rows, right="REQUESTS ERRORS P50 P95"))


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1000:.0f} ms"


def _tell(found: "DeploymentAnswer | None", outcome: "Moved", wanted: str) -> None:
    if SETTINGS.json:
        emit({"deployment": found, "outcome": outcome})
        return
    done = wanted
    if found is not None:
        place = place_text(found.environment, found.target)
        done = f"{found.version} is {found.state} in {place} ({found.deployment})"
    say(outcome_line(done, wanted, outcome))


def _shown(one: "DeploymentAnswer") -> str:
    facts = [
        ("deployment", f"{one.deployment}  ({one.id})"),
        ("version", one.version),
        ("where", place_text(one.environment, one.target)),
        ("state", one.state + (" (the server has still to accept it)" if one.waiting else "")),
        ("live since", one.since or "never"),
        ("until", one.until or ""),
        ("by", one.by),
        ("request", one.request or ""),
        ("approved by", ", ".join(one.approved_by)),
        ("break glass", one.break_glass or ""),
        ("replaces", one.replaces or ""),
        ("replaced by", one.replaced_by or ""),
        ("rollback of", one.rollback_of or ""),
        ("url", one.url or ""),
        ("reason", one.reason or ""),
        ("health", one.health + (f", heard of at {one.last_beat}" if one.last_beat else "")),
        *(
            (f"last {span}", _usage(one.usage[span]))
            for span in ("hour", "day")
            if span in one.usage
        ),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in facts if value)


def _usage(told: "Mapping[str, Any]") -> str:
    """Return what was counted in a span of time, as a person reads it."""
    counts = f"{count_text(told['requests'], 'request')}, {count_text(told['errors'], 'error')}"
    took = [
        f"{name} {told[name] * 1000:.3g} ms" for name in ("p50", "p95") if told[name] is not None
    ]
    return ", ".join([counts, *took])
