"""Under which model a state is registered, and what its run is called.

A person's choice (the option, the rule of the folder) comes first, then what a sidecar says, then
the recogniser's default, mostly `{parent}/{run}`: the folder of the run and the one that holds it.
Names of folders become slugs; what a person writes stays as it is.
"""

import re
from pathlib import Path
from posixpath import basename

from regtui.capture.recognise import Unit
from regtui.capture.recogniser import FIELDS, bad_template
from regtui.core.errors import BadInput
from regtui.core.identity import name_key, slug


def check_template(template: str) -> None:
    """Refuse the name of a model that could never be one.

    Args:
        template: A name, with fields in braces or without.

    Raises:
        BadInput: A field is unknown, or the name is malformed.
    """
    problem = bad_template(template)
    if problem is not None:
        raise BadInput(f"the name {template!r} is malformed: {problem}", "such as {parent}/{run}")
    name_key(re.sub(r"\{.*?\}", "x", template))


def model_name(unit: Unit, root: Path, chosen: str | None, found: str | None) -> str:
    """Return the name of the model of a unit.

    Args:
        unit: The unit.
        root: The watched folder.
        chosen: What a person says, with fields or without; None for nothing.
        found: What a file beside says; a malformed name counts as nothing.
    """
    if chosen is None and found is not None:
        try:
            name_key(found)
        except BadInput:
            pass
        else:
            return found
    template = unit.recogniser.model if chosen is None else chosen
    fields = _fields(unit, root)
    return re.sub(r"\{(.*?)\}", lambda field: slug(fields[field[1]]), template)


def run_name(unit: Unit, root: Path, found: str | None) -> str:
    """Return what a run is called: as a file says, else as its folder is."""
    return found or basename(unit.run) or _name_of(root)


def _fields(unit: Unit, root: Path) -> dict[str, str]:
    run = root / unit.run if unit.run else root
    name = basename(unit.path) or _name_of(root)
    stem = _without_step(_stem(name), unit.step)
    values = (_name_of(run.parent), _name_of(run), _name_of(root), stem, name)
    return dict(zip(FIELDS, (*values, unit.recogniser.name), strict=True))


def _stem(name: str) -> str:
    return re.sub(r"(?<=.)(?:\.weights|\.pth|-\d{5}-of-\d{5})?\.\w+$", "", name)


def _without_step(stem: str, step: int | None) -> str:
    """Return a stem without the step at its end: the states of a run are of one model."""
    if step is None:
        return stem
    ending = rf"[-_.=]*(?:step|iter|epoch|iteration)?[-_.=]*0*{step}$"
    return re.sub(ending, "", stem, flags=re.IGNORECASE) or "model"


def _name_of(folder: Path) -> str:
    return folder.name or folder.resolve().name or "root"
