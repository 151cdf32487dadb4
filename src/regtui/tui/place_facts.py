"""The places of a version as facts: where it was found, and what was known of the run there."""

from collections.abc import Mapping, Sequence
from typing import Any

from regtui.registry.answers_compare import PlaceAnswer
from regtui.registry.figures import age_text
from regtui.replica.projection import param_text
from regtui.tui.safe_text import one_line
from regtui.tui.widgets.fact_table import Fact

FEW = 8
"""Entries of a group up to which it is unfolded at first."""


def place_facts(places: Sequence[PlaceAnswer]) -> list[Fact]:
    """Return the facts of places, a group each."""
    facts: list[Fact] = []
    for number, place in enumerate(places):
        key = f"{number}"
        path = f"{place.folder.rstrip('/')}/{place.name}"
        facts.append(
            Fact(
                key=key,
                name=one_line(place.host) or "somewhere",
                value=one_line(path),
                folds=True,
                is_open=number == 0,
            )
        )
        at = place.at[:16].replace("T", " ")
        own = {
            "run": place.run,
            "captured": f"{at} by {place.author}, {age_text(place.at)} ago",
        }
        facts += [
            Fact(key=f"{key}/{name}", name=name, value=one_line(value), depth=1)
            for name, value in own.items()
            if value
        ]
        facts += _facts(place.context, key, 1)
    return facts


def _facts(values: Mapping[str, Any], path: str, depth: int) -> list[Fact]:
    """Return nested values as groups in groups; plain ones come first."""
    facts: list[Fact] = []
    for name, value in sorted(values.items(), key=lambda one: (_is_nested(one[1]), one[0])):
        if value is None or (_is_nested(value) and not value):
            continue
        key, shown = f"{path}/{name}", one_line(name)
        if isinstance(value, Mapping):
            facts.append(
                Fact(
                    key=key, name=shown, value=f"{len(value):,}", depth=depth, folds=True,
                    is_open=len(value) <= FEW,
                )
            )  # fmt: skip
            facts += _facts(value, key, depth + 1)
        elif isinstance(value, list):
            text = " ".join(param_text(one) for one in value)
            facts.append(Fact(key=key, name=shown, value=one_line(text), depth=depth))
        else:
            facts.append(Fact(key=key, name=shown, value=one_line(param_text(value)), depth=depth))
    return facts


def _is_nested(value: object) -> bool:
    return isinstance(value, Mapping)
