"""Copies: names, ids, paths and JSON on the clipboard of the terminal.

The terminal is asked by OSC 52, which works over SSH too. Whether it obeys can't be known.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from regtui.core.wording import count_text
from regtui.registry.answers import FileAnswer, ModelAnswer, VersionAnswer
from regtui.registry.figures import size_text
from regtui.tui.acts.asking import ask, present, read
from regtui.tui.safe_text import one_line
from regtui.tui.screens.prompt import Choice, Chooser

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

LONG = 60
"""Characters of what was copied that are shown."""


async def copy_version(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Copy reference, id, digest, path or JSON of a version."""
    found = await present(app, versions[:1])
    if found is None:
        return
    (version,) = found
    texts = {
        "reference": version.reference,
        **{f"alias {name}": f"{version.model}@{name}" for name in version.aliases},
        "short id": version.short_id,
        "id": version.id,
        "digest": version.digest,
    }
    paths = Choice("path", "path", f"of a stored file: {count_text(version.files, 'file')}")
    answer = await ask(app, Chooser(f"Copy of {version.reference}", _choices(texts, paths)))
    if answer == "path":
        await _copy_path(app, version)
    elif answer == "json":
        _copy(app, f"JSON of {version.reference}", _json({"version": version}))
    elif answer is not None:
        _copy(app, answer, texts[answer])


async def copy_model(app: "RegtuiApp", model: ModelAnswer) -> None:
    """Copy name, id or JSON of a model."""
    texts = {"name": model.model, "id": model.id}
    answer = await ask(app, Chooser(f"Copy of {model.model}", _choices(texts)))
    if answer == "json":
        _copy(app, f"JSON of {model.model}", _json({"model": model}))
    elif answer is not None:
        _copy(app, answer, texts[answer])


async def _copy_path(app: "RegtuiApp", version: VersionAnswer) -> None:
    """Copy where a file of a version is stored; asked which, where there are several."""
    reference = version.reference
    found = await read(app, lambda registry: registry.files(reference))
    if found is None:
        return
    file = await _chosen_file(app, version, found[1])
    if file is None:
        return
    path = await read(app, lambda registry: registry.path(reference, file.path))
    if path is not None:
        _copy(app, "path", str(path))


async def _chosen_file(
    app: "RegtuiApp", version: VersionAnswer, files: Sequence[FileAnswer]
) -> FileAnswer | None:
    if len(files) == 1:
        return files[0]
    choices = [
        Choice(str(place), file.path, size_text(file.size)) for place, file in enumerate(files)
    ]
    answer = await ask(app, Chooser(f"Path of which file of {version.reference}?", choices))
    return None if answer is None else files[int(answer)]


def _choices(texts: dict[str, str], *more: Choice) -> list[Choice]:
    json = Choice("json", "JSON", "everything that is known of it")
    return [*(Choice(name, name, text) for name, text in texts.items()), *more, json]


def _json(answer: object) -> str:
    return msgspec.json.format(msgspec.json.encode(answer, enc_hook=str), indent=2).decode()


def _copy(app: "RegtuiApp", what: str, text: str) -> None:
    app.copy_to_clipboard(text)
    shown = f": {text}" if len(text) <= LONG else f", {len(text):,} characters"
    app.notify(one_line(f"copied {what}{shown}"), markup=False)
