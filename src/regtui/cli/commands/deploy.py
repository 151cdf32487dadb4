"""`regtui deploy to | ls | show | state | stop | rollback`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.gate_text import outcome_line
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.registry.figures import age_text

if TYPE_CHECKING:
    from regtui.registry.answers_production import DeploymentAnswer, Moved

app = group("Record what runs where, and go back.")

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
    _tell(found, outcome, f"{reference} in {_place(environment, target)}")


@app.command()
def ls(
    reference: Annotated[
        str | None, typer.Argument(metavar="[MODEL|REF]", autocompletion=complete.references)
    ] = None,
    env: Annotated[
        str | None, typer.Option(help="Only there.", autocompletion=complete.environments)
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Those that have ended, too.")] = False,
) -> None:
    """List deployments, newest first."""
    found = SETTINGS.registry().deployments(reference, environment=env, ended=all_)
    if SETTINGS.json:
        emit({"deployments": found})
        return
    if not found:
        warn("nothing is deployed; `regtui deploy to REF ENVIRONMENT` records that something is")
        return
    rows = [
        [
            one.deployment,
            one.version,
            _place(one.environment, one.target),
            one.state + ("?" if one.waiting else ""),
            one.health,
            "" if one.since is None else age_text(one.since),
            one.author,
            ", ".join(one.approved_by) + ("  ! break glass" if one.break_glass else ""),
        ]
        for one in found
    ]
    headings = ("DEPLOYMENT", "VERSION", "WHERE", "STATE", "HEALTH", "LIVE", "BY", "APPROVED BY")
    say(table(headings, rows, right="LIVE"))


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
    _tell(found, outcome, f"{found.version} in {_place(found.environment, found.target)}: {to}")


@app.command()
def stop(deployment: Deployment, reason: Reason = "") -> None:
    """End a deployment."""
    found, outcome = SETTINGS.registry().transition(deployment, "stopped", reason)
    _tell(found, outcome, f"{found.version} in {_place(found.environment, found.target)}: stopped")


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
    _tell(found, outcome, f"{model} in {_place(environment, target)} goes back")


def _tell(found: "DeploymentAnswer | None", outcome: "Moved", wanted: str) -> None:
    if SETTINGS.json:
        emit({"deployment": found, "outcome": outcome})
        return
    done = wanted
    if found is not None:
        place = _place(found.environment, found.target)
        done = f"{found.version} is {found.state} in {place} ({found.deployment})"
    say(outcome_line(done, wanted, outcome))


def _place(environment: str, target: str) -> str:
    return f"{environment}/{target}" if target else environment


def _shown(one: "DeploymentAnswer") -> str:
    usage = one.usage
    facts = [
        ("deployment", f"{one.deployment}  ({one.id})"),
        ("version", one.version),
        ("where", _place(one.environment, one.target)),
        ("state", one.state + (" (the server has still to accept it)" if one.waiting else "")),
        ("live since", one.since or "never"),
        ("until", one.until or ""),
        ("by", one.author),
        ("request", one.request or ""),
        ("approved by", ", ".join(one.approved_by)),
        ("break glass", one.break_glass or ""),
        ("replaces", one.replaces or ""),
        ("replaced by", one.replaced_by or ""),
        ("rollback of", one.rollback_of or ""),
        ("url", one.url or ""),
        ("reason", one.reason or ""),
        ("health", one.health + (f", heard of at {one.last_beat}" if one.last_beat else "")),
        *((f"usage {name}", str(value)) for name, value in usage.items() if name != "beat"),
    ]
    return "\n".join(f"{name:<12} {value}" for name, value in facts if value)
