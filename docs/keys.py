"""Write the table of keys into `docs/app.md`, from the app's own table of actions."""

import sys
from pathlib import Path

from textual.keys import format_key

from regtui.tui.actions import SCOPES, Action, of_scope

START, END = "<!-- keys: made by docs/keys.py -->", "<!-- end of keys -->"
PAGE = Path(__file__).with_name("app.md")


def key_tables() -> str:
    """Return all keys as Markdown, a table for each scope."""
    parts = []
    for scope, title in SCOPES.items():
        actions = of_scope(scope)
        if actions:
            rows = [_row(action) for action in actions]
            head = [f"### {title}", "", "| key | does | setting |", "|---|---|---|"]
            parts.append("\n".join([*head, *rows]))
    return "\n\n".join(parts)


def with_keys(page: str) -> str:
    """Return the page with today's keys in their place."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}\n\n{key_tables()}\n\n{END}{after}"


def _row(action: Action) -> str:
    keys = " ".join(f"`{_shown(key)}`" for key in action.keys)
    same = f" (`regtui {action.command}`)" if action.command else ""
    many = " Works on all marked." if action.many else ""
    return f"| {keys} | {action.help}{many}{same} | `{action.id}` |"


def _shown(key: str) -> str:
    shown = format_key(key)
    return "&#124;" if shown == "|" else shown


if __name__ == "__main__":
    text = with_keys(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {PAGE.name}\n")
