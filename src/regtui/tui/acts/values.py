"""Values: description, metrics, params and tags of versions, and what is known of models."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from regtui.core.errors import ConflictOpen
from regtui.registry import Registry
from regtui.registry.answers import ModelAnswer, VersionAnswer
from regtui.tui.acts.asking import ask, present, read
from regtui.tui.acts.telling import command, command_of_each, named, tell
from regtui.tui.draft import SINGULAR, Draft, Entry, model_draft, version_draft
from regtui.tui.screens.form import ValuesForm
from regtui.tui.screens.prompt import Prompt

if TYPE_CHECKING:
    from regtui.tui.app import RegtuiApp

TAG = "name=value sets it, -name takes it away"


async def edit_version(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Change description, metrics, params and tags of a version in a form."""
    found = await present(app, versions[:1])
    if found is None:
        return
    (version,) = found
    if version.state == "deleted":
        app.notify(
            f"{version.reference} is deleted: restore it first", severity="warning", markup=False
        )
        return
    await _edit(
        app,
        version.reference,
        version_draft(version),
        lambda registry: version_draft(registry.version(version.reference)),
    )


async def edit_model(app: "RegtuiApp", model: ModelAnswer) -> None:
    """Change what is known of a model in a form."""
    name = model.model
    found = await read(app, lambda registry: registry.model(name))
    if found is not None:
        await _edit(
            app, name, model_draft(found), lambda registry: model_draft(registry.model(name))
        )


async def tag_versions(app: "RegtuiApp", versions: list[VersionAnswer]) -> None:
    """Set a tag on versions, or take it away, on all of them at once."""
    found = await present(app, versions)
    if found is None:
        return
    title = f"Tag {named(found)}"
    answer = await ask(app, Prompt(title, _tags_hint(found), check=_tag_problem))
    if answer is None or not answer.strip():
        return
    name, value = _tag(answer)
    references = [version.reference for version in found]
    count = await app.act(lambda registry: registry.edit_all(references, {f"tags/{name}": value}))
    if count is None:
        return
    given = ["--unset", f"tag.{name}"] if value is None else ["--tag", f"{name}={value}"]
    line = command_of_each(found, "edit", "$v", *given)
    what = f"took the tag {name} from" if value is None else f"tagged {name}={value}:"
    if not count:
        tell(app, f"nothing changed: {named(found)} had it so already", line, can_undo=False)
    else:
        of = "" if count == len(found) else f" ({count} changed)"
        tell(app, f"{what} {named(found)}{of}", line)


async def _edit(
    app: "RegtuiApp", reference: str, first: Draft, again: Callable[[Registry], Draft]
) -> None:
    """Edit a draft in a form.

    Args:
        app: The app.
        reference: What is edited.
        first: Its values.
        again: Reads them anew.
    """

    async def save(draft: Draft) -> Draft | None:
        wanted, seen = draft.wanted, draft.seen

        def edit(registry: Registry) -> ConflictOpen | bool:
            try:
                return registry.edit(reference, wanted, seen=seen)
            except ConflictOpen as error:
                return error

        done = await app.act(edit)
        if isinstance(done, ConflictOpen):
            app.show_error(done)
            now = await read(app, again)
            if now is None:
                return draft
            values = {entry.path: entry.before for entry in now.entries}
            return draft.rebased(values)
        if done is None:
            return draft
        _told(app, reference, draft.changed, has_changed=done)
        return None

    await ask(app, ValuesForm(f"Edit {reference}", first, save))


def _told(app: "RegtuiApp", reference: str, changed: Sequence[Entry], *, has_changed: bool) -> None:
    words = [word for entry in changed for word in _option(entry)]
    if not has_changed:
        tell(app, f"{reference} was so already", command("edit", reference), can_undo=False)
        return
    names = [f"{_label(entry)}" for entry in changed]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")  # noqa: PLR2004
    tell(app, f"changed {shown} of {reference}", command("edit", reference, *words))


def _label(entry: Entry) -> str:
    return f"{SINGULAR[entry.field]}.{entry.name}" if entry.field in SINGULAR else entry.field


def _option(entry: Entry) -> list[str]:
    """Return the options of `regtui edit` that make a change."""
    if entry.wanted is None:
        return ["--unset", _label(entry)]
    if entry.field in {"tags", "metrics"}:
        return [f"--{SINGULAR[entry.field]}", f"{entry.name}={entry.text}"]
    if entry.field == "description":
        return ["--description", str(entry.text)]
    value = "1" if entry.field == "owners" else entry.text
    return ["--set", f"{_label(entry)}={value}"]


def _tag(text: str) -> tuple[str, str | None]:
    """Return name and value of a tag; the value None where it is to be taken away."""
    line = text.strip()
    if line.startswith("-") and "=" not in line:
        return line[1:].strip(), None
    name, _, value = text.partition("=")
    return name.strip(), value


def _tag_problem(text: str) -> str | None:
    name, value = _tag(text)
    if not name or (value is not None and "=" not in text):
        return TAG
    return None if name.isprintable() else "the name has characters that can't be shown"


def _tags_hint(versions: Sequence[VersionAnswer]) -> str:
    """Return what can be typed, and which tags there are."""
    counts = Counter(
        f"{name}={value}" for version in versions for name, value in version.tags.items()
    )
    common = [f"{tag[:40]} ({count})" for tag, count in counts.most_common(6)]
    return TAG + (f"\nthere are {', '.join(common)}" if common else "")
