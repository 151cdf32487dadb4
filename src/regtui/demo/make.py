"""Making the demo: in its place from the start, so that what it says of its runs stays true.

A demo is a folder with a registry in `.regtui` and the runs that it was captured from in `runs`.
While it is made it has another mark than when it is whole; a kill in the middle leaves that one,
and the next making begins anew.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from regtui.core.errors import BadInput, RegtuiError
from regtui.demo.people import Team
from regtui.demo.production import serve
from regtui.demo.story import DAYS, tell

MARK = "regtui-demo"
"""A file that only a demo has."""

UNFINISHED = "regtui-demo.part"
"""A file that only a demo has which is not whole yet."""

Told = Callable[[str], object]


class Demo(Struct, frozen=True, kw_only=True):
    """A demo.

    Attributes:
        folder: Where it is.
        home: Its registry.
        created: Whether it was made now.
    """

    folder: str
    home: str
    created: bool


def make_demo(folder: Path | None = None, *, again: bool = False, told: Told | None = None) -> Demo:
    """Make the demo, unless it is there.

    Args:
        folder: Where to; None for the user's cache folder.
        again: Whether to make it anew where it is there.
        told: Is told the name of each model before it is trained.

    Raises:
        BadInput: There is something else in the folder.
        RegtuiError: It can't be written.
    """
    target = default_folder() if folder is None else folder.expanduser().absolute()
    is_there = (target / MARK).is_file()
    if not is_there and not (target / UNFINISHED).is_file() and _holds_something(target):
        raise BadInput(f"{target} is no demo and not empty", "name another folder")
    if is_there and not again:
        return _demo(target, created=False)
    try:
        _make(target, told or (lambda _: None))
    except OSError as error:
        raise RegtuiError(
            f"the demo can't be made in {target}: {error.strerror}", "name another folder"
        ) from error
    return _demo(target, created=True)


def default_folder() -> Path:
    """Return where the demo is unless somebody says where."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("regtui")) / "demo"


def _demo(folder: Path, *, created: bool) -> Demo:
    return Demo(folder=str(folder), home=str(folder / ".regtui"), created=created)


def _holds_something(target: Path) -> bool:
    return target.exists() and (not target.is_dir() or any(target.iterdir()))


def _make(target: Path, told: Told) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True, mode=0o700)
    try:
        (target / UNFINISHED).touch()
        team = Team(target / ".regtui", DAYS)
        for model in tell(team, target / "runs"):
            told(model)
        serve(team, target / ".regtui")
        # The story takes weeks on its own clock, and a day's first writer makes a copy.
        for copy in (target / ".regtui" / "backups").glob("daily-*"):
            copy.unlink()
        (target / MARK).write_text("made by `regtui demo`; can be deleted\n", encoding="utf-8")
        (target / UNFINISHED).unlink()
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
