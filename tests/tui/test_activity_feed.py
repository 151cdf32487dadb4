"""The feed of operations: pages by number, found ones from the newest on, and what comes on top."""

import pytest

from regtui.registry import Registry
from regtui.registry.history import LogRequest
from regtui.tui import activity_feed
from regtui.tui.activity_feed import Feed, FeedRow


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page have four rows, so that the sample's 19 operations are five pages."""
    monkeypatch.setattr(activity_feed, "PAGE", 4)
    monkeypatch.setattr(activity_feed, "MOST_NEW", 8)


def seqs(rows: list[FeedRow]) -> list[int]:
    return [row.seq for row in rows]


def feed_of(registry: Registry, **wanted: str) -> Feed:
    feed = Feed(LogRequest(**wanted))
    feed.renew(registry)
    return feed


def tag(registry: Registry, count: int) -> None:
    for number in range(count):
        registry.edit("vision/digits@2", {f"tags/{number}": "1"})


@pytest.mark.usefixtures("small_pages")
def test_any_page_of_everything_is_there_at_once(sample: Registry) -> None:
    feed = feed_of(sample)

    assert feed.total == sample.anchor().seq == 19
    assert seqs(feed.page(sample, 4)) == [3, 2, 1]
    assert seqs(feed.page(sample, 0)) == [19, 18, 17, 16]
    assert feed.page(sample, 5) == []


@pytest.mark.usefixtures("small_pages")
def test_operations_of_one_intent_stand_together_across_pages(sample: Registry) -> None:
    feed = feed_of(sample)

    places = {row.seq: row.place for number in range(5) for row in feed.page(sample, number)}

    assert (places[18], places[17]) == ("first", "last")
    assert (places[14], places[13]) == ("first", "last")
    assert places[16] == "alone"
    tag(sample, 1)
    feed.renew(sample)
    again = {row.seq: row.place for number in range(5) for row in feed.page(sample, number)}
    assert (again[18], again[17]) == ("first", "last")


@pytest.mark.usefixtures("small_pages")
def test_a_filtered_feed_finds_its_end_as_one_goes_down(sample: Registry) -> None:
    feed = feed_of(sample, author="ben")

    first = feed.page(sample, 0)
    assert (feed.is_whole, feed.total) == (False, 8)
    rest = feed.page(sample, 1) + feed.page(sample, 2)

    assert (feed.is_whole, feed.total) == (True, len(first + rest))
    assert {row.operation.actor for row in first + rest if row.operation} == {"ben"}
    assert feed.page(sample, 0) == first


@pytest.mark.usefixtures("small_pages")
def test_a_far_page_of_a_filtered_feed_reads_the_pages_before_it(sample: Registry) -> None:
    feed, near = feed_of(sample, author="ben"), feed_of(sample, author="ben")

    far = feed.page(sample, 2)

    assert far == [near.page(sample, number) for number in range(3)][2]


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("wanted", [{}, {"reference": "vision/digits"}])
def test_what_is_done_comes_on_top(sample: Registry, wanted: dict[str, str]) -> None:
    feed = feed_of(sample, **wanted)
    before = feed.page(sample, 0)

    tag(sample, 2)

    assert feed.renew(sample) == 2
    assert seqs(feed.page(sample, 0)) == [21, 20, *seqs(before)[:2]]


@pytest.mark.usefixtures("small_pages")
def test_what_does_not_match_does_not_come(sample: Registry) -> None:
    feed = feed_of(sample, reference="nlp/sentiment")
    before = feed.page(sample, 0)

    tag(sample, 2)

    assert feed.renew(sample) == 0
    assert feed.page(sample, 0) == before


@pytest.mark.usefixtures("small_pages")
def test_a_filtered_feed_without_rows_finds_the_first_that_comes(sample: Registry) -> None:
    feed = feed_of(sample, kind="version.delete")
    assert feed.page(sample, 0) == []
    assert feed.total == 0

    sample.change_state("version", "vision/digits@2", "delete")
    feed.renew(sample)

    assert seqs(feed.page(sample, 0)) == [20]
    assert feed.total == 1


@pytest.mark.usefixtures("small_pages")
def test_very_many_new_operations_begin_a_filtered_feed_anew(sample: Registry) -> None:
    feed = feed_of(sample, reference="vision/digits")
    feed.page(sample, 0)

    tag(sample, 13)
    feed.renew(sample)

    assert seqs(feed.page(sample, 0)) == [32, 31, 30, 29]
    assert not feed.is_whole


def test_a_number_that_is_not_there_keeps_its_row(
    sample: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = feed_of(sample)
    page = sample.log(limit=50)
    kept = [operation for operation in page.operations if operation.seq != 9]
    told = type(page)(operations=kept, next=None)
    monkeypatch.setattr(type(sample), "log", lambda *_, **__: told)

    rows = feed.page(sample, 0)

    assert seqs(rows) == list(range(19, 0, -1))
    assert [row.seq for row in rows if row.operation is None] == [9]
