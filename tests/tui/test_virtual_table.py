"""The table: any number of rows, of which it holds the pages around what is on the screen."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult

from regtui.tui import signs
from regtui.tui.widgets.virtual_table import PAGE, PAGES, Column, VirtualTable, _fitted
from tests.tui.driving import Driven, until

MILLION = 1_000_000
COLUMNS = [
    Column("number", "Number", 9, lambda row: f"{row:,}", "right", sort="number"),
    Column("name", "Name", 10, lambda row: f"name {row}", stretch=1),
    Column("sign", "Sign", 4, lambda row: ("✓", "success") if row % 2 else ("✗", "error")),
]


class Host(App[None]):
    """A table over the numbers from 0, whose pages come when they are asked for."""

    def __init__(self, total: int = MILLION, *, gives: bool = True) -> None:
        super().__init__()
        self.total = total
        self.gives = gives
        self.asked: list[int] = []
        self.told: list[Any] = []
        self.table: VirtualTable[int] = VirtualTable(COLUMNS, row_id=str, empty="nothing here")

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.show(self.total, {0: page(0, self.total)} if self.total else {}, cursor=0)
        self.table.focus()

    def on_virtual_table_wanted(self, event: VirtualTable.Wanted) -> None:
        self.asked += event.pages
        if self.gives:
            for number in event.pages:
                self.table.put_page(number, page(number, self.total))

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        self.told.append((event.index, event.row))

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        self.told.append(("opened", event.row))

    def on_virtual_table_sort_wanted(self, event: VirtualTable.SortWanted) -> None:
        self.told.append(("sort", event.column.key))


def page(number: int, total: int) -> list[int]:
    return list(range(number * PAGE, min((number + 1) * PAGE, total)))


def lines(host: App[None]) -> list[str]:
    strips = host.screen._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]


async def settle(pilot: Driven) -> None:
    await pilot.pause()
    await pilot.pause()


@pytest.fixture(autouse=True)
def _signs() -> Iterator[None]:
    signs.choose(ascii_only=False)
    return iter([None])


@pytest.mark.parametrize("total", [1, 10, 64, 65, 1_000, MILLION])
async def test_the_first_and_the_last_row_are_a_key_away(total: int) -> None:
    host = Host(total)
    async with host.run_test(size=(40, 10)) as pilot:
        await pilot.press("G")
        await settle(pilot)
        assert host.table.current == total - 1
        assert any(f"name {total - 1} " in line for line in lines(host))
        await pilot.press("g")
        await settle(pilot)
        assert host.table.current == 0


async def test_walking_down_asks_for_each_page_once_and_before_it_is_in_sight() -> None:
    host = Host()
    async with host.run_test(size=(40, 20)) as pilot:
        for _ in range(3 * PAGE // 9):
            await pilot.press("ctrl+d")
            await settle(pilot)
            assert not any(signs.signs().waiting in line for line in lines(host)[1:])
        assert len(host.asked) == len(set(host.asked))
        assert set(host.asked) <= set(range(6))


async def test_a_jump_reads_what_is_there_and_nothing_on_the_way() -> None:
    host = Host()
    async with host.run_test(size=(40, 20)) as pilot:
        host.asked.clear()
        host.table.go_to("50%")
        await settle(pilot)
        middle = round(0.5 * (MILLION - 1))
        assert host.table.current == middle
        assert {abs(number - middle // PAGE) for number in host.asked} <= {0, 1, 2}


@pytest.mark.parametrize(
    ("answer", "row"), [("1", 0), ("#7", 6), ("1,000", 999), ("100%", 9_999), ("99999999", 9_999)]
)
async def test_one_goes_to_a_row_by_its_number_or_a_part_of_the_whole(
    answer: str, row: int
) -> None:
    host = Host(10_000)
    async with host.run_test(size=(40, 20)) as pilot:
        host.table.go_to(answer)
        await settle(pilot)
        assert host.table.current == row


@pytest.mark.parametrize("answer", ["", "x", "%", "nan%", "1e999%", "--1"])
async def test_what_is_no_row_moves_nothing(answer: str) -> None:
    host = Host(10_000)
    async with host.run_test(size=(90, 20), notifications=True) as pilot:
        host.table.go_to(answer)
        await settle(pilot)
        assert host.table.cursor == 0
        assert any("is no row" in line for line in lines(host))


async def test_a_row_that_is_typed_is_here_before_one_goes_there() -> None:
    host = Host(100_000)
    async with host.run_test(size=(60, 20)) as pilot:
        await pilot.press("ctrl+g", *"50%")
        await until(pilot, lambda: 50_000 // PAGE in host.table.here)
        assert host.table.cursor == 0
        await pilot.press("enter")
        await settle(pilot)
        assert host.table.current == 49_999 + 1

        await pilot.press("ctrl+g", "x")
        await settle(pilot)
        assert any("give a number or a percentage" in line for line in lines(host))
        await pilot.press("enter", "escape")
        await settle(pilot)
        assert host.table.current == 50_000


async def test_a_row_that_is_not_here_is_painted_as_dots_until_it_comes() -> None:
    host = Host(gives=False)
    async with host.run_test(size=(40, 10)) as pilot:
        await pilot.press("G")
        await settle(pilot)
        assert host.table.current is None
        assert all(signs.signs().waiting in line for line in lines(host)[1:])
        last = (MILLION - 1) // PAGE
        host.table.put_page(last, page(last, MILLION))
        await settle(pilot)
        assert host.told[-1] == (MILLION - 1, MILLION - 1)
        assert any("name 999999" in line for line in lines(host))


async def test_only_so_many_pages_are_held() -> None:
    host = Host()
    async with host.run_test(size=(40, 10)) as pilot:
        for part in range(0, 100, 1):
            host.table.go_to(f"{part}%")
            await pilot.pause()
        assert len(host.table.here) <= PAGES


async def test_a_page_that_could_not_be_had_is_asked_for_again() -> None:
    host = Host(gives=False)
    async with host.run_test(size=(40, 10)) as pilot:
        await pilot.press("G")
        await settle(pilot)
        host.table.drop_page((MILLION - 1) // PAGE)
        host.asked.clear()
        await pilot.press("k", *["ctrl+u"] * 2)
        await settle(pilot)
        assert (MILLION - 1) // PAGE in host.asked


async def test_marks_stay_with_their_rows_when_others_come() -> None:
    host = Host(10)
    async with host.run_test(size=(40, 16)) as pilot:
        host.table.toggle_mark()
        host.table.toggle_mark()
        assert host.table.chosen == [0, 1]
        host.table.show(12, {0: [100, 101, *range(10)]}, cursor=4, offset=2)
        await settle(pilot)
        assert host.table.chosen == [0, 1]
        assert host.table.current == 2
        marked = [line for line in lines(host) if line.startswith(signs.signs().mark)]
        assert [line.split()[1:4] for line in marked] == [["0", "name", "0"], ["1", "name", "1"]]


async def test_rows_that_are_shown_anew_keep_the_cursor_on_its_line() -> None:
    host = Host(1_000)
    async with host.run_test(size=(40, 16)) as pilot:
        host.table.go_to("500")
        await settle(pilot)
        line = host.table.cursor - round(host.table.scroll_y)
        rows = [*range(1_000, 1_007), *range(1_000)]
        pages = {n: rows[n * PAGE : (n + 1) * PAGE] for n in range(16)}
        host.table.show(1_007, pages, cursor=host.table.cursor + 7, offset=line)
        await settle(pilot)
        assert host.table.current == 499
        assert host.table.cursor - round(host.table.scroll_y) == line


async def test_fewer_rows_put_the_cursor_on_the_last_one() -> None:
    host = Host(100)
    async with host.run_test(size=(40, 16)) as pilot:
        await pilot.press("G")
        host.table.show(3, {0: [0, 1, 2]})
        await settle(pilot)
        assert host.table.current == 2
        host.table.show(0, {})
        await settle(pilot)
        assert host.table.chosen == []
        assert any("nothing here" in line for line in lines(host))
        await pilot.press("j", "k", "G", "g", "ctrl+d", "enter")
        assert host.table.cursor == 0


async def test_the_mouse_chooses_opens_and_sorts() -> None:
    host = Host(100)
    async with host.run_test(size=(40, 16)) as pilot:
        await pilot.click(VirtualTable, offset=(5, 4))
        assert host.table.current == 3
        await pilot.click(VirtualTable, offset=(5, 4), times=2)
        await pilot.click(VirtualTable, offset=(5, 0))
        await pilot.click(VirtualTable, offset=(20, 0))  # whose column has no order
        await settle(pilot)
        assert ("opened", 3) in host.told
        assert host.told[-1] == ("sort", "number")


@pytest.mark.parametrize("size", [(200, 50), (20, 5), (5, 2), (1, 1)])
async def test_any_size_keeps_the_cursor_in_sight(size: tuple[int, int]) -> None:
    host = Host()
    async with host.run_test(size=(40, 20)) as pilot:
        host.table.go_to("5000")
        await pilot.resize_terminal(*size)
        await settle(pilot)
        top = round(host.table.scroll_y)
        assert top <= host.table.cursor < top + host.table.lines
        assert host.table.current == 4_999


async def test_scrolling_sideways_keeps_the_fixed_columns() -> None:
    host = Host(10)
    host.table.fixed = 1
    async with host.run_test(size=(20, 8)) as pilot:
        await pilot.press("right")
        await settle(pilot)
        head = lines(host)[0]
        assert "Number" in head
        assert "Name" not in head


async def test_new_rows_are_marked_for_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regtui.tui.widgets.virtual_table.GLOW", 0.05)
    host = Host(10)
    async with host.run_test(size=(40, 16)) as pilot:
        plain = host.table.render_line(3)
        host.table.glow(["2"])
        assert host.table.render_line(3) != plain
        await pilot.pause(0.3)
        assert host.table.render_line(3) == plain


@pytest.mark.parametrize(
    ("text", "fitted"),
    [("sentiment", "sentiment"), ("sentiment-eu", "sent…t-eu"), ("手書き数字認識", "手書…認識")],
)
def test_what_is_too_long_is_cut_in_the_middle_where_its_end_tells_more(
    text: str, fitted: str
) -> None:
    assert _fitted(text, 9, "left", keeps_end=True) == fitted


@given(
    text=st.text(max_size=30),
    width=st.integers(0, 20),
    align=st.sampled_from(["left", "right"]),
    keeps_end=st.booleans(),
)
def test_a_cell_is_as_wide_as_its_column_whatever_it_holds(
    text: str, width: int, align: str, *, keeps_end: bool
) -> None:
    fitted = _fitted(text, width, align, keeps_end=keeps_end)
    assert cell_len(fitted) == width
    assert fitted.isprintable()
