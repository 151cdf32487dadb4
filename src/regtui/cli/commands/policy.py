"""`regtui policy put | ls | show | test | rm`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.definition_files import tables_in
from regtui.cli.gate_text import gate_lines, sign
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.policies import environment_key
from regtui.registry.definition_text import asks_text, protects_text, toml_of

if TYPE_CHECKING:
    from regtui.registry.answers_production import Tried

app = group("Say what an alias or environment asks of a version.")

Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=complete.policies)]
Models = Annotated[
    str | None,
    typer.Option(
        metavar="SCOPE", help="Where several have the name.", autocompletion=complete.scopes
    ),
]


@app.command()
def put(
    file: Annotated[str, typer.Argument(metavar="FILE.toml", help="With [[policy]]; - reads it.")],
) -> None:
    """Put the policies of a file: all of them or none.

    With a remote it is sent at once, for only the server changes policies.
    """
    done = SETTINGS.registry().put_policies(tables_in(file, "policy"))
    if SETTINGS.json:
        emit({"policies": [{"policy": one, "changed": changed} for one, changed in done]})
        return
    for one, changed in done:
        said = "protects" if changed else "protects already"
        say(f"{one.policy} {said} {protects_text(one)} of {one.models}")
    _warn_of_soaks([one.definition for one, _ in done])


@app.command()
def ls(
    model: Annotated[
        str | None,
        typer.Argument(help="Those that bind it.", autocompletion=complete.models),
    ] = None,
) -> None:
    """List policies."""
    found = SETTINGS.registry().policies(model)
    if SETTINGS.json:
        emit({"policies": found})
        return
    if not found:
        warn("no policies yet; `regtui policy put FILE.toml` puts some")
        return
    rows = [
        [one.policy, one.models, protects_text(one), asks_text(one), one.author] for one in found
    ]
    say(table(("POLICY", "MODELS", "PROTECTS", "ASKS", "BY"), rows))


@app.command()
def show(name: Name, models: Models = None) -> None:
    """Show a policy."""
    found = SETTINGS.registry().policy(name, models)
    if SETTINGS.json:
        emit({"policy": found})
        return
    say(toml_of(found))


@app.command("test")
def try_(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|FILE.toml",
            help="A policy, or a file with one that is not put yet.",
            autocompletion=complete.policies,
        ),
    ],
    models: Models = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Versions of each model.")] = 20,
) -> None:
    """Tell which versions would pass now, and which targets are out of policy.

    Approvals and windows belong to a request and are left out. Fails with exit code 5 where a
    target is at a version that does not pass.
    """
    registry = SETTINGS.registry()
    policies: list[Any] = [name]
    if name == "-" or name.endswith(".toml"):
        policies = tables_in(name, "policy")
    tried = [(one, registry.try_policy(one, models, limit=limit)) for one in policies]
    found = [one for _, versions in tried for one in versions]
    outside = [one for one in found if one.holds and one.passed is False]
    if SETTINGS.json:
        emit({"versions": found, "out_of_policy": [one.reference for one in outside]})
    else:
        for policy, versions in tried:
            if len(tried) > 1:
                say(f"{policy['name']}:")
            _tell(versions)
    if outside:
        raise typer.Exit(5)


@app.command("rm")
def remove(name: Name, models: Models = None) -> None:
    """Take a policy away; its history stays."""
    found = SETTINGS.registry().remove_policy(name, models)
    if SETTINGS.json:
        emit({"policy": found})
        return
    say(f"removed {found.policy}; {protects_text(found)} of {found.models} is as others")


def _warn_of_soaks(definitions: list[dict[str, Any]]) -> None:
    wanted = {soak["environment"] for one in definitions if (soak := one.get("soak"))}
    if not wanted:
        return
    known = {one.environment for one in SETTINGS.registry().environments()}
    for name in sorted(wanted):
        if environment_key(name) not in known:
            warn(
                f"no environment {name!r} is known here, where versions are to be live before; "
                "`regtui env put` makes one"
            )


def _tell(found: "list[Tried]") -> None:
    if not found:
        warn("no version of these models is there yet")
        return
    for one in found:
        held = "  (is there now)" if one.holds else ""
        say(f"{sign(one.passed)} {one.reference}{held}")
        against = [gate for gate in one.gates if gate.passed is not True]
        for line in gate_lines(against, "    "):
            say(line)
