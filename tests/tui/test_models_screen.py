"""The first screen: what it lists, how it follows tree, filter, order and other processes."""

from regtui.registry import Registry
from regtui.tui.app import RegtuiApp
from tests.tui.driving import at_rest, current, models_screen, press, screen_text, shows


async def test_it_lists_the_newest_versions_of_all_models(app: RegtuiApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)

        text = screen_text(app)

    assert "9 versions" in text
    assert "nlp/sentiment" in text
    assert "vision/名刺" in text


async def test_the_tree_chooses_whose_versions_are_listed(app: RegtuiApp) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        await press(pilot, "j", "j")
        await shows(pilot, "6 versions")

        text = screen_text(app)

    assert "@6" in text
    assert "@6★" in text
    assert "champion" in text


async def test_what_another_process_commits_shows_and_the_cursor_stays(
    app: RegtuiApp, sample: Registry
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        models_screen(app).versions.focus()
        await press(pilot, "j", "j", "j")
        stood = current(app)

        sample.capture(sample.home / "registry.duckdb", model="new/one")
        await shows(pilot, "10 versions")
        await at_rest(pilot)

        assert current(app) == stood
        assert models_screen(app).versions.cursor == 4


async def test_what_was_done_on_another_screen_shows_on_the_way_back(
    app: RegtuiApp, sample: Registry
) -> None:
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        await press(pilot, "7")
        sample.capture(sample.home / "registry.duckdb", model="new/one")
        await shows(pilot, "10 versions")
        await press(pilot, "1")
        await at_rest(pilot)
        tree, versions = models_screen(app).model_tree, models_screen(app).versions

        assert versions.total == 10
        assert "new" in {branch.path for branch in map(tree.row, range(tree.total)) if branch}


async def test_the_tree_counts_what_is_listed(app: RegtuiApp, sample: Registry) -> None:
    sample.change_state("version", "nlp/sentiment@1", "archive")
    async with app.run_test(size=(120, 36)) as pilot:
        await at_rest(pilot)
        tree = models_screen(app).model_tree
        counts = {branch.path: branch.versions for branch in map(tree.row, range(4)) if branch}

    assert counts[""] == sample.count() == 8
    assert counts["nlp/sentiment"] == sample.count('model:"nlp/sentiment"') == 5
