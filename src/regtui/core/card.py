"""What a model's card says in its front matter: the YAML between two lines of `---` at its top."""

from typing import Any

LIMIT = 64 * 1024
"""Characters of a front matter that are read."""


def front_matter(card: str | None) -> dict[str, Any]:
    """Return what a card's front matter holds; empty where it has none, or one that is malformed.

    What stands for something else by a YAML alias makes it malformed: a few lines of those can
    stand for gigabytes.
    """
    import yaml

    if card is None or not card.startswith("---"):
        return {}
    lines = card[:LIMIT].splitlines()
    end = next((n for n, line in enumerate(lines[1:], 1) if line.strip() == "---"), None)
    if end is None:
        return {}
    text = "\n".join(lines[1:end])
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            return {}
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def card_field(card: str | None, path: str) -> Any:
    """Return a value of a card's front matter by its dotted path; None where there is none."""
    value: Any = front_matter(card)
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value
