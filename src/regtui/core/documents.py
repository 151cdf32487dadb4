"""Documents: the current state of one entity, with a stamp on every value.

A document is flat: each value stands in a *register* under its path, which is the name of a field
(`description`) or a field and a key (`metrics/f1`, `places/3f…`). The rule by which concurrent
changes of a field merge stands in `FIELDS`, and nowhere else. What this program does not know (a
field of a newer one) is kept, because registers are decoded whatever their path. Therefore whatever
a document may gain later goes into `fields` or `facts`, never beside them or into registers.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from regtui.core import encoding

JsonScalar = str | int | float | bool

Integer = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
"""An integer that every store can hold."""


class Rule(StrEnum):
    """How two changes of one value merge when their authors did not see each other."""

    CAS = "cas"
    MAP = "map"
    SET = "set"
    METRIC = "metric"
    TEXT = "text"


class Register(Struct, frozen=True, gc=False):
    """One value and its stamp; there are a dozen in a document, and no cycle can be among them.

    Attributes:
        v: The value; a digest where the rule is text.
        by: Id of the operation that set it.
        at: Microseconds: the time by which that operation counts in ties.
    """

    v: Any
    by: str
    at: int


class Document(Struct, frozen=True, kw_only=True):
    """The state of one entity.

    Attributes:
        id: UUID of the entity.
        kind: One of `FIELDS`.
        stream: The stream that orders it.
        seq: Sequence number of the operation that changed it last; 0 while that is pending.
        by: Id of that operation.
        facts: What never changes (a version's digest, number and creation).
        fields: Register by path.
    """

    id: str
    kind: str
    stream: str
    seq: int
    by: str
    facts: dict[str, Any]
    fields: dict[str, Register]

    def value(self, path: str) -> Any:
        """Return the value at a path, None where there is none."""
        register = self.fields.get(path)
        return None if register is None else register.v

    def entries(self, field: str) -> dict[str, Any]:
        """Return the values of a map or set by key; one that was taken away is none."""
        start = field + "/"
        return {
            path[len(start) :]: register.v
            for path, register in self.fields.items()
            if path.startswith(start) and register.v is not None
        }

    def all_entries(self) -> dict[str, dict[str, Any]]:
        """Return the values of every map and set by key, by field: one look for all of them."""
        found: dict[str, dict[str, Any]] = {}
        for path, register in self.fields.items():
            field, slash, key = path.partition("/")
            if not slash or register.v is None:
                continue
            if field in found:
                found[field][key] = register.v
            else:
                found[field] = {key: register.v}
        return found

    def stamp(self, path: str) -> str | None:
        """Return the id of the operation that set the value at a path."""
        register = self.fields.get(path)
        return None if register is None else register.by


class Metric(Struct, frozen=True):
    """One figure: its value (NaN and infinities as tagged strings) and the step it was taken at."""

    value: float | Literal["NaN", "Infinity", "-Infinity"]
    step: Integer | None = None


class Place(Struct, frozen=True):
    """Where a version's content was found, by whom, and under what name.

    Attributes:
        host: Name of the machine.
        folder: Folder that held the captured file or folder.
        name: Name of the captured file or folder there.
        at: Microseconds.
        author: User id.
        run: Name of the training run, where one is known.
        context: Digest or value of what is known of the run's surroundings.
    """

    host: str
    folder: str
    name: str
    at: Integer
    author: str
    run: str | None = None
    context: dict[str, Any] | None = None


class Input(Struct, frozen=True):
    """A dataset that a version was made from."""

    uri: str
    digest: str | None = None


class Holder(Struct, frozen=True):
    """Where an alias pointed from some moment on; kept under the operation that moved it there.

    Attributes:
        version: Id of the version; None where the alias was taken away.
        author: User id of who moved it.
        at: Microseconds.
        undoes: Id of the operation that this move took back.
        request: Id of the promotion request that it follows from.
    """

    version: str | None
    author: str
    at: Integer
    undoes: str | None = None
    request: str | None = None


class Review(Struct, frozen=True):
    """What somebody says to a promotion request.

    Attributes:
        verdict: `approve` or `reject`.
        text: Why.
        role: The role that he had in the model when it was accepted.
        seen: Digest of each part of what he reviewed.
        at: Microseconds of the authority's clock.
        owner: Id of the person for whom a service account said it then; None for a person.
    """

    verdict: Literal["approve", "reject"]
    text: str
    role: str
    seen: dict[str, str]
    at: Integer
    owner: str | None = None


class Field(Struct, frozen=True):
    """One mutable field: its rule, the type of its values, and whether edits may name it."""

    rule: Rule
    type: Any
    editable: bool = True

    @property
    def keyed(self) -> bool:
        """Whether values stand under keys rather than under the field itself."""
        rule = self.rule
        return rule is Rule.MAP or rule is Rule.METRIC or rule is Rule.SET


FIELDS: dict[str, dict[str, Field]] = {
    "model": {
        "name": Field(Rule.CAS, str, editable=False),
        "display_name": Field(Rule.CAS, str),
        "description": Field(Rule.CAS, str),
        "tags": Field(Rule.MAP, str),
        "owners": Field(Rule.SET, Literal[True]),
        "card": Field(Rule.TEXT, str),
        "primary_metric": Field(Rule.CAS, str),
        "direction": Field(Rule.CAS, Literal["max", "min"]),
        "state": Field(Rule.CAS, Literal["active", "archived", "deleted"], editable=False),
    },
    "version": {
        "places": Field(Rule.SET, Place, editable=False),
        "parents": Field(Rule.SET, Literal[True]),
        "inputs": Field(Rule.SET, Input),
        "description": Field(Rule.CAS, str),
        "tags": Field(Rule.MAP, str),
        "params": Field(Rule.MAP, JsonScalar),
        "metrics": Field(Rule.METRIC, Metric),
        "series": Field(Rule.MAP, str),
        "signatures": Field(Rule.SET, str),
        "state": Field(Rule.CAS, Literal["captured", "archived", "deleted"], editable=False),
    },
    "alias": {
        "version": Field(Rule.CAS, str, editable=False),
        "holders": Field(Rule.SET, Holder, editable=False),
        "evidence": Field(Rule.CAS, dict[str, Any], editable=False),
    },
    "conflict": {
        "candidates": Field(Rule.SET, dict[str, Any], editable=False),
        "resolution": Field(Rule.CAS, Any, editable=False),
    },
    "comment": {
        "text": Field(Rule.CAS, str),
        "state": Field(Rule.CAS, Literal["posted", "withdrawn"], editable=False),
    },
    "dataset": {
        "uri": Field(Rule.CAS, str),
        "digest": Field(Rule.CAS, str),
        "description": Field(Rule.CAS, str),
        "tags": Field(Rule.MAP, str),
        "state": Field(Rule.CAS, Literal["active", "deleted"], editable=False),
    },
    "policy": {
        "definition": Field(Rule.CAS, dict[str, Any], editable=False),
        "state": Field(Rule.CAS, Literal["active", "removed"], editable=False),
    },
    "check": {
        "definition": Field(Rule.CAS, dict[str, Any], editable=False),
        "state": Field(Rule.CAS, Literal["active", "removed"], editable=False),
    },
    "check_run": {
        "log": Field(Rule.TEXT, str, editable=False),
    },
    "promotion": {
        "reason": Field(Rule.CAS, str),
        "reviews": Field(Rule.MAP, Review, editable=False),
        "state": Field(Rule.CAS, Literal["open", "applied", "withdrawn"], editable=False),
        "break_glass": Field(Rule.CAS, str, editable=False),
        "evidence": Field(Rule.CAS, dict[str, Any], editable=False),
    },
    "environment": {
        "kind": Field(Rule.CAS, str),
        "protected": Field(Rule.CAS, bool),
        "description": Field(Rule.CAS, str),
        "expect": Field(Rule.CAS, str),
        "state": Field(Rule.CAS, Literal["active", "removed"]),
    },
    "deployment": {
        "reason": Field(Rule.CAS, str),
        "url": Field(Rule.CAS, str),
        "expect": Field(Rule.CAS, str),
        "state": Field(
            Rule.CAS,
            Literal["pending", "live", "draining", "stopped", "failed", "rolled_back"],
            editable=False,
        ),
        "since": Field(Rule.CAS, Integer, editable=False),
        "until": Field(Rule.CAS, Integer, editable=False),
        "replaced_by": Field(Rule.CAS, str, editable=False),
        "evidence": Field(Rule.CAS, dict[str, Any], editable=False),
        "usage": Field(Rule.CAS, dict[str, Any], editable=False),
    },
    "user": {
        "display_name": Field(Rule.CAS, str),
        "kind": Field(Rule.CAS, Literal["person", "service"]),
        "owner": Field(Rule.CAS, str),
        "state": Field(Rule.CAS, Literal["active", "disabled"]),
    },
    "team": {
        "description": Field(Rule.CAS, str),
        "members": Field(Rule.SET, Literal[True]),
        "state": Field(Rule.CAS, Literal["active", "deleted"]),
    },
    "grant": {
        "role": Field(
            Rule.CAS,
            Literal["reporter", "viewer", "contributor", "approver", "maintainer", "admin"],
            editable=False,
        ),
    },
    "replica": {
        "host": Field(Rule.CAS, str),
        "state": Field(Rule.CAS, Literal["active", "revoked"], editable=False),
    },
}

_SERIES = frozenset({"series"})
_TEXTS = {
    kind: _SERIES | {name for name, field in fields.items() if field.rule is Rule.TEXT}
    for kind, fields in FIELDS.items()
}
"""The fields of each kind that name texts."""

_FEW = 100
"""Fields that are sorted by the encoder."""

_decoder = msgspec.json.Decoder(Document)
_DIGEST = re.compile(r"[0-9a-f]{64}")


def split_path(path: str) -> tuple[str, str | None]:
    """Return the field of a path and its key, None where the path has none."""
    field, slash, key = path.partition("/")
    return field, key if slash else None


def field_of(kind: str, path: str) -> Field:
    """Return the field that a path belongs to; KeyError where the kind has no such field."""
    return FIELDS[kind][split_path(path)[0]]


def source_of(version: Document) -> str | None:
    """Return where the content of a version was found first, as `folder/name`."""
    return first_place(version.entries("places"), version.facts)


def first_place(places: Mapping[str, Any], facts: Mapping[str, Any]) -> str | None:
    """Return which of a version's places was the first, as `folder/name`.

    A file that was captured alone is called so, by which it was looked at: it keeps the name with
    which the version was made.

    Args:
        places: The places by key.
        facts: Of the version: the key of its first place, and its name there.
    """
    place = places.get(str(facts.get("place")))
    if place is None:  # it was taken back
        _, place = min(places.items(), key=lambda one: (one[1]["at"], one[0]), default=("", None))
    if place is None:
        return None
    return f"{place['folder'].rstrip('/')}/{facts.get('file', place['name'])}"


def texts_of(document: Document) -> set[str]:
    """Return the digests of the texts that a document names, and that are kept beside it."""
    found = named_texts(document.kind, ((path, one.v) for path, one in document.fields.items()))
    if document.kind == "conflict":
        path, kind = str(document.facts.get("path")), str(document.facts.get("of_kind"))
        for candidate in document.entries("candidates").values():
            value = candidate.get("value") if isinstance(candidate, dict) else None
            edits = value.get("edit") if isinstance(value, dict) else {path: value}
            found |= named_texts(kind, edits.items() if isinstance(edits, dict) else ())
    return found


def named_texts(kind: str, values: Iterable[tuple[str, Any]]) -> set[str]:
    """Return the digests of texts among values, which are given by their paths.

    A place names the packages and the diff of its run. A series that is no digest is nobody's text:
    it stands for nothing.
    """
    texts = _TEXTS.get(kind, _SERIES)
    named: list[Any] = []
    for path, value in values:
        field = path.partition("/")[0]
        if field in texts:
            named.append(value)
        elif field == "places" and kind == "version":
            named += _texts_of_place(value)
    return {value for value in named if isinstance(value, str) and _DIGEST.fullmatch(value)}


def _texts_of_place(place: Any) -> list[Any]:
    context = place.get("context") if isinstance(place, dict) else None
    if not isinstance(context, dict):
        return []
    git = context.get("git")
    return [context.get("packages"), git.get("diff") if isinstance(git, dict) else None]


def encode_document(document: Document) -> bytes:
    """Return the canonical bytes of a document."""
    if len(document.fields) > _FEW:
        # The encoder sorts keys that are in order but for a few in quadratic time.
        fields = dict(sorted(document.fields.items()))
        document = msgspec.structs.replace(document, fields=fields)
    return encoding.encode(document)


def decode_document(data: bytes | str) -> Document:
    """Return the document behind its bytes; msgspec.ValidationError where they hold none."""
    return _decoder.decode(data)
