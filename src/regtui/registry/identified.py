"""What people call by a part of its id: among a few, the one whose id begins or ends so."""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from regtui.core.errors import BadInput, NotFound


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


_Thing = TypeVar("_Thing", bound=_Identified)


def identified(things: Iterable[_Thing], identity: str, kind: str) -> _Thing:
    """Return the one thing whose id begins or ends so.

    Args:
        things: What there is.
        identity: Hex digits.
        kind: What it is, for errors; the command that lists it is called so.

    Raises:
        NotFound: There is none.
        BadInput: There are several.
    """
    digits = identity.lower().replace("-", "")
    bare = [(one, one.id.replace("-", "")) for one in things]
    found = [one for one, id_ in bare if digits and id_.startswith(digits)]
    found = found or [one for one, id_ in bare if digits and id_.endswith(digits)]
    if not found:
        raise NotFound(f"there is no {kind} {identity!r}", f"`regtui {kind} ls` lists them")
    if len(found) > 1:
        raise BadInput(f"several {kind}s are called {identity}", "add more digits of the id")
    return found[0]
