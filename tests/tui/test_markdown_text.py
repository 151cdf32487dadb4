"""Cards and comments: Markdown of anybody, shown and never run."""

import io

import pytest
from rich.console import Console

from regtui.tui.markdown_text import LONGEST, MarkdownText, links, read_card


def shown(text: str, width: int = 60) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    console.print(MarkdownText(text))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_front_matter_is_facts_and_not_text() -> None:
    card = read_card(
        "---\nlicense: 'mit'\ntags: [a, \"b c\"]\nlanguage:\n- en\n- de\n# note\n---\n\n# Title\n"
    )

    assert card.facts == {"license": "mit", "tags": "a, b c", "language": "en, de"}
    assert card.text == "# Title"


@pytest.mark.parametrize("text", ["# Title", "---\nnever: closed", "", "--- no matter ---"])
def test_a_card_without_front_matter_is_all_text(text: str) -> None:
    assert read_card(text).facts == {}
    assert read_card(text).text == text


def test_an_image_is_its_caption_in_its_place_and_a_link_shows_its_address() -> None:
    text = shown("see ![the curve](http://host/x.png) and [this](https://host/a).")

    assert text == "see [image: the curve] and this (https://host/a)."


def test_a_heading_stands_on_the_left_and_code_as_it_is() -> None:
    assert shown("# Title\n\n```python\nx = 1\n```").splitlines() == ["Title", "", "  x = 1"]


def test_html_is_left_out() -> None:
    assert "script" not in shown("a <script>alert(1)</script> b\n\n<script>x</script>")


def test_what_steers_a_terminal_never_gets_through() -> None:
    text = shown("a\x1b]52;c;ZXZpbA==\x07b \x9b31m\u202e [x](http://h/\x1b[2J)")

    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)


@pytest.mark.parametrize(
    "text",
    [
        "> " * 300 + "deep",
        "\n".join("  " * n + "- x" for n in range(200)),
        "|a|\n|--|\n|",
        "`" * 999,
    ],
)
def test_whatever_it_holds_it_can_be_painted_in_any_width(text: str) -> None:
    for width in (1, 7, 40):
        shown(text, width)


def test_the_end_of_a_very_long_text_is_left_out_and_that_is_said() -> None:
    assert "the rest is left out here" in shown("word " * LONGEST)


def test_links_are_listed_once_without_what_only_surrounds_them() -> None:
    card = "[a](https://h/a) <https://h/b>, https://h/a. ftp://h/c; javascript:alert(1)"

    assert links(card) == ["https://h/a", "https://h/b", "ftp://h/c"]
