"""How many operations a request has."""

from hypothesis import given
from hypothesis import strategies as st

from regtui.sync.batch_size import FIRST_BATCH, BatchSize
from regtui.wire.messages import OPERATIONS_LIMIT


def test_it_grows_while_all_is_judged() -> None:
    size = BatchSize()
    sizes = []
    for _ in range(5):
        sizes.append(size.limit)
        size.note_judged(size.limit, size.limit)
    assert sizes == [FIRST_BATCH, 2 * FIRST_BATCH, 4 * FIRST_BATCH, 4_000, 4_000]


def test_a_server_that_stops_in_between_is_asked_for_less_and_slowly_more() -> None:
    size = BatchSize()
    size.note_judged(1_000, 400)
    assert size.limit == 300
    before = size.limit
    for _ in range(3):
        size.note_judged(size.limit, size.limit)
        assert before <= size.limit <= before * 5 / 4
        before = size.limit


def test_a_request_that_is_not_taken_shrinks_to_one_operation() -> None:
    size = BatchSize()
    tries = 0
    while size.note_refused(size.limit):
        tries += 1
    assert size.limit == 1
    assert tries < 5


def test_less_than_a_full_request_tells_nothing() -> None:
    size = BatchSize()
    size.note_judged(3, 3)
    assert size.limit == FIRST_BATCH


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1))))
def test_it_stays_within_its_bounds(events: list[tuple[bool, float]]) -> None:
    size = BatchSize()
    for is_taken, share in events:
        if is_taken:
            size.note_judged(size.limit, int(size.limit * share))
        else:
            size.note_refused(size.limit)
        assert 1 <= size.limit <= OPERATIONS_LIMIT
