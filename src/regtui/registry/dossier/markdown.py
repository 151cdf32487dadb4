"""A dossier as Markdown."""

import re
from collections.abc import Iterator

from regtui.registry.dossier.blocks import Block, Card, Dossier, Facts, Section, Table

_SPECIAL = re.compile(r"([\\`*_\[\]|~<>&$])")
_START = re.compile(r"^(\d+(?=[.)](?:\s|$))|(?=[-+](?:\s|$)|#|(?:-\s*){3}|=+$))")
"""Right before what would begin a list, a heading or a line at the beginning of a text."""

_FENCE = re.compile(r"`{3,}")


def markdown(dossier: Dossier) -> str:
    """Return a dossier as Markdown with tables."""
    lines = [f"# {escaped(dossier.title)}", "", escaped(dossier.made), ""]
    for section in dossier.sections:
        lines += [f"## {escaped(section.title)}", "", *_section(section)]
    return "\n".join(lines).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """Return a text as one line that means nothing but itself in Markdown."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    told = _SPECIAL.sub(r"\\\1", plain)
    return _START.sub(lambda found: found[0] + "\\", told)


def _section(section: Section) -> Iterator[str]:
    if not section.blocks:
        yield from (escaped(section.nothing), "")
    for block in section.blocks:
        yield from _block(block)
        yield ""


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Facts):
        for name, value in block.pairs:
            if value:
                yield f"- **{escaped(name)}:** {escaped(value)}"
    elif isinstance(block, Table):
        yield _row([escaped(one) for one in block.headings])
        yield _row(["---"] * len(block.headings))
        for row in block.rows:
            yield _row([escaped(one) for one in row])
    elif isinstance(block, Card):
        # As it was written: rendered among the rest, its headings would be those of the report,
        # and its pictures would be fetched.
        fence = max((len(one) for one in _FENCE.findall(block.text)), default=2) + 1
        yield "`" * fence + "markdown"
        yield from (_plain(line) for line in block.text.splitlines())
        yield "`" * fence
    else:
        yield escaped(block.text)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(line: str) -> str:
    return "".join(c if c.isprintable() or c == "\t" else " " for c in line)
