"""Facts: names and values as rows, in groups that fold."""

from collections.abc import Sequence

from msgspec import Struct
from rich.cells import cell_len

from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.same_row import show_again
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable

LONGEST = 600
"""Cells of a value that can be scrolled to."""


class Fact(Struct, frozen=True, kw_only=True):
    """One row.

    Attributes:
        key: What it is known by among its neighbours; a group's facts begin with its key and `/`.
        name: What it is called.
        value: What it is.
        depth: How far it is indented.
        style: Of the value: a colour name of the theme; empty for the usual one.
        folds: Whether what is below it can be folded away.
        is_open: Whether it is unfolded at first.
    """

    key: str
    name: str
    value: str = ""
    depth: int = 0
    style: str = ""
    folds: bool = False
    is_open: bool = True


class FactTable(VirtualTable[Fact]):
    """Facts; opening a group folds it, or unfolds it again."""

    def __init__(self, *, empty: str = "", id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(row_id=lambda fact: fact.key, empty=empty, id=id)
        self.facts: list[Fact] = []
        self._turned: set[str] = set()
        """Keys of groups that a person folded or unfolded."""

    def show_facts(self, facts: Sequence[Fact], *, stay: bool = True) -> None:
        """Show other facts, folded as one left those of the same keys.

        Args:
            facts: In their order, each group above what belongs to it.
            stay: Whether the cursor stays on the fact of the same key.
        """
        self.facts = list(facts)
        name = max((cell_len(fact.name) + 2 * fact.depth + 2 for fact in facts), default=8)
        value = max((cell_len(fact.value) for fact in facts), default=8)
        self.show_columns(
            [
                Column("name", "Fact", min(name, 28), _name),
                Column("value", "", min(max(value, 8), LONGEST), _value),
            ]
        )
        self._show(stay=stay)

    def do_open(self) -> None:
        """Fold a group, or unfold it; what else is there is opened."""
        fact = self.current
        if fact is None or not fact.folds:
            super().do_open()
            return
        self._turned ^= {fact.key}
        self._show()

    def _show(self, *, stay: bool = True) -> None:
        found: list[Fact] = []
        folded = ""
        for fact in self.facts:
            if folded and fact.key.startswith(folded):
                continue
            is_open = fact.is_open != (fact.key in self._turned)
            folded = f"{fact.key}/" if fact.folds and not is_open else ""
            sign = signs().open if is_open else signs().closed
            name = f"{sign if fact.folds else signs().leaf} {fact.name}"
            found.append(
                Fact(
                    key=fact.key, name=name, value=fact.value, depth=fact.depth, style=fact.style,
                    folds=fact.folds,
                )
            )  # fmt: skip
        show_again(self, found, lambda fact: fact.key, stay=stay)


def _name(fact: Fact) -> Painted:
    return "  " * fact.depth + fact.name, "primary" if fact.folds else "dim"


def _value(fact: Fact) -> Painted:
    return one_line(fact.value), fact.style
