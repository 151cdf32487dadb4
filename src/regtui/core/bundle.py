"""Bundles: what the files of `regtui export` say, as values.

`docs/bundles.md` is the format. A bundle is of one version or of a whole registry; its first entry,
`regtui.json`, says which. A version's description names every file and holds every value; a
registry's says where its history ends, and the history follows as pages of records, one JSON value
a line. Exact bytes (operations, verdicts, documents) travel as JSON strings, so that whoever reads
them gets the very bytes that digests and signatures vouch for.

Everything here is decoded from untrusted bytes: types are checked, free-form values are bounded
before they are decoded, and ids have to follow from names and content.
"""

import re
from typing import Any, Literal, TypeVar

import msgspec
from msgspec import Raw, Struct

from regtui.core import encoding
from regtui.core.documents import FIELDS, Document, split_path
from regtui.core.errors import BadInput, Damaged
from regtui.core.identity import UUID_FORM, model_id, name_key, user_id, version_id
from regtui.core.manifest import FileEntry, check_path, content_digest

FORMAT_NAME = "regtui bundle"
FORMAT = 1
"""The version of the format that this program writes."""

DESCRIPTION_LIMIT = 128 << 20
"""Bytes of a description: a version of some million files."""

VALUES_LIMIT = 16 << 20
"""Bytes of the values of one model or version, as JSON."""

END_OF_TIME = 253_402_300_800 * 10**6
"""Microseconds: the year 10000, which calendars don't reach."""

_DIGEST = re.compile(r"[0-9a-f]{64}")

Values = dict[str, Any]
"""Value by field; a field with keys has a dictionary of them."""


class Header(Struct, frozen=True, kw_only=True):
    """What every description begins with."""

    format: str
    v: int
    kind: str


class ModelPart(Struct, frozen=True, kw_only=True):
    """The model of a version: its identity, and its values as JSON; a card is a text's digest."""

    id: str
    name: str
    generation: int
    values: Raw


class VersionPart(Struct, frozen=True, kw_only=True):
    """A version: its identity, who captured it first and when, and its values as JSON.

    Attributes:
        id: UUID.
        number: In its registry.
        digest: Content digest.
        nonce: Tells apart what has the same content; mostly empty.
        created: Microseconds.
        author: Name of who captured it first.
        author_id: His user id.
        values: Places, metrics, params, tags, description, inputs, parents and so on.
    """

    id: str
    number: int | None
    digest: str
    nonce: str
    created: int
    author: str
    author_id: str
    values: Raw


class VersionBundle(Struct, frozen=True, kw_only=True):
    """The description of a version.

    Attributes:
        format: `regtui bundle`.
        v: Of the format.
        kind: `version`.
        registry: Id of the registry that it comes from.
        reference: What it is called there.
        artifacts: Whether the files are in the bundle.
        model: Its model.
        version: The version.
        parents: Reference by id of the versions that it was made from; None where unknown.
        files: Its manifest.
    """

    format: str = FORMAT_NAME
    v: int = FORMAT
    kind: Literal["version"] = "version"
    registry: str
    reference: str
    artifacts: bool
    model: ModelPart
    version: VersionPart
    parents: dict[str, str | None]
    files: list[FileEntry]


class RegistryBundle(Struct, frozen=True, kw_only=True):
    """The description of a registry.

    Attributes:
        format: `regtui bundle`.
        v: Of the format.
        kind: `registry`.
        registry: Id of the registry.
        head: Sequence number of its last operation.
        link: Its last link, 64 hex digits.
        artifacts: Whether the files are in the bundle.
    """

    format: str = FORMAT_NAME
    v: int = FORMAT
    kind: Literal["registry"] = "registry"
    registry: str
    head: int
    link: str
    artifacts: bool


class ActorRecord(Struct, frozen=True):
    """Somebody who acted: user id and name."""

    id: str
    name: str


class EnrolmentRecord(Struct, frozen=True):
    """A replica, its public key in hex, and when it began in milliseconds."""

    replica: str
    public_key: str
    created: int


class SignatureRecord(Struct, frozen=True):
    """The signature of a replica whose own chain had `n` operations then, in hex."""

    replica: str
    n: int
    signature: str


class OperationRecord(Struct, frozen=True):
    """An operation and its verdict as they are stored, and the signatures made right after it."""

    seq: int
    operation: str
    verdict: str
    signatures: list[SignatureRecord] = []


class DocumentRecord(Struct, frozen=True):
    """A document as it is stored."""

    document: str


class HistoryRecord(Struct, frozen=True):
    """A line of the history; `before` and `after` are JSON texts."""

    seq: int
    entity: str
    kind: str
    path: str
    before: str | None
    after: str | None
    result: str
    reason: str | None


class TextRecord(Struct, frozen=True):
    """A text and its digest."""

    digest: str
    text: str


class FileRecord(Struct, frozen=True, array_like=True):
    """A file of a version."""

    version: str
    path: str
    size: int
    executable: bool
    digest: str


class ReleasedRecord(Struct, frozen=True):
    """A version whose files were released by retention, and since when in milliseconds."""

    version: str
    since: int


RECORDS: dict[str, type[Struct]] = {
    "actors": ActorRecord,
    "enrolments": EnrolmentRecord,
    "operations": OperationRecord,
    "documents": DocumentRecord,
    "history": HistoryRecord,
    "texts": TextRecord,
    "files": FileRecord,
    "released": ReleasedRecord,
}
"""Record by the folder of its pages, in the order in which a bundle holds them."""

AnyRecord = TypeVar("AnyRecord", bound=Struct)


def decode_description(data: bytes, shown: str) -> VersionBundle | RegistryBundle:
    """Return the description of a bundle, checked as far as it vouches for itself.

    Args:
        data: The bytes of `regtui.json`.
        shown: What the bundle is called in errors.

    Raises:
        BadInput: It describes no bundle, or one of a newer format.
        Damaged: It is malformed, or contradicts itself.
    """
    try:
        header = msgspec.json.decode(data, type=Header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise BadInput(f"{shown} is no bundle", "`regtui export` makes one") from None
    if header.format != FORMAT_NAME:
        raise BadInput(f"{shown} is no bundle", "`regtui export` makes one")
    kinds: dict[str, type[VersionBundle | RegistryBundle]] = {
        "version": VersionBundle,
        "registry": RegistryBundle,
    }
    if header.v > FORMAT or header.kind not in kinds:
        raise BadInput(f"{shown} was made by a newer regtui", "upgrade regtui")
    try:
        found: VersionBundle | RegistryBundle
        found = msgspec.json.decode(data, type=kinds[header.kind])
        _check(found)
    except (msgspec.DecodeError, RecursionError, UnicodeError, BadInput) as error:
        raise damaged(shown, f"its description is malformed ({_reason(error)})") from None
    return found


def decode_records(record: type[AnyRecord], data: bytes, shown: str) -> list[AnyRecord]:
    """Return the records of a page.

    Raises:
        Damaged: A line holds no such record.
    """
    decoder = msgspec.json.Decoder(record)
    try:
        return decoder.decode_lines(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise damaged(shown, f"a page is malformed ({_reason(error)})") from None


def encode_record(record: Struct) -> bytes:
    """Return the line of a record."""
    return encoding.encode(record) + b"\n"


def values_of(document: Document, *, without: frozenset[str]) -> Raw:
    """Return the values of a document by field, as JSON.

    Raises:
        BadInput: They are too many for a bundle.
    """
    values: Values = {}
    for path, register in document.fields.items():
        field, key = split_path(path)
        if field in without or register.v is None:
            continue
        if key is None:
            values[field] = register.v
        else:
            values.setdefault(field, {})[key] = register.v
    data = encoding.encode(values)
    if len(data) > VALUES_LIMIT:
        raise BadInput(f"its values have {len(data):,} bytes, too many for a bundle")
    return Raw(data)


def wanted_of(kind: str, values: Raw, shown: str) -> tuple[dict[str, Any], list[str]]:
    """Return the value by path of a description's values, and the fields that are not known here.

    Raises:
        Damaged: They are no values by field, or too many.
    """
    if len(bytes(values)) > VALUES_LIMIT:
        raise damaged(shown, "it holds too many values")
    try:
        found = msgspec.json.decode(values, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise damaged(shown, f"its values are malformed ({_reason(error)})") from None
    wanted: dict[str, Any] = {}
    unknown = sorted(found.keys() - FIELDS[kind].keys())
    for field in found.keys() & FIELDS[kind].keys():
        value = found[field]
        if not FIELDS[kind][field].keyed:
            wanted[field] = value
        elif isinstance(value, dict):
            wanted |= {f"{field}/{key}": one for key, one in value.items()}
        else:
            raise damaged(shown, f"its {field} are malformed")
    return wanted, unknown


def mentioned_digests(value: Any) -> set[str]:
    """Return what in a value looks like a digest: it may name a text."""
    if isinstance(value, str):
        return {value} if _DIGEST.fullmatch(value) else set()
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set().union(*(mentioned_digests(part) for part in parts))


def check_actor(actor: ActorRecord, shown: str) -> None:
    """Refuse an actor whose id is not that of the name.

    Raises:
        Damaged: It is not.
    """
    if user_id(actor.name) != actor.id:
        raise damaged(shown, f"the name {actor.name!r} has another id")


def check_files(files: list[FileEntry]) -> None:
    """Refuse a manifest that could not be checked out, or whose entries contradict one another.

    Raises:
        BadInput: It is such.
    """
    sizes: dict[str, int] = {}
    paths = {entry.path for entry in files}
    if not files or len(paths) < len(files):
        raise BadInput("a version has at least one file, and each path once")
    for entry in files:
        if not _DIGEST.fullmatch(entry.digest) or not 0 <= entry.size < 2**63:
            raise BadInput(f"the file {entry.path!r} has no digest or size")
        if sizes.setdefault(entry.digest, entry.size) != entry.size:
            raise BadInput(f"the file {entry.path!r} has two sizes")
        if entry.path or len(files) > 1:
            check_path(entry.path)
            _check_parents(entry.path, paths)


def damaged(shown: str, what: str) -> Damaged:
    """Return the error of a bundle that is not what it was."""
    return Damaged(f"the bundle {shown} is damaged: {what}", "get another copy of it")


def _check(found: VersionBundle | RegistryBundle) -> None:
    if not UUID_FORM.fullmatch(found.registry):
        raise BadInput("a registry is named by a UUID")
    if isinstance(found, VersionBundle):
        _check_version(found)
    elif not _DIGEST.fullmatch(found.link):
        raise BadInput("a registry has a last link")


def _check_version(found: VersionBundle) -> None:
    model, version = found.model, found.version
    check_files(found.files)
    if content_digest(found.files) != version.digest:
        raise BadInput("the files have another content digest")
    if not 0 <= model.generation < 2**31 or not 0 <= version.created < END_OF_TIME:
        raise BadInput("a count or time is out of range")
    if model_id(name_key(model.name), model.generation) != model.id:
        raise BadInput("the model's id does not follow from its name")
    if version_id(model.id, version.digest, version.nonce) != version.id:
        raise BadInput("the version's id does not follow from its content")
    if user_id(version.author) != version.author_id:
        raise BadInput("the author's id does not follow from his name")


def _check_parents(path: str, paths: set[str]) -> None:
    folder, slash, _ = path.rpartition("/")
    while slash:
        if folder in paths:
            raise BadInput(f"{folder!r} is a file and a folder")
        folder, slash, _ = folder.rpartition("/")


def _reason(error: Exception) -> str:
    text = str(error) if not isinstance(error, RecursionError) else "nested too deeply"
    return text.splitlines()[0][:200] if text else type(error).__name__
