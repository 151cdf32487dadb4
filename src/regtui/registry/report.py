"""A report: the dossier of a model or version, as a file that can be handed on."""

from pathlib import Path
from typing import Literal

from msgspec import Struct

from regtui.artifacts.whole_file import free_target, whole_file
from regtui.core.errors import BadInput
from regtui.registry.answers import iso
from regtui.registry.audit import anchor
from regtui.registry.context import Context
from regtui.registry.dossier.blocks import Dossier

Format = Literal["markdown", "html"]

_FORMATS: dict[str, Format] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".html": "html",
    ".htm": "html",
}


class Reported(Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        file: Where.
        format: `markdown` or `html`.
        bytes: How many.
        about: Reference of the version, or name of the model.
    """

    file: str
    format: str
    bytes: int
    about: str


def report(
    context: Context, reference: str, target: str | Path, *, replace: bool = False
) -> Reported:
    """Write the dossier of a model or version into a file; its suffix says as what.

    Args:
        context: The registry.
        reference: The model or version.
        target: A new file, `.md` or `.html`.
        replace: Whether a file of that name may be replaced.

    Raises:
        NotFound: There is no such model or version.
        BadInput: The target is taken, or has another suffix.
        RegtuiError: The target can't be written.
    """
    path = Path(target)
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise BadInput(f"{path.name} is neither .md nor .html", "name such a file")
    free_target(path, context.home, replace=replace)
    found = dossier(context, reference)
    data = written(found, form).encode("utf-8", "backslashreplace")
    with whole_file(free_target(path, context.home, replace=replace), 0o666) as file:
        file.write(data)
    return Reported(file=str(path), format=form, bytes=len(data), about=found.title)


def report_text(context: Context, reference: str, form: Format = "markdown") -> str:
    """Return the dossier of a model or version.

    Raises:
        NotFound: There is no such model or version.
        BadInput: The reference is malformed.
    """
    return written(dossier(context, reference), form)


def dossier(context: Context, reference: str) -> Dossier:
    """Return all that is known of a model or version."""
    if "@" in reference or reference.startswith(":"):
        from regtui.registry.dossier.of_version import of_version

        title, sections = of_version(context, reference)
    else:
        from regtui.registry.dossier.of_model import of_model

        title, sections = of_model(context, reference)
    now, end = iso(context.replica.clock()), anchor(context)
    made = (
        f"Made {now[:19].replace('T', ' ')} UTC from the registry {end.registry} as it is after "
        f"operation #{end.seq}; anchor {end.anchor}."
    )
    return Dossier(title, made, sections)


def written(found: Dossier, form: Format) -> str:
    """Return a dossier in a format."""
    if form == "html":
        from regtui.registry.dossier.html import html

        return html(found)
    from regtui.registry.dossier.markdown import markdown

    return markdown(found)
