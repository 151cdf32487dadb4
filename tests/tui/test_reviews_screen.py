"""The reviews screen: promotion requests, their gates, and what people say to them."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from regtui.registry import Registry, open_registry
from regtui.tui.acting import READ_ONLY
from regtui.tui.app import RegtuiApp
from regtui.tui.screens.reviews import ReviewsScreen
from tests.sync.world import Person, World
from tests.tui.driving import Driven, models_screen, press, screen_text, shows, until
from tests.tui.joined import app_on
from tests.tui.producing import produced
from tests.tui.watching import rewrite, running, told


@pytest.fixture
def production(sample: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Return the sample with requests: one waits for ann's review, one of hers is rejected."""
    return produced(sample.home, monkeypatch)


@pytest.fixture
def app(production: Registry, tmp_path: Path) -> RegtuiApp:
    """Return ann's app on it."""
    return app_on(production, tmp_path)


async def at_reviews(pilot: Driven, *tab: str) -> ReviewsScreen:
    await press(pilot, "3", *tab)
    screen = pilot.app.screen
    assert isinstance(screen, ReviewsScreen)
    return screen


def titles(screen: ReviewsScreen) -> list[str]:
    return [title.counted for title in screen.tabs._titles]


async def test_each_tab_has_its_requests(app: RegtuiApp) -> None:
    async with running(app, (160, 48)) as pilot:
        screen = await at_reviews(pilot)
        assert titles(screen) == ["To review 1", "My open requests 1", "All requests"]
        assert screen.current is not None
        assert screen.current.version == "nlp/sentiment@3"

        await press(pilot, "right_square_bracket")
        assert screen.current.version == "nlp/sentiment@6"

        await press(pilot, "left_square_bracket", "left_square_bracket")
        states = [screen.table.row(place).state for place in range(screen.table.total)]  # type: ignore[union-attr]
        assert states == ["open", "withdrawn", "open", "applied", "applied"]
        assert titles(screen)[2] == "All requests 5"


async def test_gates_are_a_checklist_with_signs_and_reasons(app: RegtuiApp) -> None:
    async with running(app, (160, 48)) as pilot:
        await at_reviews(pilot, "l")
        await shows(pilot, "Against nlp/sentiment@5, which is there now")
        text = screen_text(app)

    assert "✓ metadata:card.license card.license is filled in  production" in text
    assert "✗ rejection" in text
    assert "f1               0.89       0.91  ▲ +0.02" in text
    assert "✗ cleo (admin) rejected" in text
    assert "latency went up; is that known?" in text
    assert "Known: 18.5 ms, fine for the batch jobs." in text


async def test_a_approves_with_a_text_and_the_target_moves(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app) as pilot:
        await at_reviews(pilot)
        await press(pilot, "a")
        await rewrite(pilot, "fine", "enter")
        await until(pilot, lambda: "it moved by itself" in told(app))
        assert "approve -m fine" in told(app)
    assert production.version("nlp/sentiment@production").number == 3


async def test_x_rejects_and_t_takes_that_back(app: RegtuiApp, production: Registry) -> None:
    (waiting,) = production.promotions(mine=True)
    async with running(app) as pilot:
        await at_reviews(pilot)
        await press(pilot, "x")
        await rewrite(pilot, "too slow", "enter")
        await until(pilot, lambda: "reject -m 'too slow'" in told(app))
        (review,) = production.promotion(waiting.request).reviews
        assert (review.author, review.verdict, review.text) == ("ann", "reject", "too slow")

        screen = await at_reviews(pilot, "l", "l")
        assert screen.current is not None
        await press(pilot, "t")
        await until(pilot, lambda: " clear" in told(app))
    assert production.promotion(waiting.request).reviews == []


async def test_p_says_which_gate_is_in_the_way(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await at_reviews(pilot)
        await press(pilot, "p")

    assert "approvals: 0 of 1 approval" in told(app)


async def test_shift_b_passes_the_gates_with_a_reason_that_stays(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app) as pilot:
        await at_reviews(pilot)
        await press(pilot, "B")
        await rewrite(pilot, "the site is down", "enter")

        await until(pilot, lambda: "--break-glass 'the site is down'" in told(app))
        await press(pilot, "h")
        await shows(pilot, "passed by an admin without its gates: the site is down")
    assert production.version("nlp/sentiment@production").number == 3
    assert production.promotions(state="applied")[0].break_glass == "the site is down"


async def test_p_applies_a_request_whose_gates_pass(
    sample: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = produced(sample.home, monkeypatch)
    asked = registry.request_promotion("vision/digits@2", "stable", auto=False)
    app = app_on(registry, tmp_path)
    async with running(app) as pilot:
        screen = await at_reviews(pilot, "l")
        assert screen.current is not None
        assert screen.current.id == asked.id
        await press(pilot, "p", "y")

        await until(pilot, lambda: f"$ regtui request apply {asked.request}" in told(app))
    assert registry.version("vision/digits@stable").number == 2


async def test_shift_d_withdraws_after_a_yes(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        await at_reviews(pilot, "l")
        await press(pilot, "D", "y")

        await until(pilot, lambda: "$ regtui request withdraw " in told(app))
    assert [one.author for one in production.promotions()] == ["ben"]


async def test_m_says_something_about_the_request(app: RegtuiApp, production: Registry) -> None:
    async with running(app, (160, 48)) as pilot:
        screen = await at_reviews(pilot)
        assert screen.current is not None
        request = screen.current
        await press(pilot, "m", *"why", "ctrl+s")

        await shows(pilot, "why")
    (said,) = production.comments(f"request:{request.request}")
    assert said.text == "why"
    assert said in production.comments("nlp/sentiment")


async def test_c_compares_with_what_the_target_is_at(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        await at_reviews(pilot)
        await press(pilot, "c")
        assert [one.number for one in app.compared] == [5, 3]


async def test_v_goes_to_the_version_and_y_copies_the_name(app: RegtuiApp) -> None:
    async with running(app) as pilot:
        screen = await at_reviews(pilot)
        assert screen.current is not None
        await press(pilot, "y")
        assert app.clipboard == screen.current.request

        await press(pilot, "v")
        row = models_screen(app).versions.current
        assert row is not None
        assert row.version.reference == "nlp/sentiment@3"


async def test_enter_asks_what_to_do(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        await at_reviews(pilot)
        await press(pilot, "enter")
        await shows(pilot, "take back what you said  you said nothing to it")
        await press(pilot, *"reject", "enter", "enter")

        await until(pilot, lambda: " reject" in told(app))
    assert [one.author for one in production.promotions(mine=False)] == ["ben", "ann"]


async def test_what_somebody_else_says_shows_by_itself(
    app: RegtuiApp, production: Registry
) -> None:
    async with running(app, (160, 48)) as pilot:
        screen = await at_reviews(pilot, "l")
        assert screen.current is not None
        production.add_comment(f"request:{screen.current.id}", "now I know")

        await shows(pilot, "now I know")


async def test_a_read_only_app_offers_nothing_that_acts(
    production: Registry, tmp_path: Path
) -> None:
    app = app_on(production, tmp_path, read_only=True)
    async with running(app) as pilot:
        screen = await at_reviews(pilot)
        await press(pilot, "a", "enter")
        assert app.screen is screen
        await press(pilot, "B")
        assert app.screen is screen
    assert READ_ONLY in told(app)


async def test_without_requests_the_screen_says_how_to_make_one(
    sample: Registry, tmp_path: Path
) -> None:
    app = app_on(sample, tmp_path)
    async with running(app) as pilot:
        await at_reviews(pilot)
        assert "p on a version asks for a promotion" in screen_text(app)
        await press(pilot, "a")
    assert "there is no request under the cursor" in told(app)


async def test_p_on_a_version_asks_for_a_promotion(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/sentiment@2")
        await press(pilot)
        await press(pilot, "p")
        assert "is at @5, protected by production" in screen_text(app)
        await press(pilot, *"production", "enter")
        await rewrite(pilot, "smaller", "enter")

        await until(pilot, lambda: "3 shows what it takes" in told(app))
        assert "$ regtui promote nlp/sentiment@2 production -m smaller" in told(app)
        asked = production.promotions()[0]
        assert (asked.version, asked.reason) == ("nlp/sentiment@2", "smaller")

        await press(pilot, "u")
    assert production.promotion(asked.request).state == "withdrawn"


async def test_p_moves_at_once_what_nothing_protects(app: RegtuiApp, production: Registry) -> None:
    async with running(app) as pilot:
        models_screen(app).go_to("vision/digits@2")
        await press(pilot)
        await press(pilot, "p")
        await press(pilot, *"stable", "enter")
        await press(pilot, "enter")

        await until(pilot, lambda: "vision/digits@stable is vision/digits@2 now" in told(app))
    assert production.version("vision/digits@stable").number == 2


@pytest.fixture
def governed(tmp_path: Path) -> Iterator[Registry]:
    """Return ben's registry of a server that protects production, which ann asked for."""
    world = World(tmp_path / "world")
    for name in ("ann", "ben"):
        world.grant(name, "admin", "*")
    ann, ben = world.person("ann"), world.person("ben")
    capture_two(ann, tmp_path)
    put_policy(ann)
    ann.registry.request_promotion("nlp/bert@2", "production", auto=False)
    ann.sync()
    ben.sync()
    home = ben.replica.home.path
    ben.replica.close()
    yield open_registry(home, via="app")
    world.close()


def capture_two(person: Person, folder: Path) -> None:
    """Send two versions of a model, the first of them in production."""
    for content in ("one", "two"):
        file = folder / "weights.bin"
        file.write_text(content)
        person.registry.capture(file, model="nlp/bert")
    person.sync()
    person.registry.set_alias("nlp/bert@1", "production")
    person.sync()


def put_policy(person: Person, approvals: int = 1) -> None:
    from regtui.registry import policies

    table = {"name": "prod", "models": "nlp/*", "alias": "production", "approvals": approvals}
    policies.submit_policies(person.registry.context, [policies.read_policy(table)])
    person.sync()


async def test_what_only_the_server_can_do_is_requested_and_said_so(
    governed: Registry, tmp_path: Path
) -> None:
    app = app_on(governed, tmp_path)
    async with running(app, (160, 48)) as pilot:
        await at_reviews(pilot)
        await press(pilot, "a", "enter")
        await until(pilot, lambda: " approve" in told(app))
        await press(pilot, "l", "l", "p", "y")

        await until(pilot, lambda: "requested nlp/bert@production to be nlp/bert@2" in told(app))
        await shows(pilot, "it is requested: the server decides at the next sync (s)")
        await press(pilot, "p")
    assert "it is requested; the server decides" in told(app)
    assert governed.version("nlp/bert@production").number == 1


async def test_an_alias_that_the_server_protects_is_only_requested(
    governed: Registry, tmp_path: Path
) -> None:
    app = app_on(governed, tmp_path)
    (asked,) = governed.promotions()
    governed.review(asked.request, "approve")
    async with running(app) as pilot:
        models_screen(app).go_to("nlp/bert@2")
        await press(pilot)
        await press(pilot, "a", *"production", "enter")

        await until(pilot, lambda: "regtui alias set" in told(app) or "approvals" in told(app))
    assert "points to nlp/bert@2" not in told(app)
    assert governed.version("nlp/bert@production").number == 1


async def test_an_undo_of_what_the_server_protects_is_told_as_requested(tmp_path: Path) -> None:
    with closing(World(tmp_path / "world")) as world:
        world.grant("ann", "admin", "*")
        ann = world.person("ann")
        capture_two(ann, tmp_path)
        put_policy(ann, approvals=0)
        ann.registry.move_alias("nlp/bert@2", "production")
        ann.sync()
        home = ann.replica.home.path
        ann.replica.close()
        registry = open_registry(home, via="app")
        app = app_on(registry, tmp_path)
        async with running(app) as pilot:
            await press(pilot, "u")
            await until(pilot, lambda: "requested to undo moved production" in told(app))
        assert "the server decides (s asks it)" in told(app)
        assert registry.version("nlp/bert@production").number == 2
