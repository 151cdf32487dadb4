"""Import of one version.

Texts and stored files wait in the lease's folder until the bundle is verified to its end. Then one
unit of work, one intent, makes the model where its name is free (its values only then), captures
the version with all its values, and keeps its files. A version that is there already gains what the
bundle knows: values merge by the rule of their field, as of an author who did not see what stands
here.

Who captured it, when, where and as what, in which registry, is kept as a *place*, whose key is a
digest of what the bundle says of the version. Therefore the same bundle again changes nothing, even
where values were edited since.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from regtui.artifacts.bundle_file import BundleReader
from regtui.artifacts.faults import disk_errors
from regtui.artifacts.leases import lease
from regtui.artifacts.receiving import Receiver
from regtui.core import encoding
from regtui.core.bundle import END_OF_TIME, VersionBundle, mentioned_digests, wanted_of
from regtui.core.documents import Document, named_texts
from regtui.core.errors import RegtuiError
from regtui.core.identity import name_key, version_id
from regtui.core.manifest import content_digest
from regtui.core.operations import CaptureBody, Change, Changes, EditBody, StateBody
from regtui.registry.answers import VersionAnswer, version_answer
from regtui.registry.answers_bundle import ImportedVersion
from regtui.registry.changes import changes
from regtui.registry.context import Context
from regtui.registry.edit import submit_creation, submit_edit
from regtui.registry.import_objects import NamedObjects
from regtui.registry.lookups import actor_names, aliases_by_version
from regtui.registry.rehearsal import unit_of_work
from regtui.registry.released import forget_released
from regtui.replica.authority import SoloAuthority
from regtui.replica.texts import keep

_PART_BYTES, _PART_CHANGES = 512 << 10, 5_000
"""What one operation is to hold at most; it could hold twice as much."""


class _Arrival(Struct, frozen=True, kw_only=True):
    """What a bundle brings, ready to be registered.

    Attributes:
        bundle: Its description.
        model: Name of the model that it goes into.
        first: Values of the model if it is new.
        wanted: Values of the version.
        origin: Key of the place that says where it comes from.
        texts: Folder of its texts, by digest.
        dry_run: Whether to tell only.
    """

    bundle: VersionBundle
    model: str
    first: dict[str, Any]
    wanted: dict[str, Any]
    origin: str
    texts: Path
    dry_run: bool


def import_version(
    context: Context,
    reader: BundleReader,
    bundle: VersionBundle,
    *,
    model: str | None,
    dry_run: bool,
) -> ImportedVersion:
    """Take in a version; content that is there already gains what the bundle knows of it.

    Args:
        context: The registry.
        reader: Stands after the description.
        bundle: The description.
        model: Name of the model to put it in; None for the one that it comes from.
        dry_run: Whether to tell only.

    Raises:
        BadInput: A value is malformed.
        Damaged: The bundle is not what it was.
        RegtuiError: The store's disk is full.
    """
    with lease(context.home) as folder, Receiver(context.home, folder, dry_run=dry_run) as receiver:
        texts = folder / "texts"
        with disk_errors(f"writing to the store {context.home}"):
            texts.mkdir(mode=0o700)
        arrival, ignored = _arrival(reader, bundle, model, texts, dry_run=dry_run)
        missing = _unpack(reader, arrival, receiver)
        reader.finish()
        first = _with_card(reader, arrival)
        if not dry_run:
            receiver.name_all()
        with unit_of_work(context, dry_run=dry_run) as authority:
            authority.begin_group()
            made = _model(authority, arrival.model, first)
            version, created, changed = _register(authority, made, arrival)
            if not created and not missing:
                forget_released(authority.connection, authority.view.keys[version])
            answer = _answer(authority, made, version)
    return ImportedVersion(
        version=answer,
        created=created,
        changed=changed,
        objects=receiver.files,
        bytes=receiver.size,
        missing=missing,
        ignored=ignored,
        dry_run=dry_run,
    )


def _arrival(
    reader: BundleReader, bundle: VersionBundle, model: str | None, texts: Path, *, dry_run: bool
) -> tuple[_Arrival, list[str]]:
    first, unknown = wanted_of("model", bundle.model.values, reader.shown)
    wanted, more = wanted_of("version", bundle.version.values, reader.shown)
    name = bundle.model.name if model is None else model
    if name_key(name) != name_key(bundle.model.name):
        first.pop("display_name", None)  # it shows another name
    for values in (first, wanted):
        for path in ("name", "state"):
            values.pop(path, None)
    said = msgspec.structs.replace(bundle, artifacts=True)
    origin = encoding.digest(encoding.encode(said))[:16]
    wanted[f"places/{origin}"] = _origin_place(reader, bundle, wanted)
    arrival = _Arrival(
        bundle=bundle,
        model=name,
        first=first,
        wanted=wanted,
        origin=origin,
        texts=texts,
        dry_run=dry_run,
    )
    return arrival, sorted({*unknown, *more})


def _origin_place(
    reader: BundleReader, bundle: VersionBundle, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the place that says where a version comes from; it is never the first of its places.

    Raises:
        Damaged: The places of the version are malformed.
    """
    places = [place for path, place in wanted.items() if path.startswith("places/")]
    try:
        first = min(places, key=lambda place: (place["at"], place["folder"]), default=None)
        times = [int(place["at"]) for place in places]
        host = "" if first is None else str(first["host"])
    except (TypeError, KeyError, ValueError):
        raise reader.damaged("the places of the version are malformed") from None
    if any(not 0 <= time < END_OF_TIME for time in times):
        raise reader.damaged("the time of a place is out of range")
    version = bundle.version
    return {
        "host": host,
        "folder": f"registry:{bundle.registry}",
        "name": bundle.reference,
        "at": max([version.created, *(time + 1 for time in times)]),
        "author": version.author_id,
        "context": {
            "imported": {
                "author": version.author,
                "created": version.created,
                "registry": bundle.registry,
                "reference": bundle.reference,
                "version": version.id,
            }
        },
    }


def _unpack(reader: BundleReader, arrival: _Arrival, receiver: Receiver) -> list[str]:
    """Read the bundle to its end; return the digests of files that are neither in it nor here.

    Raises:
        Damaged: It is not what it was, or lacks a file or a text.
    """
    bundle = arrival.bundle
    mentioned: set[str] = set()
    for values in (bundle.model.values, bundle.version.values):
        mentioned |= mentioned_digests(msgspec.json.decode(values))
    needed = named_texts("model", arrival.first.items())
    needed |= named_texts("version", arrival.wanted.items())
    named = sorted({(file.digest, file.size, True) for file in bundle.files})
    objects = NamedObjects(iter(named), receiver)
    present = 0
    for entry in reader.entries():
        if entry.section == "object" and bundle.artifacts:
            objects.take(reader, entry)
            present += 1
        elif entry.section == "text" and entry.digest in mentioned:
            _keep(reader, arrival.texts / entry.digest)
            needed.discard(entry.digest)
        else:
            raise reader.damaged(f"{entry.name} does not belong to its version")
    if needed:
        raise reader.damaged(f"it lacks the text {min(needed)} of its version")
    if bundle.artifacts and present < len(named):
        raise reader.damaged("it lacks files of its version")
    objects.finish()
    return objects.missing


def _keep(reader: BundleReader, file: Path) -> None:
    """Write the text that is about to be read into a file."""
    data = reader.content()
    try:
        data.decode()
    except UnicodeDecodeError:
        raise reader.damaged(f"the text {file.name} is not UTF-8") from None
    with disk_errors(f"writing {file.parent}"):
        file.write_bytes(data)


def _with_card(reader: BundleReader, arrival: _Arrival) -> dict[str, Any]:
    """Return the first values of the model with the text of its card."""
    if arrival.first.get("card") is None:
        return arrival.first
    try:
        text = (arrival.texts / str(arrival.first["card"])).read_text(encoding="utf-8")
    except (OSError, ValueError):
        raise reader.damaged("it lacks the text of the model's card") from None
    return arrival.first | {"card": text}


def _model(authority: SoloAuthority, name: str, first: Mapping[str, Any]) -> str:
    """Return the id of the model with a name, made with its first values where there is none."""
    holder = authority.view.holder(name_key(name))
    if holder is None:
        parts = list(_parts(changes(first, "model", None)))
        values = [{path: change.to for path, change in part.items()} for part in parts]
        identity = submit_creation(authority, name, values[0] if values else {})
        for rest in values[1:]:
            submit_edit(authority, _document(authority, identity), rest)
        return identity
    if holder.value("state") == "archived":  # what is imported has to be seen
        made = changes({"state": "active"}, "model", holder)
        authority.submit("model.restore", holder.id, holder.id, StateBody(holder.by, made))
    return holder.id


def _register(authority: SoloAuthority, model: str, arrival: _Arrival) -> tuple[str, bool, bool]:
    """Submit what the bundle says of the version, where it says anything new.

    Returns:
        The version, whether it is new, and whether anything was submitted.
    """
    said, files = arrival.bundle.version, arrival.bundle.files
    version = version_id(model, said.digest, said.nonce)
    seen = authority.view.document(version)
    is_known = seen is not None and f"places/{arrival.origin}" in seen.fields
    made = {} if is_known else _changes(arrival.wanted, seen)
    if seen is not None and seen.value("state") != "captured":
        made["state"] = Change("captured", saw=seen.stamp("state"))
    if seen is not None and not made:
        return version, False, False
    first, *rest = list(_parts(made)) or [{}]
    _capture(authority, model, version, arrival, first)
    for part in rest:
        if any(path.startswith("places/") for path in part):  # which no edit can set
            _capture(authority, model, version, arrival, part)
        else:
            authority.submit("version.edit", model, version, EditBody(part))
    if seen is None:
        authority.add_files(version, files)
    _keep_texts(authority, arrival)
    return version, seen is None, True


def _capture(
    authority: SoloAuthority, model: str, version: str, arrival: _Arrival, made: Changes
) -> None:
    files, said = arrival.bundle.files, arrival.bundle.version
    body = CaptureBody(
        digest=content_digest(files),
        nonce=said.nonce,
        size=sum(file.size for file in files),
        files=len(files),
        set=made,
    )
    authority.submit("version.capture", model, version, body)


def _changes(wanted: Mapping[str, Any], seen: Document | None) -> Changes:
    """Return the changes of an author who saw nothing of what stands here.

    Places that are here stay as they are: each is known by what it says.
    """
    known = set() if seen is None else {f"places/{key}" for key in seen.entries("places")}
    made = changes({p: v for p, v in wanted.items() if p not in known}, "version", seen)
    return {path: msgspec.structs.replace(change, saw=None) for path, change in made.items()}


def _parts(made: Changes) -> Iterator[Changes]:
    """Cut changes into what one operation can hold; places come first."""
    part: Changes = {}
    size = 0
    for path in sorted(made, key=lambda path: (not path.startswith("places/"), path)):
        length = len(path) + len(encoding.encode(made[path]))
        if part and (size + length > _PART_BYTES or len(part) == _PART_CHANGES):
            yield part
            part, size = {}, 0
        part[path] = made[path]
        size += length
    if part:
        yield part


def _keep_texts(authority: SoloAuthority, arrival: _Arrival) -> None:
    files = sorted(arrival.texts.iterdir())
    keep(authority.connection, ((file.name, _text(file)) for file in files))


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise RegtuiError(f"the text {file.name} can't be read: {error}") from error


def _document(authority: SoloAuthority, identity: str) -> Document:
    found = authority.view.document(identity)
    if found is None:
        raise RegtuiError(f"{identity} is not there")
    return found


def _answer(authority: SoloAuthority, model: str, version: str) -> VersionAnswer:
    """Answer from what is written here: what is done must not fail for a reader's turn."""
    document = _document(authority, version)
    key, author = authority.view.keys.get(version, 0), document.facts["author"]
    names = actor_names(authority.connection, {author}) | {authority.actor.id: authority.actor.name}
    return version_answer(
        document,
        model=_document(authority, model).value("name"),
        author=names.get(author, author),
        aliases=aliases_by_version(authority.connection, [key]).get(key, {}),
    )
