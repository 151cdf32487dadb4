"""What `regtui sync --publish` tells before it publishes, and how it asks."""

import sys
from typing import TYPE_CHECKING

import typer

from regtui.cli.output import emit, say, warn
from regtui.cli.settings import SETTINGS
from regtui.core.errors import BadInput
from regtui.core.wording import count_text

if TYPE_CHECKING:
    from regtui.registry import Registry
    from regtui.registry.publishing import Publication, PublishedModel

SHOWN = 20
"""Models and refusals that are listed."""


def publish_first(registry: "Registry", *, dry_run: bool, yes: bool) -> bool:
    """Make a registry's history ready to be sent; tell whether the sync shall follow.

    Args:
        registry: It decided for itself so far.
        dry_run: Whether to tell only.
        yes: Whether to do it without asking.

    Raises:
        BadInput: Nobody can be asked.
    """
    if not (dry_run or yes) and (SETTINGS.json or not sys.stdin.isatty()):
        raise BadInput(
            "publishing can't be undone, and nobody can be asked here",
            "--dry-run tells what it does, --yes does it",
        )
    if yes:
        _tell(registry.publish(), done=True)
        return True
    planned = registry.publish(dry_run=True)
    _tell(planned, done=False)
    if dry_run:
        return False
    if not typer.confirm(f"publish it at {planned.url}?", err=True):
        say("nothing was published")
        return False
    registry.publish()
    return True


def _tell(made: "Publication", *, done: bool) -> None:
    if SETTINGS.json:
        if not done:
            emit({"publication": made})
        return
    verb = "published as" if done else "would be published as"
    say(
        f"{count_text(made.operations, 'operation')} {verb} {made.user} in the registry "
        f"{made.registry} at {made.url}"
    )
    for model in made.models[:SHOWN]:
        say(f"  {_line(model)}")
    if len(made.models) > SHOWN:
        say(f"  and {count_text(len(made.models) - SHOWN, 'model')} more")
    if made.conflicts:
        warn(f"{count_text(made.conflicts, 'conflict')} will be open there")
    if made.left_out:
        say(f"  {count_text(made.left_out, 'operation')} of grants and the like are left out")
    for refused in made.refused[:SHOWN]:
        warn(f"{refused.kind} of {refused.model or 'the registry'} is refused: {refused.reason}")
    if len(made.refused) > SHOWN:
        warn(f"{count_text(len(made.refused) - SHOWN, 'operation')} more are refused")
    if made.refused:
        warn("what is refused stays here, in the outbox: `regtui outbox ls` tells what to do")


def _line(model: "PublishedModel") -> str:
    parts = [f"{model.name}  {count_text(model.versions, 'version')}"]
    if model.exists:
        known = f", {model.known} of them" if model.known else ""
        parts.append(f"the model is there already{known}")
    if model.renumbered:
        first = model.renumbered[0]
        more = ", …" if len(model.renumbered) > 1 else ""
        parts.append(f"{first.old} becomes {first.new}{more}")
    return ", ".join(parts)
