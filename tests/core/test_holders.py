"""Going back along the holders of an alias."""

import random

import pytest

from regtui.core.documents import Holder, Register
from regtui.core.holders import HOLDERS_LIMIT, earlier, holders, with_holder
from tests.core.registry_state import Replica


def trail(*moves: tuple[str, str | None, str | None]) -> list[tuple[str, Holder]]:
    """Return holders of (operation, version, what it took back)."""
    return [
        (op, Holder(version, "ann", at, undoes=undoes))
        for at, (op, version, undoes) in enumerate(moves)
    ]


A, B, C = ("a", "1", None), ("b", "2", None), ("c", "3", None)


@pytest.mark.parametrize(
    ("moves", "back"),
    [
        ([], None),
        ([A], None),
        ([A, B], "1"),
        ([A, B, C], "2"),
        ([A, B, C, ("u", "2", "c")], "1"),
        ([A, B, C, ("u", "2", "c"), ("w", "1", "b")], None),
        ([A, B, C, ("u", "2", "c"), ("r", "3", "u")], "2"),
        ([A, B, C, ("u", "2", "c"), ("r", "3", "u"), ("w", "2", "r")], "1"),
        ([A, B, C, ("u", "2", "c"), ("r", "3", "u"), ("w", "2", "c")], "1"),
        ([A, B, ("d", "1", None)], "2"),
        ([A, B, ("d", "1", None), ("u", "2", "d")], "1"),
        ([A, ("x", None, None)], "1"),
        ([A, ("x", None, None), ("y", "2", None)], "1"),
        ([A, ("x", None, None), ("y", "1", None)], None),
        ([A, B, ("x", None, None), ("y", "2", None)], "1"),
        ([A, B, ("x", None, None), ("y", "2", None), ("u", "1", "y")], None),
        ([A, ("x", None, "a")], None),
        ([A, ("x", None, "a"), ("r", "1", "x")], None),
        ([B, C, ("u", "2", "forgotten")], None),
        ([A, B, C, ("u", "2", "forgotten")], "1"),
        ([("u", "2", "forgotten"), C], "2"),
    ],
)
def test_going_back_leads_to_the_last_version_that_is_in_effect_before(
    moves: list[tuple[str, str | None, str | None]], back: str | None
) -> None:
    current = moves[-1][1] if moves else None

    assert earlier(current, trail(*moves)) == back


def test_going_back_again_and_again_goes_through_every_move_once() -> None:
    chance = random.Random(5)
    for _ in range(200):
        moves: list[tuple[str, str | None, str | None]] = []
        for place in range(chance.randint(1, 8)):
            last = moves[-1][1] if moves else None
            version = chance.choice([v for v in ("1", "2", "3", None) if v != last])
            moves.append((f"m{place}", version, None))
        standing = [op for op, _, _ in moves]
        seen = [moves[-1][1]]
        while (back := earlier(moves[-1][1], trail(*moves))) is not None:
            # The move that made it stand here is taken back.
            moves.append((f"u{len(moves)}", back, standing.pop()))
            while standing and {op: v for op, v, _ in moves}[standing[-1]] != back:
                standing.pop()
            assert back != seen[-1]
            seen.append(back)
            assert len(seen) < 20, "it went to and fro"


def test_an_alias_remembers_its_last_holders_only() -> None:
    fields: dict[str, Register] = {}
    for n in range(HOLDERS_LIMIT + 7):
        fields["version"] = Register(str(n), f"op{n}", n)
        fields = with_holder(fields, op=f"op{n}", at=n, author="ann", undoes=None)

    kept = [path for path in fields if path.startswith("holders/")]
    assert len(kept) == HOLDERS_LIMIT
    assert f"holders/op{HOLDERS_LIMIT + 6}" in kept
    assert "holders/op6" not in kept


def test_every_move_of_an_alias_is_noted_with_who_made_it(
    ann: Replica, ben: Replica, model: str, version: str
) -> None:
    ann.point(model, "champion", version)
    ann.sync()
    ben.pull()
    other = ben.capture(model, "better").entity
    ben.point(model, "champion", other)
    ben.sync()
    alias = ben.unpoint(model, "champion").entity
    ben.sync()

    document = ben.state.document(alias)

    assert document is not None
    assert [(h.version, h.author) for _, h in holders(document)] == [
        (version, ann.actor.id),
        (other, ben.actor.id),
        (None, ben.actor.id),
    ]
