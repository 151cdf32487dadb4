"""What a pickle may name, and what each name means for the verdict.

An allow-list: whatever is not on it is dangerous, also what was never heard of, for a list of known
evils is never whole. The table is `allowed_groups.py`; the names of scikit-learn, torch and others
that it takes in are data in `known_names.py`.

Invariant: no name has a dot, so nothing is reached through the attributes of something else
(`sklearn`, `os.system`).
"""

import re
from functools import lru_cache
from typing import Final

from regtui.formats.allowed_groups import GROUPS, Calls, Group
from regtui.formats.values import Safety

_LONGEST: Final = 500
_MODULE: Final = re.compile(r"[A-Za-z_]\w*(\.(?!tests?\b)[A-Za-z_]\w*)*", re.ASCII)
_GENERATED: Final = re.compile(r"__pyx_unpickle_[A-Za-z_]\w*", re.ASCII)
_MAKERS: Final = frozenset({"newObj"})  # of Cython's classes, written by hand


def judge(module: str, name: str) -> Safety:
    """Return `tensors-only`, `needs-classes` or `dangerous` for a name that a pickle imports."""
    group = _group_of(module, name)
    return "dangerous" if group is None else group.safety


def calls_of(module: str, name: str) -> Calls | None:
    """Return how honest files call a name, None if it is not allowed at all."""
    group = _group_of(module, name)
    if group is None:
        return None
    return "rule" if makes_objects(name) else group.calls


def makes_objects(name: str) -> bool:
    """Tell whether it is a function that Cython makes, or people write, to unpickle a class."""
    return name in _MAKERS or _GENERATED.fullmatch(name) is not None


def _group_of(module: str, name: str) -> Group | None:
    return _look_up(module, name) if len(module) + len(name) <= _LONGEST else None


@lru_cache(4_096)
def _look_up(module: str, name: str) -> Group | None:
    for group in GROUPS:
        if name in group.names or (group.generated and _GENERATED.fullmatch(name)):
            if module in group.modules:
                return group
            if module.startswith(group.packages) and _within(module, group.packages):
                return group
    return None


def _within(module: str, packages: tuple[str, ...]) -> bool:
    return _MODULE.fullmatch(module) is not None and any(
        module == package or module.startswith(package + ".") for package in packages
    )
