"""A dossier as one HTML file that refers to nothing outside of itself.

Everything is escaped. The page forbids itself scripts, frames, pictures and requests of any kind,
in case that something should get through all the same. In a card, HTML is shown as it was written,
a picture is its caption, and links lead only where `http`, `https` and `mailto` do.
"""

import re
from collections.abc import Iterator, MutableMapping
from html import escape
from typing import TYPE_CHECKING, Any

from regtui.registry.dossier.blocks import Block, Card, Dossier, Facts, Section, Table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, dt { line-height: 1.25; }
h2 { margin-top: 2.2rem; border-bottom: 1px solid #8888; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { border: 1px solid #8888; padding: .25rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; min-width: 5rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { font-weight: 600; }
dd { margin: 0; overflow-wrap: anywhere; }
.made, .nothing { opacity: .75; }
.card { border-left: 4px solid #8888; padding-left: 1rem; }
pre { overflow-x: auto; }
@media print { body { max-width: none; margin: 0; } }
"""
_LINK = re.compile(r"(?:https?://|mailto:|#)", re.IGNORECASE)


def html(dossier: Dossier) -> str:
    """Return a dossier as an HTML page."""
    title = _text(dossier.title)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        '<meta name="referrer" content="no-referrer">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>{_STYLE}</style>",
        "</head>",
        "<body>",
        f"<h1>{title}</h1>",
        f'<p class="made">{_text(dossier.made)}</p>',
    ]
    for section in dossier.sections:
        lines += _section(section)
    return "\n".join([*lines, "</body>", "</html>"]) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield "<section>"
    yield f"<h2>{_text(section.title)}</h2>"
    if not section.blocks:
        yield f'<p class="nothing">{_text(section.nothing)}</p>'
    for block in section.blocks:
        yield from _block(block)
    yield "</section>"


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Facts):
        yield "<dl>"
        for name, value in block.pairs:
            if value:
                yield f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
        yield "</dl>"
    elif isinstance(block, Table):
        yield "<table>"
        yield _row("th", block.headings)
        for row in block.rows:
            yield _row("td", row)
        yield "</table>"
    elif isinstance(block, Card):
        yield f'<div class="card">{_card(block.text)}</div>'
    else:
        yield f"<p>{_text(block.text)}</p>"


def _row(cell: str, values: Any) -> str:
    return f"<tr>{''.join(f'<{cell}>{_text(one)}</{cell}>' for one in values)}</tr>"


def _text(text: str) -> str:
    return escape("".join(c if c.isprintable() or c in "\n\t" else " " for c in text))


def _card(text: str) -> str:
    """Return a card as HTML."""
    plain = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    front, below = _apart(plain)
    shown = f"<pre>{escape(front)}</pre>" if front else ""
    return shown + str(_reader().render(below))


def _apart(card: str) -> tuple[str, str]:
    """Return the front matter of a card, empty where it has none, and what stands below it."""
    lines = card.split("\n")
    if lines[0].strip() != "---":
        return "", card
    ends = (place for place, line in enumerate(lines[1:], 1) if line.strip() == "---")
    end = next(ends, None)
    return ("", card) if end is None else ("\n".join(lines[1:end]), "\n".join(lines[end + 1 :]))


def _reader() -> "MarkdownIt":
    from markdown_it import MarkdownIt

    # Among the rest, its headings stand below those of the page.
    found = MarkdownIt("commonmark", {"html": False}).enable("table")
    found.validateLink = _leads_somewhere  # type: ignore[method-assign]
    for rule in ("heading_open", "heading_close"):
        found.add_render_rule(rule, _heading)
    found.add_render_rule("image", _image)
    return found


def _leads_somewhere(url: str) -> bool:
    return bool(_LINK.match(url.strip()))


def _heading(_: Any, tokens: "list[Token]", place: int, *_rest: Any) -> str:
    level = min(6, int(tokens[place].tag[1:]) + 2)
    return f"<{'/' if tokens[place].nesting < 0 else ''}h{level}>"


def _image(
    _: Any, tokens: "list[Token]", place: int, _options: Any, _environment: MutableMapping[str, Any]
) -> str:
    return f"<em>[{escape(tokens[place].content)}]</em>"
