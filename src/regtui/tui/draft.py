"""A draft: values of a model or version while somebody edits them in a form.

It holds each value as it stood and as it is typed now, and is itself a value: what one does to it
gives another draft. Nothing is refused while one types; what can't be saved has a problem, which
the form shows beside it. What it says in the end is what `Registry.edit` takes: the values that
changed, and what the person saw in their places.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from regtui.core.documents import FIELDS
from regtui.core.errors import BadInput
from regtui.registry.answers import ModelAnswer, VersionAnswer
from regtui.registry.typed_values import text_of, value_of

VERSION_FIELDS = ("description", "metrics", "params", "tags")
MODEL_FIELDS = ("display_name", "description", "primary_metric", "direction", "owners", "tags")
"""The fields that a form offers, in its order."""

SINGULAR = {"metrics": "metric", "params": "param", "tags": "tag", "owners": "owner"}
"""What one value of a field with names is called, as in the options of commands."""

BARE = frozenset({"owners"})
"""The fields whose values are nothing but names."""

DERIVED = frozenset({"display_name", "direction"})
"""The fields that answers fill where nothing is kept."""


class Entry(Struct, frozen=True, kw_only=True):
    """One value.

    Attributes:
        key: What its row is known by.
        field: Such as `metrics` or `description`.
        name: Its name in the field; empty where the field has one value only.
        before: The value that stood there; None without one.
        text: What is typed now; None where the value is to be taken away.
    """

    key: str
    field: str
    name: str = ""
    before: Any = None
    text: str | None = None

    @property
    def path(self) -> str:
        """What `Registry.edit` calls it."""
        return f"{self.field}/{self.name}" if self.field in SINGULAR else self.field

    @property
    def typed_before(self) -> str | None:
        """What one would type for the value that stood there."""
        return None if self.before is None else text_of(self.field, self.before)

    @property
    def is_changed(self) -> bool:
        """Whether saving changes it."""
        is_single = self.field not in SINGULAR
        was, now = self.typed_before, self.text
        return (was or None) != (now or None) if is_single else was != now

    @property
    def wanted(self) -> Any:
        """The value that is typed; None where there is to be none.

        Raises:
            BadInput: It can't be one.
        """
        if self.text is None or (not self.text and self.field not in SINGULAR):
            return None
        return value_of(self.field, self.name, self.text)


class Draft(Struct, frozen=True, kw_only=True):
    """Values of one model or version.

    Attributes:
        kind: `model` or `version`.
        fields: The fields that can be edited, in their order.
        entries: The values, by field.
        made: How many entries were added.
    """

    kind: str
    fields: tuple[str, ...]
    entries: tuple[Entry, ...]
    made: int = 0

    @property
    def changed(self) -> list[Entry]:
        """What saving changes."""
        return [entry for entry in self.entries if entry.is_changed]

    @property
    def wanted(self) -> dict[str, Any]:
        """The values that changed, by path; None takes one away.

        Raises:
            BadInput: One can't be a value.
        """
        return {entry.path: entry.wanted for entry in self.changed}

    @property
    def seen(self) -> dict[str, Any]:
        """What stood in the places of those that changed, where that is known as it is kept."""
        return {e.path: e.before for e in self.changed if e.path not in DERIVED}

    def of(self, key: str) -> Entry | None:
        """Return the entry with a key."""
        return next((entry for entry in self.entries if entry.key == key), None)

    def typed(self, key: str, text: str | None) -> "Draft":
        """Return the draft with another text in an entry; None takes the value away."""
        found: list[Entry] = []
        for entry in self.entries:
            if entry.key != key:
                found.append(entry)
            elif text is not None or entry.before is not None:
                found.append(msgspec.structs.replace(entry, text=text))
        return msgspec.structs.replace(self, entries=tuple(found))

    def restored(self, key: str) -> "Draft":
        """Return the draft with what stood in an entry before."""
        entry = self.of(key)
        return self if entry is None else self.typed(key, entry.typed_before)

    def added(self, field: str, line: str) -> tuple["Draft", str]:
        """Return the draft with a value more, and its key; a name that is there is typed anew.

        Args:
            field: A field with names.
            line: `name=value`, or the name alone where the values are nothing but names.
        """
        name, text = _pair(field, line)
        return self.put(field, name, text)

    def put(self, field: str, name: str, text: str) -> tuple["Draft", str]:
        """Return the draft with a text under a name of a field, and its key."""
        there = next((e for e in self.entries if e.field == field and e.name == name), None)
        if there is not None:
            return self.typed(there.key, text), there.key
        entry = Entry(key=f"new {self.made}", field=field, name=name, text=text)
        place = sum(self.fields.index(e.field) <= self.fields.index(field) for e in self.entries)
        entries = (*self.entries[:place], entry, *self.entries[place:])
        return msgspec.structs.replace(self, entries=entries, made=self.made + 1), entry.key

    def rebased(self, values: Mapping[str, Any]) -> "Draft":
        """Return the same changes upon what stands there by now."""
        now = draft(self.kind, self.fields, values)
        for entry in self.changed:
            there = next((e for e in now.entries if e.path == entry.path), None)
            if there is not None:
                now = now.typed(there.key, entry.text)
            elif entry.text is not None:
                now, _ = now.put(entry.field, entry.name, entry.text)
        return now

    def problem(self, entry: Entry) -> str | None:
        """Return in one sentence why an entry can't be saved; None where it can."""
        if not entry.is_changed or entry.text is None:
            return None
        if entry.field in SINGULAR and not entry.name:
            return f"type {pattern(entry.field)}"
        if not entry.name.isprintable():
            return "the name has characters that can't be shown"
        return _value_problem(self.kind, entry)

    def line_problem(self, field: str, line: str) -> str | None:
        """Return in one sentence why a line adds no value; None where it does."""
        if "=" not in line and field not in BARE:
            return f"type {pattern(field)}"
        name, text = _pair(field, line)
        return self.problem(Entry(key="", field=field, name=name, text=text))

    def problems(self) -> dict[str, str]:
        """Return what is wrong, by the key of the entry."""
        found = ((entry.key, self.problem(entry)) for entry in self.changed)
        return {key: problem for key, problem in found if problem is not None}


def draft(kind: str, fields: Sequence[str], values: Mapping[str, Any]) -> Draft:
    """Return a draft of values by path, by field and then by name."""
    entries: list[Entry] = []
    for field in fields:
        if field in SINGULAR:
            names = sorted(
                path.partition("/")[2] for path in values if path.startswith(f"{field}/")
            )
            for name in names:
                value = values[f"{field}/{name}"]
                key, text = f"{field}/{name}", text_of(field, value)
                entries.append(Entry(key=key, field=field, name=name, before=value, text=text))
        else:
            value = values.get(field)
            entries.append(Entry(key=field, field=field, before=value, text=value))
    return Draft(kind=kind, fields=tuple(fields), entries=tuple(entries))


def _value_problem(kind: str, entry: Entry) -> str | None:
    if entry.field == "direction" and entry.text not in {"", "max", "min"}:
        return "it is max or min: whether more or less of the primary metric is better"
    try:
        value = entry.wanted
        if value is not None:
            msgspec.convert(value, FIELDS[kind][entry.field].type)
    except BadInput as error:
        return ", ".join(part for part in (error.message, error.hint) if part)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _pair(field: str, line: str) -> tuple[str, str]:
    name, _, text = line.partition("=")
    return (line.strip(), "") if field in BARE else (name.strip(), text)


def pattern(field: str) -> str:
    """Return how one types a new value of a field."""
    return {"owners": "name", "metrics": "name=value or name=value@step"}.get(field, "name=value")


def version_draft(version: VersionAnswer) -> Draft:
    """Return a draft of a version's values."""
    return draft("version", VERSION_FIELDS, version_values(version))


def version_values(version: VersionAnswer) -> dict[str, Any]:
    """Return what can be edited of a version, by path."""
    steps = version.steps
    values: dict[str, Any] = {"description": version.description}
    values |= {
        f"metrics/{name}": {"value": value, "step": steps.get(name)}
        for name, value in version.metrics.items()
    }
    values |= {f"params/{name}": value for name, value in version.params.items()}
    return values | {f"tags/{name}": value for name, value in version.tags.items()}


def model_draft(model: ModelAnswer) -> Draft:
    """Return a draft of a model's values."""
    return draft("model", MODEL_FIELDS, model_values(model))


def model_values(model: ModelAnswer) -> dict[str, Any]:
    """Return what can be edited of a model, by path."""
    values: dict[str, Any] = {
        "display_name": model.display_name,
        "description": model.description,
        "primary_metric": model.primary_metric,
        "direction": model.direction,
    }
    values |= {f"owners/{name}": True for name in model.owners}
    return values | {f"tags/{name}": value for name, value in model.tags.items()}
