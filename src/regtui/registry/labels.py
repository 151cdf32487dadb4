"""Labels: further names that a trainer gives to content that is a version already.

`last.ckpt`, `best`, a link, a second name of the same file: each is a place of the version, and
nothing is read for it.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from regtui.core.operations import CaptureBody
from regtui.registry.answers import VersionAnswer
from regtui.registry.capture import CaptureRequest, answer_of, place_values
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.lookups import model_names


def note_labels(
    context: Context, version: str, labels: Iterable[Path], *, run: str | None = None
) -> VersionAnswer | None:
    """Note further names of a version's content.

    Args:
        context: The registry.
        version: Its id.
        labels: The names, as paths.
        run: Name of the training run.

    Returns:
        The version; None where it is not there, or not captured any more.

    Raises:
        BadInput: A name is not valid UTF-8.
    """
    with context.writing() as authority:
        seen = authority.view.document(version)
        if seen is None or seen.value("state") != "captured":
            return None
        wanted: dict[str, Any] = {}
        for label in labels:
            path = label.parent.resolve() / label.name
            wanted |= place_values(authority, path, CaptureRequest(run=run))
        known = seen.entries("places")
        new = {path: v for path, v in wanted.items() if path.removeprefix("places/") not in known}
        model = str(seen.facts["model"])
        if new:
            body = CaptureBody(
                digest=seen.facts["digest"],
                nonce=seen.facts["nonce"],
                size=seen.facts["size"],
                files=seen.facts["files"],
                set=changes(new, "version", seen),
            )
            authority.submit("version.capture", model, version, body)
        return answer_of(authority, version, model_names(authority.connection, {model})[model])
