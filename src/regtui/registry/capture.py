"""Capture: a version from a file or folder.

Scan, copy and hash into the store, and only then one transaction that registers model, version,
files, their layouts and alias: what is registered is complete on the disk. A kill before the
transaction leaves stored files that nothing names, and the same capture uses them again.

The layouts of files that are new to the store are made while they are written to the disk. Those of
files that were there without one (a killed capture, an older program, another suffix) are made
afterwards: a capture is done when it is registered, and no reader of formats can stop it.
"""

import contextlib
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from regtui.artifacts.garbage import all_there
from regtui.artifacts.scan import Scan, scan
from regtui.core import encoding
from regtui.core.errors import BadInput, Blocked, NotFound
from regtui.core.identity import alias_key, name_key, slug, version_id
from regtui.core.manifest import FileEntry, content_digest
from regtui.core.operations import CaptureBody, StateBody
from regtui.registry import capture_layouts
from regtui.registry.aliases import point
from regtui.registry.answers import Captured, VersionAnswer, version_answer
from regtui.registry.changes import Wanted, changes, plain
from regtui.registry.context import Context
from regtui.registry.datasets import input_value
from regtui.registry.edit import submit_creation
from regtui.registry.lookups import actor_names, aliases_by_version
from regtui.registry.protection import Protection
from regtui.registry.references import find_version
from regtui.registry.released import forget_released
from regtui.replica.authority import SoloAuthority
from regtui.replica.ids import uuid7
from regtui.replica.unit import wall_clock

if TYPE_CHECKING:
    from regtui.capture.context import RunContext
    from regtui.capture.findings import ParentHint
    from regtui.formats.layout import Layout
    from regtui.formats.values import Facts
    from regtui.registry.series import Series

Progress = Callable[[int], None]
"""Is told how many more bytes are done."""


class CaptureRequest(Struct, frozen=True, kw_only=True):
    """What is known of a version beside its files.

    Attributes:
        model: Name of the model; None derives it from the file or folder.
        metrics: Value and step by name.
        params: Value by name.
        tags: Value by name.
        parents: References of versions that it was made from.
        inputs: Address of datasets by name; None takes over that of a known one.
        alias: Alias to move to it.
        description: One line or more.
        series: Curves by metric.
        new: Make a version even of content that is there.
        skip: Paths to leave out.
        run: Name of the training run.
        run_context: What is known of the run.
        hints: What its trainer says that it was made from.
        primary: Metric and direction by which a model that is made now is judged.
        labels: Other names of the same content, as paths; each is a place of its own.
        copies: Files of it, by their paths in the version, that may be copies of a parent's.
        run_folder: Folder of the run: where nothing else tells a parent, a version from elsewhere
            that shares tensors is one; None to look for none.
        restore: Whether content that was archived or deleted is brought back; else it is left.
    """

    model: str | None = None
    metrics: Mapping[str, tuple[float, int | None]] = {}
    params: Mapping[str, Any] = {}
    tags: Mapping[str, str] = {}
    parents: tuple[str, ...] = ()
    inputs: Mapping[str, str | None] = {}
    alias: str | None = None
    description: str | None = None
    series: "Mapping[str, Series]" = {}
    new: bool = False
    skip: tuple[Path, ...] = ()
    run: str | None = None
    run_context: "RunContext | None" = None
    hints: "tuple[ParentHint, ...]" = ()
    primary: tuple[str, str] | None = None
    labels: tuple[Path, ...] = ()
    copies: tuple[str, ...] = ()
    run_folder: Path | None = None
    restore: bool = True


def requested(  # noqa: PLR0913 -- everything that may be known of a version, by name
    *,
    model: str | None,
    metrics: Mapping[str, float | tuple[float, int | None]] | None,
    params: Mapping[str, Any] | None,
    tags: Mapping[str, str] | None,
    parents: Iterable[str],
    inputs: Mapping[str, str | None] | None,
    alias: str | None,
    description: str | None,
    series: "Mapping[str, Series] | None",
    new: bool,
) -> CaptureRequest:
    """Return the request for what a caller says: None says nothing, a metric may have no step."""
    return CaptureRequest(
        model=model,
        metrics={
            name: value if isinstance(value, tuple) else (value, None)
            for name, value in (metrics or {}).items()
        },
        params=params or {},
        tags=tags or {},
        parents=tuple(parents),
        inputs=inputs or {},
        alias=alias,
        description=description,
        series=series or {},
        new=new,
    )


def capture(
    context: Context,
    path: str | Path,
    request: CaptureRequest,
    on_progress: Progress | None = None,
) -> Captured:
    """Make a version of a file or folder.

    Args:
        context: The registry.
        path: The file or folder.
        request: What is known of it.
        on_progress: Is told how many more bytes are stored.

    Returns:
        The version; `created` is False where the content was there already.

    Raises:
        NotFound: There is no such path, or no such parent.
        BadInput: A name or value is malformed, or the folder holds nothing that can be stored.
        RegtuiError: A file can't be read or changed meanwhile, or the disk is full.
    """
    if path == "":  # which is the current folder for `Path`
        raise BadInput("there is no path to capture", "name a file or folder")
    path = Path(path)
    found = scan(path, skip=(context.home, *request.skip))
    _refuse_own_files(context.home, path)
    return register(context, found, request, on_progress)


def register(
    context: Context,
    found: Scan,
    request: CaptureRequest,
    on_progress: Progress | None = None,
) -> Captured:
    """Make a version of files that were found; its place is the root of the scan.

    Args:
        context: The registry.
        found: The files, wherever they can be opened; its root is where they belong.
        request: What is known of them.
        on_progress: Is told how many more bytes are stored.

    Returns:
        The version; `created` is False where the content was there already.

    Raises:
        NotFound: There is no such parent.
        BadInput: A name or value is malformed.
        RegtuiError: A file can't be read or changed meanwhile, or the disk is full.
    """
    (captured,) = register_all(context, [store(context, found, request, on_progress)])
    return captured


def store(
    context: Context,
    found: Scan,
    request: CaptureRequest,
    on_progress: Progress | None = None,
) -> "Stored":
    """Take files into the store, as the first half of `register`.

    Raises:
        NotFound: There is no such parent.
        BadInput: A name or value is malformed.
        RegtuiError: A file can't be read or changed meanwhile, or the disk is full.
    """
    if request.alias is not None:
        alias_key(request.alias)
    name_key(_name(found, request))
    _check_known(context, request)
    context.replica.make()
    layouts: dict[str, Layout] = {}
    entries = context.store.ingest(found, on_progress=on_progress, on_layout=layouts.__setitem__)
    return Stored(Content(found, entries), request, layouts)


def register_all(context: Context, wanted: "Sequence[Stored]") -> list[Captured]:
    """Make versions of what is in the store, each an intent of its own: all of them, or none.

    Args:
        context: The registry.
        wanted: What to register, in this order.

    Raises:
        NotFound: There is no such parent.
        BadInput: A name or value is malformed.
        RegtuiError: A file changed meanwhile, or the disk is full.
    """
    if not wanted:
        return []
    with contextlib.ExitStack() as unit:
        authority = unit.enter_context(context.writing())
        while not all(all_there(context.store, one.content.entries) for one in wanted):
            # A collection took a file after it was found: it was nobody's until now.
            unit.close()
            wanted = [store(context, one.content.scan, one.request) for one in wanted]
            authority = unit.enter_context(context.writing())
        done: list[tuple[Captured, dict[str, Facts]]] = []
        run: Path | None = None
        for one in wanted:
            if done:
                authority.begin_group()
                if one.looks_up or one.request.run_folder != run:
                    authority.flush()  # what came before it in this unit may be its parent
            run = one.request.run_folder
            done.append(_registered(authority, one))
    return [
        structs.replace(
            one,
            warnings=[
                *one.warnings,
                *capture_layouts.warnings(context, of.content.names, facts),
            ],
        )
        for of, (one, facts) in zip(wanted, done, strict=True)
    ]


def _registered(authority: SoloAuthority, one: "Stored") -> "tuple[Captured, dict[str, Facts]]":
    """Register one; what has still to be warned of is left out."""
    request, content = one.request, one.content
    alias = None if request.alias is None else alias_key(request.alias)
    name = _name(content.scan, request)
    key = name_key(name)
    _begin(authority, key, alias)
    model = _model(authority, name, key, request)
    version, created, changed = _register(authority, model, one)
    is_protected = alias is not None and Protection(authority.connection).protects(key, alias)
    if alias is not None and not is_protected:
        changed |= point(authority, model, alias, version)
    restored = not created and _take_back(authority, version)
    facts = capture_layouts.keep(authority.connection, content.names, one.layouts)
    warnings = []
    if alias is not None and is_protected:
        warnings = _point_protected(authority, model, alias, version)
    # Answered from what is written here: what is done must not fail for a reader's turn.
    answer = answer_of(authority, version, key, alias)
    return Captured(
        version=answer, created=created, changed=changed, restored=restored, warnings=warnings
    ), facts


def _point_protected(authority: SoloAuthority, model: str, alias: str, version: str) -> list[str]:
    """Move an alias that policies protect; what is captured stays, whatever they say.

    Returns:
        A sentence where it did not move.
    """
    authority.end_group()  # which a server takes as a whole, or not at all
    authority.flush()  # gates look at the files
    waiting = len(authority.requested)
    try:
        point(authority, model, alias, version)
    except Blocked as error:
        return [f"{alias} did not move: {error.message}"]
    if len(authority.requested) > waiting:
        return [f"{alias} is protected: the server decides at the next `regtui sync`"]
    return []


def _name(found: Scan, request: CaptureRequest) -> str:
    """Return the name of the model."""
    return slug(_stem(found)) if request.model is None else request.model


class Content(Struct, frozen=True):
    """Files that are in the store."""

    scan: Scan
    entries: list[FileEntry]

    @property
    def names(self) -> dict[str, list[str]]:
        """Paths by digest; a file captured alone has its own name."""
        names: dict[str, list[str]] = {}
        for entry in self.entries:
            names.setdefault(entry.digest, []).append(entry.path or self.scan.root.resolve().name)
        return names


class Stored(Struct, frozen=True):
    """Files that are in the store, to be registered.

    Attributes:
        content: The files.
        request: What is known of them.
        layouts: Those that were made of new files, by digest.
    """

    content: Content
    request: CaptureRequest
    layouts: "dict[str, Layout]"

    @property
    def looks_up(self) -> bool:
        """Whether other versions are looked up to register it."""
        return bool(self.request.parents or self.request.hints or self.request.copies)


def _refuse_own_files(home: Path, path: Path) -> None:
    """Refuse to capture the registry into itself."""
    home, path = home.resolve(), path.resolve()
    own = (home / "objects", home / "tmp", home / "backups", home / "pins")
    if path == home or any(path.is_relative_to(folder) for folder in own):
        raise BadInput(f"{path} belongs to the registry itself", "capture a copy of it")


def _stem(found: Scan) -> str:
    resolved = found.root.resolve()
    return (resolved.stem if found.single else resolved.name) or "model"


def _begin(authority: SoloAuthority, key: str, alias: str | None) -> None:
    """Let the operations of a capture be one intent, where there may be several."""
    holder = authority.view.holder(key)
    if alias is not None or holder is None or holder.value("state") == "archived":
        authority.begin_group()


def _model(authority: SoloAuthority, name: str, key: str, request: CaptureRequest) -> str:
    """Return the id of the model with a name, made where there is none."""
    holder = authority.view.holder(key)
    if holder is not None:
        if holder.value("state") == "archived":  # what is captured has to be seen
            made = changes({"state": "active"}, "model", holder)
            authority.submit("model.restore", holder.id, holder.id, StateBody(holder.by, made))
        return holder.id
    wanted: Wanted = {}
    if request.primary is not None:
        metric, direction = request.primary
        wanted = {"primary_metric": metric, "direction": direction}
    return submit_creation(authority, name, wanted)


def _register(authority: SoloAuthority, model: str, stored: "Stored") -> tuple[str, bool, bool]:
    """Submit the capture where it says anything new.

    Returns:
        The version, whether it is new, and whether anything was submitted.
    """
    content, request = stored.content, stored.request
    digest = content_digest(content.entries)
    nonce = uuid7(wall_clock()) if request.new else ""
    version = version_id(model, digest, nonce)
    seen = authority.view.document(version)
    if seen is not None and not request.restore and seen.value("state") != "captured":
        return version, False, False
    wanted = _wanted(authority, stored, version)
    if seen is not None:
        known = seen.entries("places")
        wanted = {p: v for p, v in wanted.items() if p.removeprefix("places/") not in known}
        wanted |= {"state": "captured"}
    made = changes(wanted, "version", seen)
    changed = seen is None or bool(made)
    if changed:
        body = CaptureBody(
            digest=digest,
            nonce=nonce,
            size=sum(entry.size for entry in content.entries),
            files=len(content.entries),
            set=made,
        )
        authority.submit("version.capture", model, version, body)
    if seen is None:
        authority.add_files(version, content.entries)
    return version, seen is None, changed


def _take_back(authority: SoloAuthority, version: str) -> bool:
    """Let a version have its files again that were released; one that stays archived has not."""
    document = authority.view.document(version)
    if document is None or document.value("state") != "captured":
        return False
    return forget_released(authority.connection, authority.view.keys[version])


def _wanted(authority: SoloAuthority, stored: "Stored", version: str) -> Wanted:
    content, request = stored.content, stored.request
    wanted: dict[str, Any] = {}
    for name, (value, step) in request.metrics.items():
        wanted[f"metrics/{name}"] = {"value": value, "step": step}
    wanted |= {f"params/{name}": value for name, value in request.params.items()}
    wanted |= {f"tags/{name}": value for name, value in request.tags.items()}
    for name, uri in request.inputs.items():
        wanted[f"inputs/{name}"] = input_value(authority.connection, name, uri)
    for reference in request.parents:
        _, parent = find_version(authority.connection, reference)
        wanted[f"parents/{parent.id}"] = True
    if request.description is not None:
        wanted["description"] = request.description
    if request.series:
        from regtui.registry.series import keep_series

        wanted |= keep_series(authority.connection, request.series, request.run)
    root = content.scan.root.resolve()
    wanted |= {f"parents/{one}": True for one in _kin(authority, stored, root, version)}
    wanted |= place_values(authority, root, request)
    for label in request.labels:  # which may be links, to be kept by their own names
        wanted |= place_values(authority, label.parent.resolve() / label.name, request)
    return wanted


def _kin(authority: SoloAuthority, stored: "Stored", root: Path, version: str) -> list[str]:
    """Return the parents that the trainer tells, else the one whose tensors it shares."""
    request = stored.request
    found: list[str] = []
    if request.hints or request.copies:
        from regtui.capture.findings import ParentHint
        from regtui.registry.kinship import hinted_parents

        entries = stored.content.entries
        digests = [entry.digest for entry in entries if entry.path in request.copies]
        copies = (ParentHint(digest, "equal-tensors") for digest in digests)
        found = hinted_parents(
            authority.connection, (*request.hints, *copies), folder=str(root.parent), own=version
        )
    said = request.hints or request.parents
    if not found and not said and request.run_folder is not None:
        from regtui.registry.kinship import parent_by_tensors
        from regtui.replica.layouts import kept_layouts, read_layouts

        rest = [e.digest for e in stored.content.entries if e.digest not in stored.layouts]
        known = kept_layouts(authority.connection, rest)
        layouts = [*stored.layouts.values(), *read_layouts(authority.connection, known).values()]
        tensors = {
            digest: tensor.size
            for layout in layouts
            for tensor, digest in layout.tensors
            if digest is not None
        }
        outside = str(request.run_folder.resolve())
        one = parent_by_tensors(authority.connection, tensors, outside=outside, own=version)
        found = [] if one is None else [one]
    return found


def place_values(authority: SoloAuthority, root: Path, request: CaptureRequest) -> Wanted:
    """Return where content was found, with what is known of its run, as a value by its path.

    Args:
        authority: Of the unit of work that sets it.
        root: The file or folder.
        request: What is known of it.

    Raises:
        BadInput: The path is not valid UTF-8.
    """
    place: dict[str, Any] = {
        "host": platform.node(), "folder": str(root.parent), "name": root.name
    }  # fmt: skip
    try:
        key = encoding.digest(encoding.encode(place))[:16]
    except UnicodeEncodeError:
        raise BadInput(f"the path {str(root)!r} is not valid UTF-8", "rename the folder") from None
    place |= {"at": wall_clock(), "author": authority.actor.id}
    if request.run is not None:
        place["run"] = request.run
    if request.run_context is not None:
        from regtui.registry.run_contexts import keep_run_context

        place["context"] = keep_run_context(authority.connection, request.run_context)
    return {f"places/{key}": place}


def answer_of(
    authority: SoloAuthority, version: str, model: str, alias: str | None = None
) -> VersionAnswer:
    """Return a version as it stands in a unit of work, for what was just done.

    Args:
        authority: Of the unit of work.
        version: Id of the version.
        model: Name of its model.
        alias: One that was just moved to it.

    Raises:
        NotFound: There is no such version.
    """
    document = authority.view.document(version)
    if document is None:
        raise NotFound("the version is not there")
    key = authority.view.keys.get(version, 0)
    aliases = aliases_by_version(authority.connection, [key]).get(key, {})
    return version_answer(
        document,
        model=model,
        author=actor_names(authority.connection, {document.facts["author"]}).get(
            document.facts["author"], authority.actor.name
        ),
        aliases={alias: False} | aliases if alias else aliases,
    )


def _check_known(context: Context, request: CaptureRequest) -> None:
    """Refuse values, parents and datasets that can't be kept before any file is copied."""
    plain(dict(request.params))
    plain(dict(request.tags))
    if request.parents or request.inputs:
        with context.reading() as connection:
            for reference in request.parents:
                find_version(connection, reference)
            for name, uri in request.inputs.items():
                input_value(connection, name, uri)
