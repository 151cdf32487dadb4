"""Overview: what one wants to know of a version first, and its model's card."""

from contextlib import suppress
from functools import partial

from msgspec import Struct
from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult

from regtui.core.errors import NotFound
from regtui.core.wording import count_text
from regtui.registry import Registry
from regtui.registry.answers import VersionAnswer
from regtui.registry.figures import age_text, number_text, size_text
from regtui.registry.standing import Place, Standing, standing
from regtui.tui.background import start
from regtui.tui.differences import difference, metric_of, place_words
from regtui.tui.fact_grid import FactGrid
from regtui.tui.key_names import key_of
from regtui.tui.markdown_text import MarkdownText, links, read_card
from regtui.tui.safe_text import one_line, safe
from regtui.tui.signs import signs
from regtui.tui.version_columns import pairs
from regtui.tui.widgets.document import Block, DocumentView, Later
from regtui.tui.widgets.tabs.base import DetailTab, exact


class _Seen(Struct, frozen=True):
    standing: Standing
    card: str


class OverviewTab(DetailTab):
    """Facts and card."""

    NAME = "overview"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(id=id)
        self._shown = ""
        self._card = ("", "")
        self._card_text = Later(Text)

    def compose(self) -> ComposeResult:
        """Compose the text."""
        yield DocumentView()

    @property
    def document(self) -> DocumentView:
        """The text."""
        return self.query_one(DocumentView)

    async def show(self, version: VersionAnswer) -> None:
        """Show a version."""
        seen = await self.read(lambda registry: _look(registry, version))
        if self._card != (version.model, seen.card):  # most versions of a list share one
            self._card = (version.model, seen.card)
            self._card_text = Later(
                partial(card_text, *self._card, key_of(self.regtui, "versions.card"))
            )
        blocks = [Block(facts(seen.standing)), Block(self._card_text)]
        is_same, self._shown = self._shown == version.id, version.id
        await self.document.show(blocks, stay=is_same)

    def clear(self, note: str) -> None:
        """Show a sentence instead."""
        self._shown, self._card = "", ("", "")
        blocks = [Block(Text(one_line(note), "label"))]
        start(self, self.document.show_new, blocks, group="clear")

    def focus_first(self) -> None:
        """Go to the text."""
        self.screen.set_focus(self.document)

    def choose_link(self) -> None:
        """Let the person choose a link of the card, and open it; nothing opens by itself."""
        from regtui.tui.screens.prompt import Choice, Chooser

        found = links(self._card[1])
        if not found:
            self.app.notify("the card holds no links", severity="warning", timeout=4)
            return

        def open_it(address: str | None) -> None:
            if address is not None:
                self.app.copy_to_clipboard(address)
                self.app.open_url(address)
                self.app.notify(f"opened and copied {address}", timeout=4, markup=False)

        choices = [Choice(address, one_line(address)) for address in found]
        self.app.push_screen(Chooser("Open a link of the card", choices), open_it)


def _look(registry: Registry, version: VersionAnswer) -> _Seen:
    card = ""
    with suppress(NotFound):  # of a model that is deleted
        card = registry.card(version.model)
    return _Seen(standing(registry.context, exact(version)), card)


def facts(found: Standing) -> Group:
    """Return the facts of a version."""
    version = found.version
    parts: list[Text | FactGrid] = [_head(version)]
    primary = next((p for p in found.places if p.metric == found.primary), None)
    if primary is not None:
        parts.append(_primary(primary, found))
    if version.description:
        parts.append(Text(safe(version.description)))
    created = version.created[:16].replace("T", " ")
    inputs = {name: str(value.get("uri", "")) for name, value in version.inputs.items()}
    parts.append(
        FactGrid(
            [
                ("created", f"{created} by {version.author}, {age_text(version.created)} ago"),
                ("content", f"{size_text(version.size)} in {count_text(version.files, 'file')}"),
                ("tags", one_line(pairs(version.tags))),
                ("inputs", one_line(" ".join(f"{name} = {uri}" for name, uri in inputs.items()))),
                ("source", one_line(version.source or "")),
                ("digest", Text(version.digest, no_wrap=True, overflow="ellipsis")),
                ("id", Text(version.id, no_wrap=True, overflow="ellipsis")),
            ]
        )
    )
    return Group(*parts)


def _head(version: VersionAnswer) -> Text:
    line = Text(version.reference, "heading")
    line.append(f"  {version.short_id}" if version.number is not None else "", "label")
    for name in version.aliases:
        is_contested = name in version.contested
        line.append(f"  {one_line(name)}", "error" if is_contested else "accent")
        if is_contested:
            line.append(f" {signs().conflict} contested", "error")
    if version.state != "captured":
        line.append(f"  {version.state}", "warning")
    if version.pending:
        line.append(f"  {signs().waiting} pending", "warning")
    return line


def _primary(place: Place, found: Standing) -> Text:
    line = Text(f"{one_line(place.metric)} ", "label")
    line.append(number_text(place.value), "success" if place.is_best else "")
    words = place_words(place.place, place.of)
    if words:
        star = f"{signs().best} " if place.is_best and place.of > 1 else ""
        line.append(f"  {star}{words}", "accent" if place.is_best else "")
    if place.best is not None and not place.is_best:
        line.append(f", best {number_text(place.best)}", "label")
    others = [("", found.before), (f"{found.alias} ", found.holder)]
    told = {found.version.id}
    for name, other in reversed(others):
        if other is None or other.id in told:
            continue
        told.add(other.id)
        text, style = difference(
            place.value, metric_of(other.metrics, place.metric), place.direction
        )
        if text:
            line.append("  ").append(text, style if style != "dim" else "label")
            line.append(f" on {one_line(name)}{_number(other)}", "label")
    return line


def _number(version: VersionAnswer) -> str:
    return version.short_id if version.number is None else f"@{version.number}"


def card_text(model: str, card: str, key: str) -> Group:
    """Return the card of a model; the key is the one that writes a card."""
    if not card.strip():
        note = f"{model} has no card yet: {key} in the list of versions writes one"
        return Group(Text(""), Text(note, "label"))
    found = read_card(card)
    given = [(one_line(name), one_line(value)) for name, value in found.facts.items()]
    return Group(
        Text(""),
        Text(f"Card of {model}", "label"),
        *((FactGrid(given), Text("")) if given else ()),
        MarkdownText(found.text),
    )
