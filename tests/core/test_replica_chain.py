"""A replica's chain holds in whatever order its operations come, and nothing else fits into it."""

from hypothesis import given
from hypothesis import strategies as st

from regtui.core import chain
from regtui.core.replica_chain import Fit, ReplicaChain

Place = tuple[int, str, str]
"""Number, digest of the one before, own digest."""


def sealed(name: str) -> list[Place]:
    """Return the places of ten operations in a row."""
    places: list[Place] = []
    tip = chain.GENESIS
    for n in range(1, 11):
        prev, tip = tip, chain.tip(f"{name}{n}".encode())
        places.append((n, prev, tip))
    return places


PLACES, OTHERS = sealed("a"), sealed("b")
ORDERS = st.lists(st.sampled_from(PLACES), unique=True)


def taken(places: list[Place]) -> ReplicaChain:
    known = ReplicaChain()
    for place in places:
        known.take(*place)
    return known


@given(ORDERS)
def test_operations_fit_in_any_order_and_with_any_gaps(order: list[Place]) -> None:
    known = ReplicaChain()
    numbers = {0}
    for n, prev, tip in order:
        is_beside = n - 1 in numbers
        assert known.fit(n, prev, tip) is (Fit.BESIDE if is_beside else Fit.APART)
        known.take(n, prev, tip)
        numbers.add(n)
        assert (known.n, known.tip) == (n, tip)
        assert known.is_whole is (max(numbers) == len(numbers) - 1)


@given(ORDERS)
def test_none_fits_twice_neither_the_same_nor_another(order: list[Place]) -> None:
    known = taken(order)
    for n, _, _ in order:
        assert known.fit(*PLACES[n - 1]) is Fit.TWICE
        assert known.fit(*OTHERS[n - 1]) is Fit.TWICE


@given(ORDERS, st.sampled_from(OTHERS))
def test_one_of_another_chain_is_noticed_beside_any_that_is_known(
    order: list[Place], other: Place
) -> None:
    known = taken(order)
    numbers = {0, *(n for n, _, _ in order)}
    n, _, _ = other
    if n in numbers:
        expected = Fit.TWICE
    elif n - 1 in numbers - {0} or n + 1 in numbers:
        expected = Fit.BROKEN
    else:
        expected = Fit.BESIDE if n == 1 else Fit.APART
    assert known.fit(*other) is expected


@given(st.integers(max_value=0))
def test_nothing_stands_before_the_first(n: int) -> None:
    assert ReplicaChain().fit(n, chain.GENESIS, "1") is Fit.TWICE


def test_one_that_does_not_fit_spoils_nothing_but_its_neighbours() -> None:
    known = taken(PLACES[:3])
    assert known.take(*OTHERS[3]) is Fit.BROKEN
    assert known.take(*PLACES[4]) is Fit.BROKEN
    assert known.take(*PLACES[5]) is Fit.BESIDE
