"""Holders: where an alias pointed, kept in its own document so that going back works offline.

Going back has to know which moves are in effect. The holders are read oldest first as a *trail*: a
move is put at its end, an undo of a move cuts the trail there, an undo of that undo puts the move
back. So going back twice goes two steps back and not to and fro.
"""

from collections.abc import Iterable

from regtui.core.documents import Document, Holder, Register

HOLDERS_LIMIT = 50
"""How many an alias remembers; the whole history is in the log."""

_FIELD = "holders/"

Held = tuple[str, Holder]
"""A holder, with the operation that moved the alias there."""


def with_holder(  # noqa: PLR0913 -- everything that is noted of a move
    fields: dict[str, Register],
    *,
    op: str,
    at: int,
    author: str,
    undoes: str | None,
    request: str | None = None,
) -> dict[str, Register]:
    """Return an alias's fields with its present version noted as its newest holder."""
    version = fields["version"].v
    value: dict[str, object] = {"version": version, "author": author, "at": at}
    if undoes is not None:
        value["undoes"] = undoes
    if request is not None:
        value["request"] = request
    noted = fields | {_FIELD + op: Register(value, op, at)}
    paths = [path for path in noted if path.startswith(_FIELD)]
    paths.sort(key=lambda path: (noted[path].at, path))
    for path in paths[:-HOLDERS_LIMIT]:
        del noted[path]
    return noted


def holders(alias: Document) -> list[Held]:
    """Return where an alias pointed, oldest first, by the operation that moved it there."""
    found = sorted(
        (register.at, path, register.v)
        for path, register in alias.fields.items()
        if path.startswith(_FIELD)
    )
    return [(path.removeprefix(_FIELD), Holder(**value)) for _, path, value in found]


def earlier_version(alias: Document) -> str | None:
    """Return the version to which going back leads; None where nothing earlier is known."""
    return earlier(alias.value("version"), holders(alias))


def earlier(current: str | None, held: Iterable[Held]) -> str | None:
    """Return the last version before the present one on the trail of holders, oldest first."""
    versions = [version for _, version in _trail(held)]
    if versions and versions[-1] == current:
        versions.pop()
    return next((v for v in reversed(versions) if v is not None and v != current), None)


def _trail(held: Iterable[Held]) -> list[tuple[str, str | None]]:
    """Return the moves that are in effect: the operation that made each, and where it led."""
    trail: list[tuple[str, str | None]] = []
    made: dict[str, str] = {}
    """The move that an operation made, or made again."""
    taken: dict[str, str] = {}
    """The move that an operation took back."""
    for op, holder in held:
        if holder.undoes in made:
            taken[op] = made[holder.undoes]
            _cut(trail, taken[op], op, holder.version)
        elif holder.undoes in taken:
            made[op] = taken[holder.undoes]
            trail.append((made[op], holder.version))
        elif holder.undoes is not None:  # of a move that is not remembered any more
            _cut(trail, "", op, holder.version)
            made[op] = op
        else:
            made[op] = op
            trail.append((op, holder.version))
    return trail


def _cut(trail: list[tuple[str, str | None]], move: str, op: str, version: str | None) -> None:
    """Shorten a trail by a move that was taken back, to where the alias points instead."""
    places = [place for place, (made, _) in enumerate(trail) if made == move]
    del trail[places[0] if places else len(trail) :]
    last = next((n for n in reversed(range(len(trail))) if trail[n][1] == version), None)
    if last is None:
        trail.append((op, version))
    else:
        del trail[last + 1 :]
