"""Surroundings: where a version was found, and what was known of the run there.

A version may have several places, each with a context of its own: git, command, Python, packages,
hardware. For comparing, they are read as one, flat by dots, in the order of time: the first place
is nearest to the run that made it, and later ones only add what it lacks.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from regtui.core.documents import Document
from regtui.registry.answers import iso
from regtui.registry.answers_compare import PlaceAnswer
from regtui.registry.context import Context
from regtui.registry.lookups import actor_names
from regtui.registry.references import find_version
from regtui.replica.database import Connection

Flat = dict[str, Any]
"""Value by a path with dots."""

_DIGEST = r"[0-9a-f]{64}"
_PINNED = r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*==\s*(\S+)"


def places(context: Context, reference: str) -> list[PlaceAnswer]:
    """Return the places where the content of a version was found, oldest first.

    Raises:
        NotFound: There is no such version.
        BadInput: The reference is malformed or names a model.
    """
    with context.reading() as connection:
        _, document = find_version(connection, reference)
        found = _places(document)
        authors = actor_names(connection, {place["author"] for place in found})
    return [
        PlaceAnswer(
            host=place["host"],
            folder=place["folder"],
            name=place["name"],
            run=place.get("run"),
            at=iso(place["at"]),
            author=authors.get(place["author"], place["author"]),
            context=place.get("context") or {},
        )
        for place in found
    ]


def kept_packages(context: Context, value: Any) -> dict[str, str] | None:
    """Return version by package of what a context says of them; None where it is not known here.

    Args:
        context: The registry.
        value: The context's `packages`: a dictionary, or the digest of a kept text.
    """
    if value is None:
        return None
    with context.reading() as connection:
        return _packages(connection, value)


def surroundings(connection: Connection, document: Document) -> tuple[Flat, dict[str, str]]:
    """Return what is known of the run behind a version: its context, and its packages by name."""
    merged: Flat = {}
    packages: dict[str, str] | None = None
    for place in _places(document):
        context = dict(place.get("context") or {})
        there = _packages(connection, context.get("packages"))
        if there is not None:
            context.pop("packages")
            packages = there if packages is None else packages
        known = {"host": place["host"], "run": place.get("run")} | context
        for path, value in flat(known).items():
            merged.setdefault(path, value)
    return merged, packages or {}


def flat(values: Mapping[str, Any], start: str = "") -> Flat:
    """Return nested values by paths with dots; lists stay whole, and nothing stays out but None.

    >>> flat({"git": {"commit": "3f", "dirty": True}, "gpus": ["a"]})
    {'git.commit': '3f', 'git.dirty': True, 'gpus': ['a']}
    """
    found: Flat = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{start}{name}.")
        elif value is not None:
            found[start + name] = value
    return found


def _places(document: Document) -> list[dict[str, Any]]:
    entries = document.entries("places").items()
    return [place for _, place in sorted(entries, key=lambda entry: (entry[1]["at"], entry[0]))]


def _packages(connection: Connection, value: Any) -> dict[str, str] | None:
    """Return version by package; None where they are not known here.

    The context holds them as a dictionary, or as the digest of a kept text: a JSON dictionary, or
    lines such as `numpy==2.1`.
    """
    if isinstance(value, str) and re.fullmatch(_DIGEST, value):
        row = connection.execute("select value from base.text where digest = ?", [value]).fetchone()
        value = None if row is None else _read_packages(str(row[0]))
    if not isinstance(value, Mapping):
        return None
    return {str(name): str(version) for name, version in value.items()}


def _read_packages(text: str) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return dict(re.findall(rf"(?m)^{_PINNED}", text))
    return found if isinstance(found, dict) else None
