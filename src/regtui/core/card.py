"""What a model's card says in its front matter: the YAML between two lines of `---` at its top."""

from functools import lru_cache
from typing import Any

LIMIT = 64 * 1024
"""Characters of a front matter that are read."""


def front_matter(card: str | None) -> dict[str, Any]:
    """Return what a card's front matter holds; empty where it has none, or one that is malformed.

    What stands for something else by a YAML alias makes it malformed: a few lines of those can
    stand for gigabytes. What is returned is shared: nobody may change it.
    """
    if card is None or not card.startswith("---"):
        return {}
    lines = card[:LIMIT].splitlines()
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    return {} if end is None else _parsed("\n".join(lines[1:end]))


@lru_cache(maxsize=64)
def _parsed(text: str) -> dict[str, Any]:
    """Return what YAML holds; each gate of each request asks for the same."""
    import yaml

    # In C, where that is there: the other one takes a second for what is just not too long.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=loader)):
            return {}
        found = yaml.load(text, Loader=loader)  # noqa: S506 -- a safe one
    except Exception:  # noqa: BLE001 -- values that are none raise many kinds
        return {}
    return found if isinstance(found, dict) else {}


def card_field(card: str | None, path: str) -> Any:
    """Return a value of a card's front matter by its dotted path; None where there is none."""
    value: Any = front_matter(card)
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
