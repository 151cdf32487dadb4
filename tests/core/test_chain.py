"""Chains: no history is rewritten unnoticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regtui.core.chain import FIRST_LINK, GENESIS, PREV_DIGITS, link, seal, tip
from regtui.core.operations import Change, EditBody, Operation, decode_operation
from regtui.core.verdicts import encode_verdict
from tests.core.registry_state import Authority, Replica


def drafts(who: Replica, count: int) -> list[Operation]:
    body = EditBody({"description": Change("x")})
    return [who.draft("model.edit", "m", "m", body) for _ in range(count)]


def sealed(operations: list[Operation]) -> list[bytes]:
    chain, prev = [], GENESIS
    for n, draft in enumerate(operations, 1):
        _, data, prev = seal(draft, n=n, prev=prev)
        chain.append(data)
    return chain


def whole(chain: list[bytes], end: str) -> bool:
    """Tell whether a chain leads to a tip that was signed."""
    prev = GENESIS
    for n, data in enumerate(chain, 1):
        try:
            operation = decode_operation(data)
        except Exception:  # noqa: BLE001
            return False
        if (operation.n, operation.prev) != (n, prev):
            return False
        prev = tip(data)
    return prev == end


def test_each_operation_names_the_one_before_it(ann: Replica) -> None:
    first, data, end = seal(drafts(ann, 1)[0], n=1, prev=GENESIS)
    assert (first.n, first.prev, end) == (1, GENESIS, tip(data))
    assert len(end) == PREV_DIGITS
    assert decode_operation(data) == first


def test_a_chain_leads_to_its_tip(ann: Replica) -> None:
    chain = sealed(drafts(ann, 4))
    assert whole(chain, tip(chain[-1]))


@given(st.integers(0, 2), st.integers(0), st.integers(1, 255))
def test_any_byte_that_changes_breaks_the_chain(which: int, where: int, flip: int) -> None:
    chain = sealed(drafts(Authority().person("ann"), 3))
    end = tip(chain[-1])
    data = bytearray(chain[which])
    data[where % len(data)] ^= flip
    chain[which] = bytes(data)
    assert not whole(chain, end)


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2), (0, 1), (0, 1, 1, 2)])
def test_a_chain_with_a_link_moved_missing_or_doubled_is_broken(
    ann: Replica, order: tuple[int, ...]
) -> None:
    chain = sealed(drafts(ann, 3))
    assert not whole([chain[index] for index in order], tip(chain[-1]))


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(max_size=40),
    st.binary(max_size=40),
    st.integers(0),
    st.integers(1, 255),
)
def test_any_byte_that_changes_gives_another_link(
    previous: bytes, operation: bytes, verdict: bytes, where: int, flip: int
) -> None:
    parts = [bytearray(previous), bytearray(operation), bytearray(verdict)]
    where %= sum(map(len, parts))
    for part in parts:
        if where < len(part):
            part[where] ^= flip
            break
        where -= len(part)
    assert link(*map(bytes, parts)) != link(previous, operation, verdict)


def test_bytes_do_not_wander_between_operation_and_verdict() -> None:
    assert link(FIRST_LINK, b"ab", b"c") != link(FIRST_LINK, b"a", b"bc")


def test_a_link_vouches_for_the_documents_through_their_digests(
    authority: Authority, ann: Replica
) -> None:
    one = authority.judge(ann.create("a"), ann.actor)
    ann.pending.clear()
    two = authority.judge(ann.create("b"), ann.actor)
    verdicts = [encode_verdict(judged.verdict) for judged in (one, two)]
    assert all(
        judged.documents[0][0].id.encode() in data
        for judged, data in zip((one, two), verdicts, strict=True)
    )
    assert link(FIRST_LINK, b"", verdicts[0]) != link(FIRST_LINK, b"", verdicts[1])
