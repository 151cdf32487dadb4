"""Listings: pages by number add up to the whole, and every version has its place in them."""

import contextlib
import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regtui.core.access import Actor, Grant, Role
from regtui.core.identity import user_id, version_id
from regtui.core.operations import CaptureBody
from regtui.core.query.errors import QueryError
from regtui.registry import Registry
from regtui.registry import listing as listings
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.listing import Listing
from regtui.replica.database import Connection
from regtui.replica.unit import Replica
from tests.depth import few_of

DAY = 86_400_000_000
START = 1_793_491_200_000_000  # 2026-11-01T00:00

SORTS = [
    "", "created", "-created", "metric.f1", "-metric.f1", "-metric.other", "param.p", "-param.p",
    "name,number", "-name,-number", "author,-metric.f1", "state,param.p,-size", "-files",
]  # fmt: skip
FILTERS = [
    "", "state:any", "state:archived", "created>2d", "author:ben", "model:nlp tag:env=prod",
    "metric.f1:*", "-metric.f1:*", "metric.f1:nan", "metric.f1>0", "param.p:adam", "size>7",
]  # fmt: skip
PAGES = [4, 7, 9, 30, 128]


class Personal(Context, frozen=True):
    """Somebody's context; with a connection, all reading happens in that one."""

    person: str = "ann"
    connection: "Connection | None" = None

    @property
    def actor(self) -> Actor:
        return Actor(user_id(self.person), self.person, (Grant(Role.ADMIN, "*"),))

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        if self.connection is not None:
            yield self.connection
        else:
            with super().reading() as connection:
                yield connection


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def many(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Return a registry with sixty versions of three models, one of which is archived.

    Two people made them in the course of four days, fifteen within a millisecond; metrics are
    missing, NaN and infinite, parameters numbers and text.
    """
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REGTUI_CONFIG", str(folder / "config"))
        replica, rng = Replica(folder / "home", clock), random.Random(7)
        for person in ("ann", "ben", "ann", "ben"):
            capture_some(Personal(replica, "api", "s", person=person), rng)
            clock.now += DAY
        registry = Registry(Personal(replica, "api", "s"))
        for number in (2, 3, 5):
            registry.change_state("version", f"nlp/ranker@{number}", "archive")
            registry.change_state("version", f"Vision/net@{number}", "delete")
        registry.change_state("model", "attic", "archive")
        with registry.context.reading() as connection:
            yield Registry(Personal(replica, "api", "s", connection=connection))


def capture_some(context: Context, rng: random.Random) -> None:
    """Register versions of all models in one unit of work, some of each."""
    registry = Registry(context)
    for name in ("nlp/ranker", "Vision/net", "attic"):
        registry.create_model(name)
    with context.reading() as connection:
        models = connection.execute("select id::varchar from base.model order by key").fetchall()
    with context.writing() as authority:
        for (model,), _ in itertools.product(models, range(5)):
            digest = rng.randbytes(32).hex()
            body = CaptureBody(
                digest=digest,
                nonce="",
                size=rng.randint(1, 9),
                files=rng.randint(1, 3),
                set=changes(some_values(rng), "version", None),
            )
            authority.submit("version.capture", model, version_id(model, digest), body)


def some_values(rng: random.Random) -> dict[str, Any]:
    figures = [0.0, 0.5, 1.0, -1.0, math.nan, math.inf, -math.inf]
    wanted = {
        "metrics/f1": {"value": rng.choice(figures), "step": None},
        "metrics/other": {"value": rng.random(), "step": None},
        "params/p": rng.choice([1, 2.5, "02", "adam", "sgd"]),
        "tags/env": rng.choice(["dev", "prod"]),
    }
    return {path: value for path, value in wanted.items() if rng.random() < 0.7}


def everything(registry: Registry, query: str) -> list[str]:
    """The ids of all versions that a query asks for, in its order."""
    return [version.id for version in registry.versions(query, limit=1_000).versions]


def pages(registry: Registry, listing: Listing) -> list[list[str]]:
    """The ids on each page, up to the first that is empty."""
    counted = (registry.page(listing, number) for number in itertools.count())
    return [[one.id for one in page] for page in itertools.takewhile(bool, counted)]


@settings(max_examples=15)
@given(
    sort=st.sampled_from(SORTS),
    condition=st.sampled_from(FILTERS),
    size=st.sampled_from(PAGES),
    row=st.integers(0, 59),
)
def test_the_pages_together_are_the_whole_and_a_version_stands_at_its_place(
    many: Registry, sort: str, condition: str, size: int, row: int
) -> None:
    query = f"{condition} sort:{sort}" if sort else condition
    whole = everything(many, query)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listings, "PAGE", size)
        listing = many.listing(query)
        found = pages(many, listing)
    assert [one for page in found for one in page] == whole
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert listing.total == many.count(query) == len(whole)
    for place in {0, row, len(whole) - 1} & set(range(len(whole))):
        assert many.place(listing, whole[place]) == place


@pytest.mark.parametrize("sort", SORTS)
def test_every_version_stands_at_its_place(many: Registry, sort: str) -> None:
    query = f"state:any sort:{sort}" if sort else ""
    whole, listing = everything(many, query), many.listing(query)
    assert [many.place(listing, one) for one in whole] == list(range(len(whole)))


@pytest.mark.parametrize("condition", FILTERS)
def test_a_version_that_the_query_leaves_out_has_no_place(many: Registry, condition: str) -> None:
    listing, left = many.listing(f"{condition} sort:-metric.f1"), everything(many, condition)
    others = [one for one in everything(many, "state:any") if one not in left]
    assert {many.place(listing, one) for one in others[::5]} <= {None}


def test_a_version_that_is_not_there_has_no_place(many: Registry) -> None:
    assert many.place(many.listing(), version_id("", "")) is None


@pytest.mark.parametrize("query", ["", "state:any sort:-metric.f1", "model:nothing"])
def test_the_first_page_needs_no_listing(
    many: Registry, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 9)
    assert many.first_page(query) == many.page(many.listing(query), 0)


def test_there_is_no_page_before_the_first_and_none_past_the_last(
    many: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 9)
    listing = many.listing("state:any")
    assert [len(many.page(listing, number)) for number in (-1, 6, 7, 8)] == [0, 6, 0, 0]


def test_a_listing_without_versions_has_an_empty_page(registry: Registry) -> None:
    listing = registry.listing()
    assert (listing.total, registry.page(listing, 0)) == (0, [])


def test_a_malformed_query_has_no_listing(registry: Registry) -> None:
    for verb in (registry.listing, registry.first_page):
        with pytest.raises(QueryError):
            verb("metric.f1>")


def test_times_ago_are_counted_from_the_moment_of_the_listing(
    many: Registry, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = many.listing("created>2d")
    before = many.page(listing, 0)
    monkeypatch.setattr(clock, "now", clock.now + 10 * DAY)
    assert many.count("created>2d") == 0
    assert many.page(listing, 0) == before
    assert [many.place(listing, one.id) for one in before] == list(range(listing.total))


def test_versions_that_come_move_places_and_leave_the_pages_after_a_mark(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 4)
    capture_some(registry.context, random.Random(1))
    listing = registry.listing("sort:-created")
    whole, second = everything(registry, "sort:-created"), registry.page(listing, 1)
    capture_some(registry.context, random.Random(2))
    assert [registry.place(listing, one) for one in whole] == list(range(15, 30))
    assert registry.page(listing, 1) == second
    assert registry.listing("sort:-created").total == 30


@settings(max_examples=25)
@given(sort=st.sampled_from(SORTS), condition=st.sampled_from(FILTERS), size=st.sampled_from(PAGES))
def test_a_listing_that_is_only_counted_has_the_same_pages(
    many: Registry, sort: str, condition: str, size: int
) -> None:
    query = f"{condition} sort:{sort}" if sort else condition
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listings, "PAGE", size)
        listing = listings.counted(many.context, query)
        found = pages(many, listing)
    assert [one for page in found for one in page] == everything(many, query)
    assert [len(page) for page in found[:-1]] == [size] * (len(found) - 1)
    assert listing.total == many.count(query)


@pytest.mark.parametrize("query", few_of(["metric.f1", "", "created", "-param.p", "name"], 1))
def test_a_listing_brought_up_to_date_has_the_pages_of_a_new_one(
    registry: Registry, clock: Clock, query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 4)
    query = f"sort:{query}" if query else ""
    for seed in range(3):
        capture_some(registry.context, random.Random(seed))
        clock.now += DAY
    listing = registry.listing(query)
    rows = everything(registry, query)
    for place in (0, 1, 7, 8, 20, 40):
        registry.change_state("version", f":{rows[place]}", "delete")
    for seed in range(3, 5):
        capture_some(registry.context, random.Random(seed))

    moved = listings.again(registry.context, listing)

    assert moved.marks == listing.marks
    assert moved.total == 45 - 6 + 30
    assert pages(registry, moved) == pages(registry, registry.listing(query))


def test_a_page_goes_on_where_the_one_before_ended(
    many: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listings, "PAGE", 9)
    listing = listings.counted(many.context, "sort:-metric.f1")
    first = listings.read_page(many.context, listing, 0)
    second = listings.read_page(many.context, listing, 1, after=first.end)
    assert second == listings.read_page(many.context, listing, 1)
    assert second.rows == many.page(listing, 1)
    assert listings.read_page(many.context, listing, 99) == listings.Page([], None)
