"""Recognisers: what the folders of each trainer look like, as data.

One TOML file for each trainer in `recognisers/`, and what a person adds in `capture.toml` of the
configuration folder, which is asked first. A recogniser knows names only; what stands in the files
is for `complete` and the readers.

Patterns are those of the shell (`*.pt`), case-sensitive. One without `/` is matched with a file's
name, one with `/` with the end of its path.
"""

import re
import tomllib
from collections.abc import Iterable, Sequence
from fnmatch import translate
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from regtui.capture.readers import READERS
from regtui.core.errors import BadInput

USERS_FILE: Final = "capture.toml"
"""The file of a person's own recognisers."""

FIELDS: Final = ("parent", "run", "root", "stem", "name", "recogniser")
"""What may stand in braces in the name of a model."""

Patterns = tuple[str, ...]


class Recogniser(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What makes a version of one trainer.

    Attributes:
        name: Short and unique.
        title: For people.
        unit: Whether a version is a folder or a file.
        match: Patterns of the folder or file.
        unless: Patterns of what it is not, even if it matches.
        signs: Names of which one in a folder tells that it will be one, before all is there.
        requires: Groups of patterns; of each group one file must be there.
        together: Groups of patterns; where one of a group is there, all must be.
        marker: What the trainer writes last.
        marker_step: Key in the marker, a JSON file, that must say the step of the unit's name.
        weights: Patterns of what must not be empty.
        formats: What a file must be by its bytes; empty for anything.
        shallow: Whether a folder's own files make the version, without the folders in it.
        companions: Files beside a file that belong to it; `{stem}` and `{name}` are the file's.
        leave: Patterns of files in a folder that are no part of the version.
        inside: Names of folders that hold units within a run.
        own_run: Whether the folder is the run itself, rather than lying in it.
        step: Regular expression on the path with a group `step`.
        model: Name of the model; see `FIELDS`.
        readers: Who is asked for metrics and parameters, the first counts most.
        version: False for what is never a version, and nobody else's either.
        final: Whether it is the last state of its run.
        priority: Lower ones are asked first.
    """

    name: str
    title: str = ""
    unit: Literal["folder", "file"]
    match: Patterns
    unless: Patterns = ()
    signs: Patterns = ()
    requires: tuple[Patterns, ...] = ()
    together: tuple[Patterns, ...] = ()
    marker: str | None = None
    marker_step: str | None = None
    weights: Patterns = ()
    formats: Patterns = ()
    shallow: bool = False
    companions: Patterns = ()
    leave: Patterns = ()
    inside: Patterns = ()
    own_run: bool = False
    step: str | None = None
    model: str = "{parent}/{run}"
    readers: Patterns = ("sidecar", "headers", "tensorboard", "nearby")
    version: bool = True
    final: bool = False
    priority: int = 50

    def matches(self, path: str) -> bool:
        """Tell whether a folder or file has a name of this trainer."""
        return matches(path, self.match) and not matches(path, self.unless)

    def step_of(self, path: str) -> int | None:
        """Return the step that a path tells."""
        if self.step is None or (found := _regex(self.step).search(path)) is None:
            return None
        return int(found["step"])


def matches(path: str, patterns: Patterns) -> bool:
    """Tell whether a path is as one of the patterns says.

    >>> matches("7/weights/best.pt", ("weights/*.pt",)), matches("7/best.pt", ("weights/*.pt",))
    (True, False)
    """
    if not patterns:
        return False
    names, paths = _compiled(patterns)
    if names is not None and names.match(path[path.rfind("/") + 1 :]):
        return True
    return paths is not None and paths.match(f"/{path}") is not None


@cache
def built_in() -> tuple[Recogniser, ...]:
    """Return the recognisers that come with regtui."""
    found = []
    for file in resources.files("regtui.capture").joinpath("recognisers").iterdir():
        if file.name.endswith(".toml"):
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            found += _recognisers(table, file.name)
    return tuple(sorted(found, key=lambda one: (one.priority, one.name)))


def load(users: Path | None) -> tuple[Recogniser, ...]:
    """Return all recognisers in the order in which they are asked: a person's own ones first.

    Args:
        users: The person's file; None for none. It need not be there.

    Raises:
        BadInput: The file is malformed; the error names the place.
    """
    if users is None or not users.exists():
        return built_in()
    try:
        table = tomllib.loads(users.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"{users} can't be read: {error}", "mend it or move it away") from None
    own = _recognisers(table, str(users))
    taken = {one.name for one in own}
    return (*own, *(one for one in built_in() if one.name not in taken))


def _recognisers(table: dict[str, Any], file: str) -> list[Recogniser]:
    unknown = set(table) - {"recogniser"}
    if unknown:
        raise BadInput(
            f"{file} has a table {min(unknown)!r}", "it holds [[recogniser]] tables only"
        )
    try:
        found = msgspec.convert(table.get("recogniser", []), list[Recogniser])
    except msgspec.ValidationError as error:
        raise BadInput(f"{file}: {error}", "docs/capture.md lists what a recogniser has") from None
    for one in found:
        _check(one, file)
    return found


def _check(one: Recogniser, file: str) -> None:
    """Refuse what could never work."""
    problem = None
    unknown = [name for name in one.readers if name not in READERS]
    if unknown:
        problem = f"there is no reader {unknown[0]!r}; there are {', '.join(READERS)}"
    elif not one.match:
        problem = "it matches nothing"
    elif one.step is not None and not _has_step(one.step):
        problem = f"step = {one.step!r} is no regular expression with a group (?P<step>[0-9]+)"
    else:
        problem = bad_template(one.model)
    if problem:
        raise BadInput(f"{file}: the recogniser {one.name!r} is malformed: {problem}")


def bad_template(template: str) -> str | None:
    """Return what is wrong with the name of a model that may have fields; None if nothing is."""
    unknown = [name for name in re.findall(r"\{(.*?)\}", template) if name not in FIELDS]
    if unknown:
        return f"there is no {{{unknown[0]}}}; there are {', '.join(FIELDS)}"
    rest = re.sub(r"\{.*?\}", "", template)
    return "a brace is open" if "{" in rest or "}" in rest else None


def _has_step(expression: str) -> bool:
    try:
        return "step" in _regex(expression).groupindex
    except re.error:
        return False


@cache
def _regex(expression: str) -> re.Pattern[str]:
    return re.compile(expression)


@cache
def _compiled(patterns: Patterns) -> tuple[re.Pattern[str] | None, re.Pattern[str] | None]:
    return (
        _either(one for one in patterns if "/" not in one),
        _either(f"*/{one}" for one in patterns if "/" in one),
    )


def _either(patterns: Iterable[str]) -> re.Pattern[str] | None:
    found: Sequence[str] = [translate(one) for one in patterns]
    return re.compile("|".join(found)) if found else None
