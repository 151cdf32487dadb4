"""Hooks: commands that are run when something was done to the registry; kept in `hooks.toml`.

They belong to one home, and to whoever added them: which hooks he trusts stands in his
configuration folder, by digest. So a registry that came in an archive, or that somebody else may
write to, runs nothing of its own accord, and neither does a hook that was changed since.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from blake3 import blake3
from msgspec import Struct, structs

from regtui.artifacts.faults import disk_errors
from regtui.core import encoding
from regtui.core.access import in_scope, scope_key
from regtui.core.errors import BadInput, NotFound
from regtui.core.operations import KINDS
from regtui.core.query.times import read_duration
from regtui.core.wording import count_text
from regtui.registry.context import HOOKS
from regtui.registry.home_checks import Finding
from regtui.registry.rule_files import RuleFile
from regtui.replica.home import configuration_folder

EVERYTHING = "*"

EFFECTS = ("alias.moved", "conflict.opened")
"""Events beside the kinds of operations: what an operation did, whatever its kind."""

EVENTS = (*KINDS, *EFFECTS)

LONGEST = 3_600_000
"""Milliseconds that a hook may take at most."""

_ID = 8
_SHORTEST = 4


class Hook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A command, and when it is run.

    Attributes:
        on: Events: kinds of operations, a group such as `promotion.*`, `alias.moved`,
            `conflict.opened`, or `*`.
        run: The command, as a shell reads it.
        models: Models that it is for: a name, a folder of names (`team/*`), or `*` for everything.
        timeout: How long it may take, such as `1m`.
    """

    on: tuple[str, ...]
    run: str
    models: str = EVERYTHING
    timeout: str = "1m"

    @property
    def digest(self) -> str:
        """Digest of all of it, by which it is trusted."""
        return blake3(encoding.encode(structs.asdict(self))).hexdigest()

    @property
    def id(self) -> str:
        """What people call it: the beginning of its digest."""
        return self.digest[:_ID]

    @property
    def seconds(self) -> float:
        """How long it may take."""
        return (read_duration(self.timeout) or 0) / 1000

    def wants(self, events: Sequence[str], model: str | None) -> bool:
        """Tell whether it is to be run.

        Args:
            events: What happened.
            model: Name of the model that it happened to; None where it is about none.
        """
        if model is None and self.models != EVERYTHING:
            return False
        if model is not None and not in_scope(self.models, model):
            return False
        return any(_matches(pattern, event) for pattern in self.on for event in events)


class HookAnswer(Struct, frozen=True, kw_only=True):
    """A hook.

    Attributes:
        hook: What it is called.
        on: Its events.
        run: The command.
        models: Models that it is for.
        timeout: How long it may take.
        trusted: Whether it is run here: who acts has added it, as it is.
    """

    hook: str
    on: list[str]
    run: str
    models: str
    timeout: str
    trusted: bool


def checked(hook: Hook) -> Hook:
    """Return a hook with its names as they decide identity.

    Raises:
        BadInput: Something in it means nothing.
    """
    if not hook.on:
        raise BadInput("there is no event", f"such as {', '.join(EVENTS[:3])}")
    for pattern in hook.on:
        if not any(_matches(pattern, event) for event in EVENTS):
            raise BadInput(f"there is no event {pattern!r}", f"there are *, {', '.join(EVENTS)}")
    if not hook.run.strip() or "\0" in hook.run:
        raise BadInput("there is no command to run", "such as --run './notify.sh'")
    length = read_duration(hook.timeout)
    if not length or length > LONGEST:
        raise BadInput(f"{hook.timeout!r} is no time of up to 1h", "such as 30s or 5m")
    return structs.replace(hook, models=scope_key(hook.models))


def hooks(home: Path) -> list[Hook]:
    """Return the hooks of a home, in the order of their file.

    Raises:
        BadInput: The file is malformed; the error names the place.
    """
    return _file(home).read()


def trusted_hooks(home: Path) -> list[Hook]:
    """Return the hooks of a home that are run.

    Raises:
        BadInput: The file is malformed.
    """
    known = _trusted(home)
    return [one for one in hooks(home) if one.digest in known]


def listed(home: Path) -> list[HookAnswer]:
    """Return the hooks of a home as people look at them.

    Raises:
        BadInput: The file is malformed.
    """
    known = _trusted(home)
    return [answer(one, trusted=one.digest in known) for one in hooks(home)]


def answer(hook: Hook, *, trusted: bool) -> HookAnswer:
    """Return what is told of a hook."""
    return HookAnswer(
        hook=hook.id,
        on=list(hook.on),
        run=hook.run,
        models=hook.models,
        timeout=hook.timeout,
        trusted=trusted,
    )


def add(home: Path, hook: Hook) -> Hook:
    """Keep a hook and trust it; one that is there already is trusted only.

    Raises:
        BadInput: Something in it means nothing, or the file is malformed.
        RegtuiError: The home or the configuration folder can't be written.
    """
    hook = checked(hook)
    kept = hooks(home)
    _trust(home, hook.digest)
    if hook not in kept:
        _file(home).write([*kept, hook])
    return hook


def remove(home: Path, name: str) -> Hook:
    """Remove a hook and return it.

    Raises:
        NotFound: There is none.
        BadInput: Several have it, or the file is malformed.
        RegtuiError: The home can't be written.
    """
    gone = named(home, name)
    _file(home).write([one for one in hooks(home) if one != gone])
    return gone


def named(home: Path, name: str) -> Hook:
    """Return the hook that is called something.

    Raises:
        NotFound: There is none.
        BadInput: Several have it, or the file is malformed.
    """
    kept = hooks(home)
    found = [one for one in kept if len(name) >= _SHORTEST and one.digest.startswith(name.lower())]
    if not found:
        raise NotFound(f"there is no hook {name!r}", "`regtui hook ls` lists them")
    if len(found) > 1:
        raise BadInput(f"{name!r} names {len(found)} hooks", "give more of it")
    return found[0]


def check_hooks(home: Path) -> Finding:
    """Return what `doctor` finds of the hooks."""
    try:
        found = listed(home)
    except BadInput as error:
        return Finding("hooks", "problem", error.message, error.hint)
    strange = sum(not one.trusted for one in found)
    if strange:
        return Finding(
            "hooks",
            "warning",
            f"{count_text(strange, 'hook')} of somebody else, not run",
            "`regtui hook ls` tells what it would run; `regtui hook add` trusts it",
        )
    return Finding("hooks", "ok", count_text(len(found), "hook"))


def _matches(pattern: str, event: str) -> bool:
    if pattern == EVERYTHING:
        return True
    group = pattern.removesuffix(".*")
    return pattern == event or ("." not in group and event.startswith(f"{group}."))


def _trusted(home: Path) -> set[str]:
    try:
        return set(_trust_file(home).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return set()


def _trust(home: Path, digest: str) -> None:
    file = _trust_file(home)
    with disk_errors(f"writing {file}"):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        known = _trusted(home) | {digest}
        beside = file.with_suffix(".new")
        beside.write_text("".join(f"{one}\n" for one in sorted(known)), encoding="ascii")
        beside.chmod(0o600)
        beside.replace(file)


def _trust_file(home: Path) -> Path:
    """Return where it stands which hooks of a home its owner trusts."""
    place = os.fsencode(os.path.realpath(home))
    return configuration_folder() / "hooks" / blake3(place).hexdigest()[:32]


def _file(home: Path) -> RuleFile[Hook]:
    return RuleFile(home / HOOKS, "hook", Hook, checked)
