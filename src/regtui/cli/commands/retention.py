"""`regtui retention put | ls | rm | run`."""

from typing import TYPE_CHECKING, Annotated

import typer

from regtui.cli import complete
from regtui.cli.commands import group
from regtui.cli.output import emit, say, table, warn
from regtui.cli.settings import SETTINGS
from regtui.core.wording import count_text
from regtui.registry.figures import size_text

if TYPE_CHECKING:
    from regtui.registry.retention import Retained, RetainedModel
    from regtui.registry.retention_rules import RetentionRule

app = group("Keep the files of some versions of a model, free the others.")

Pattern = Annotated[
    str,
    typer.Argument(metavar="MODEL", help="A model, team/* or *.", autocompletion=complete.models),
]


@app.command()
def put(
    model: Pattern,
    keep: Annotated[
        str,
        typer.Option(
            metavar="RULE", help="all, final, last N, best N, every N; several with commas."
        ),
    ],
    after: Annotated[
        str, typer.Option(metavar="AGE", help="Leave younger versions alone: 30d, 12h, 0.")
    ] = "0",
) -> None:
    """Keep a rule: which versions of a model keep their files.

    Nothing is done until `retention run`.
    """
    rule = SETTINGS.registry().put_retention(model, keep, after=after)
    if SETTINGS.json:
        emit({"rule": rule})
        return
    say(_line(rule))


@app.command()
def ls() -> None:
    """List the rules."""
    rules = SETTINGS.registry().retention_rules()
    if SETTINGS.json:
        emit({"rules": rules})
        return
    if not rules:
        warn("no rules yet; `regtui retention put MODEL --keep RULE` keeps one")
        return
    rows = [[one.model, one.keep, one.after] for one in rules]
    say(table(("MODEL", "KEEP", "AFTER"), rows))


@app.command()
def rm(model: Pattern) -> None:
    """Remove a rule; files that are still here stay."""
    rule = SETTINGS.registry().remove_retention(model)
    if SETTINGS.json:
        emit({"rule": rule})
        return
    say(f"no rule for {rule.model} any more")


@app.command()
def run(
    model: Annotated[
        str | None,
        typer.Argument(metavar="[MODEL]", help="Only this model.", autocompletion=complete.models),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell only, version by version.")
    ] = False,
) -> None:
    """Archive the versions that the rules don't keep; a later `gc` frees their files.

    One `undo` takes all of it back. Versions that an alias points to, or that a version of another
    model was made from, always stay.
    """
    found = SETTINGS.registry().retain(model, dry_run=dry_run)
    if SETTINGS.json:
        emit(found)
        return
    _print(found)


def _line(rule: "RetentionRule") -> str:
    age = "" if rule.after == "0" else f", and all that is younger than {rule.after}"
    return f"{rule.model} keeps {rule.keep}{age}"


def _print(found: "Retained") -> None:
    if not found.models:
        warn("no rule matches a model with versions; `regtui retention ls` lists the rules")
        return
    if found.dry_run:
        for one in found.models:
            say(_versions(one) + "\n")
    rows = [
        [one.model, one.rule.keep, str(one.stay), str(one.go), size_text(one.bytes)]
        for one in found.models
    ]
    say(table(("MODEL", "KEEP", "STAY", "GO", "FREES"), rows, right="STAY GO FREES"))
    verb = "would archive" if found.dry_run else "archived"
    later = "" if found.dry_run or not found.go else "; `regtui gc` frees it after its grace period"
    say(f"{verb} {count_text(found.go, 'version')}, {size_text(found.bytes)}{later}")


def _versions(model: "RetainedModel") -> str:
    rows = [
        [
            f"{model.model}@{one.number or one.id}",
            "stays" if one.stays else "goes",
            size_text(one.size),
            one.reason,
        ]
        for one in model.versions
    ]
    return table(("VERSION", "", "SIZE", "BECAUSE"), rows, right="SIZE")
