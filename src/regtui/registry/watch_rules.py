"""Rules of a watcher: which folders are watched, and how; kept in `watch.toml` of the home."""

import os
from pathlib import Path

from msgspec import Struct, structs

from regtui.capture.context import PARTS
from regtui.capture.keep import parse_keep
from regtui.capture.naming import check_template
from regtui.core.errors import BadInput, NotFound
from regtui.core.wording import count_text
from regtui.registry.home_checks import Finding
from regtui.registry.rule_files import RuleFile
from regtui.registry.typed_values import input_uris

FILE = "watch.toml"


class WatchRule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one folder is watched.

    Attributes:
        path: The folder, absolute; it need not be there yet.
        model: Name of the model, with fields such as `{run}`; None for the recogniser's default.
        keep: Which states are kept, such as `best, last 1`.
        exclude: Patterns of what is left out.
        without: What is not collected of a run: see `regtui.capture.context.PARTS`.
        parents: References of versions that all of its states were made from.
        inputs: Datasets that they were made with: `NAME`, or `NAME=URI`.
    """

    path: str
    model: str | None = None
    keep: str = "all"
    exclude: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder."""
        return Path(self.path)

    @property
    def parts(self) -> frozenset[str]:
        """What is collected of a run."""
        return frozenset(PARTS) - frozenset(self.without)

    @property
    def datasets(self) -> dict[str, str | None]:
        """URI of each dataset by name; None for that of a known one.

        Raises:
            BadInput: One has no name.
        """
        return input_uris(self.inputs)


def checked(rule: WatchRule) -> WatchRule:
    """Return a rule with its path absolute.

    Raises:
        BadInput: Something in it means nothing.
    """
    if not rule.path:
        raise BadInput("there is no folder to watch", "name one")
    path = os.path.abspath(os.path.expanduser(rule.path))  # noqa: PTH100, PTH111 -- links stay
    if rule.model is not None:
        check_template(rule.model)
    parse_keep(rule.keep)
    input_uris(rule.inputs)
    unknown = [part for part in rule.without if part not in PARTS]
    if unknown:
        raise BadInput(f"nothing called {unknown[0]!r} is collected", f"one of {', '.join(PARTS)}")
    return structs.replace(rule, path=path)


def refuse_file(rule: WatchRule) -> None:
    """Refuse a rule whose path is a file; one that became a file later is a folder that is missing.

    Raises:
        BadInput: It is.
    """
    if rule.folder.exists() and not rule.folder.is_dir():
        raise BadInput(f"{rule.path} is no folder", "watch the folder that it lies in")


def rules(home: Path) -> list[WatchRule]:
    """Return the rules of a registry.

    Raises:
        BadInput: The file is malformed; the error names the place.
    """
    return _file(home).read()


def rule_of(home: Path, path: str) -> WatchRule | None:
    """Return the rule of a folder; None where it has none.

    Raises:
        BadInput: The file is malformed.
    """
    wanted = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111 -- links stay
    return next((one for one in rules(home) if path and one.path == wanted), None)


def check_watch_rules(home: Path) -> Finding:
    """Return what `doctor` finds of the rules."""
    try:
        count = len(rules(home))
    except BadInput as error:
        return Finding("watch rules", "problem", error.message, error.hint)
    return Finding("watch rules", "ok", f"{count_text(count, 'folder')} by rules")


def stamp(home: Path) -> tuple[int, int, int] | None:
    """Return what changes when the rules do; None where there is no file of them."""
    try:
        status = (home / FILE).stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def add(home: Path, rule: WatchRule) -> WatchRule:
    """Add a rule, or change the one of the same folder; return it as it is kept.

    Raises:
        BadInput: Something in it means nothing, the path is a file, or the file is malformed.
        RegtuiError: The file can't be written.
    """
    rule = checked(rule)
    refuse_file(rule)
    kept = rules(home)
    if any(one.path == rule.path for one in kept):
        _file(home).write([rule if one.path == rule.path else one for one in kept])
    else:
        _file(home).write([*kept, rule])
    return rule


def remove(home: Path, path: str) -> WatchRule:
    """Remove the rule of a folder and return it.

    Raises:
        NotFound: It has none.
        BadInput: The file is malformed.
        RegtuiError: The file can't be written.
    """
    wanted = os.path.abspath(os.path.expanduser(path))  # noqa: PTH100, PTH111
    found = rules(home)
    gone = next((one for one in found if one.path == wanted), None)
    if gone is None:
        raise NotFound(f"no rule watches {wanted}", "`regtui watch list` tells what is watched")
    _file(home).write([one for one in found if one is not gone])
    return gone


def _file(home: Path) -> RuleFile[WatchRule]:
    return RuleFile(home / FILE, "watch", WatchRule, checked)
