"""Diff of content: files by path and digest, tensors by name.

Files that both versions hold need no comparing, so only the tensors of the others are matched: by
name over all of those files, since training moves tensors between shards. A name that one version
has twice stands with its file. Each side is one query, read in pages, and matched here: the same
join in the database needs more memory than a reader may use at 100,000 tensors.

Tensors are equal by digest. Without both digests, equal type and shape make them *unknown*.
"""

import functools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from regtui.core import encoding
from regtui.core.documents import Document, source_of
from regtui.core.errors import Damaged
from regtui.core.manifest import FileEntry, content_digest
from regtui.registry.answers_compare import FileDifference, TensorDifference
from regtui.registry.context import Context
from regtui.replica.database import Connection

if TYPE_CHECKING:
    from regtui.formats.layout import Layout


PAGE = 10_000
"""Rows that are read at once."""


class Listing(Struct, frozen=True):
    """The files of a version.

    Attributes:
        version: Its local key.
        files: By path, in the order of paths.
        digests: Of the files.
    """

    version: int
    files: dict[str, FileEntry]
    digests: frozenset[str]


def listing(connection: Connection, key: int, document: Document) -> Listing:
    """Return the files of a version.

    Raises:
        Damaged: The list is not the one that was captured.
    """
    rows = connection.execute(
        "select path, size, executable, lower(hex(digest)) from base.file "
        "where version = ? order by path",
        [key],
    ).fetchall()
    entries = [FileEntry(*row) for row in rows]
    if content_digest(entries) != document.facts["digest"]:
        raise Damaged(
            f"the list of files of version {document.id} is not the one that was captured",
            "restore the replica from a backup",
        )
    alone = (source_of(document) or "model").rpartition("/")[2]
    files = {entry.path or alone: entry for entry in entries}
    return Listing(key, files, frozenset(entry.digest for entry in entries))


def compare_files(before: Listing, after: Listing) -> FileDifference:
    """Return how two lists of files differ."""
    old, new = before.files, _renamed_as_before(before.files, after.files)
    common = sorted(old.keys() & new.keys())
    changed = [path for path in common if _facts(old[path]) != _facts(new[path])]
    added = sorted(new.keys() - old.keys())
    removed = sorted(old.keys() - new.keys())
    moved = _moved(old, new, added, removed)
    gone = {change["before"] for change in moved.values()}
    return FileDifference(
        changed={
            path: {"before": _facts(old[path]), "after": _facts(new[path])} for path in changed
        },
        added={path: _facts(new[path]) for path in added if path not in moved},
        removed={path: _facts(old[path]) for path in removed if path not in gone},
        moved=moved,
        same=len(common) - len(changed),
    )


def compare_tensors(context: Context, before: Listing, after: Listing) -> TensorDifference:
    """Return how the tensors in the files of two versions differ."""
    common = before.digests & after.digests
    paths = [_paths(one, common) for one in (before, after)]
    computed: dict[str, Layout] = {}
    if any(paths):
        from regtui.registry.layouts import make_missing

        computed = make_missing(context, paths[0].keys() | paths[1].keys())
    with context.reading() as connection:
        sides = [_table(connection, one, computed) for one in paths]
        stored = [digest for one in paths for digest in one if digest not in computed]
        whole = connection.execute(_WHOLE, [sorted(common), stored]).fetchone() or (0, 0)
    facts = [layout.facts for layout in computed.values()]
    cut = any(one.cut or one.safety == "unread" for one in facts)
    names = _repeated(sides)
    old, new = (_by_name(rows, names) for rows in sides)
    return _difference(old, new, same=whole[0], partial=bool(whole[1]) or cut)


class _Tensor(Struct, frozen=True):
    """One tensor: its file, its place and name there, and what is compared."""

    path: str
    position: int
    name: str
    dtype: str
    shape: str
    size: int
    digest: bytes | None

    @property
    def shown(self) -> dict[str, Any]:
        return {
            "dtype": self.dtype,
            "shape": _shape(self.shape),
            "size": self.size,
            "digest": None if self.digest is None else self.digest.hex(),
        }


@functools.cache
def _shape(text: str) -> list[int]:
    found: list[int] = msgspec.json.decode(text)
    return found


_KEYS = """
    select key, lower(hex(digest)) from base.layout
     where digest in (select unhex(unnest(?::varchar[])))
"""
_TENSORS = """
    select layout, position, name, dtype, shape, size, digest from base.tensor
     where layout in (select unnest(?::bigint[]))
"""
# How many tensors the files have that both versions hold, and whether some table is not whole.
_WHOLE = """
    select (select count(*)
              from base.tensor t
              join base.layout y on y.key = t.layout
             where y.digest in (select unhex(unnest(?::varchar[])))),
           (select count(*)
              from base.layout y
             where y.digest in (select unhex(unnest(?::varchar[])))
               and (y.facts ->> '$.cut' = 'true'
                    or (y.safety = 'unread' and y.format <> 'unknown')))
"""


def _table(
    connection: Connection, paths: dict[str, str], computed: "Mapping[str, Layout]"
) -> list[_Tensor]:
    """Return the tensors of files, given as path by digest."""
    stored = [digest for digest in paths if digest not in computed]
    files = {key: paths[digest] for key, digest in connection.execute(_KEYS, [stored]).fetchall()}
    result = connection.execute(_TENSORS, [list(files)])
    rows: list[_Tensor] = []
    words: dict[str, str] = {}  # types and shapes come again and again
    while page := result.fetchmany(PAGE):
        rows += [
            _Tensor(
                files[key],
                position,
                name,
                words.setdefault(dtype, dtype),
                words.setdefault(shape, shape),
                size,
                digest,
            )
            for key, position, name, dtype, shape, size, digest in page
        ]
    for digest in paths.keys() & computed.keys():
        rows += _computed(paths[digest], computed[digest])
    return rows


def _computed(path: str, layout: "Layout") -> Iterable[_Tensor]:
    """Return the tensors of a layout that could not be kept."""
    for position, (tensor, found) in enumerate(layout.tensors):
        shape = encoding.encode(tensor.shape).decode()
        digest = None if found is None else bytes.fromhex(found)
        name, dtype = _word(tensor.name), _word(tensor.dtype)
        yield _Tensor(path, position, name, dtype, shape, tensor.size, digest)


def _repeated(sides: Iterable[list[_Tensor]]) -> set[str]:
    """Return the names that some version has more than once."""
    counts = [Counter(row.name for row in rows) for rows in sides]
    return {name for count in counts for name, times in count.items() if times > 1}


def _by_name(rows: list[_Tensor], repeated: set[str]) -> dict[str, _Tensor]:
    """Return tensors by name; repeated ones stand with their file, the nth with its number."""
    found = {row.name: row for row in rows if row.name not in repeated}
    seen: Counter[str] = Counter()
    again = [row for row in rows if row.name in repeated]
    for row in sorted(again, key=lambda one: (one.path, one.position)):
        name = f"{row.path}: {row.name}"
        seen[name] += 1
        found[name if seen[name] == 1 else f"{name} #{seen[name]}"] = row
    return found


def _difference(
    old: dict[str, _Tensor], new: dict[str, _Tensor], *, same: int, partial: bool
) -> TensorDifference:
    pairs: dict[str, dict[str, Any]] = {"changed": {}, "unknown": {}}
    for name in sorted(old.keys() & new.keys()):
        verdict = _compared(old[name], new[name])
        if verdict == "same":
            same += 1
        else:
            pairs[verdict][name] = {"before": old[name].shown, "after": new[name].shown}
    return TensorDifference(
        changed=pairs["changed"],
        unknown=pairs["unknown"],
        added={name: new[name].shown for name in sorted(new.keys() - old.keys())},
        removed={name: old[name].shown for name in sorted(old.keys() - new.keys())},
        same=same,
        partial=partial,
    )


def _compared(before: _Tensor, after: _Tensor) -> str:
    if (before.dtype, before.shape) != (after.dtype, after.shape):
        return "changed"
    if before.digest is None or after.digest is None:
        return "unknown"
    return "same" if before.digest == after.digest else "changed"


def _paths(listing: Listing, common: frozenset[str]) -> dict[str, str]:
    """Return one path by digest, of the files that the other version does not have."""
    return {
        entry.digest: path for path, entry in listing.files.items() if entry.digest not in common
    }


def _word(text: str) -> str:
    """Return a text that UTF-8 can spell, as the kept tables have it."""
    return text.encode(errors="backslashreplace").decode()


def _facts(entry: FileEntry) -> dict[str, Any]:
    return {"size": entry.size, "digest": entry.digest, "executable": entry.executable}


def _moved(
    before: dict[str, FileEntry],
    after: dict[str, FileEntry],
    added: list[str],
    removed: list[str],
) -> dict[str, dict[str, Any]]:
    """Pair files that left one path and came to another, in the order of paths."""
    gone: dict[str, list[str]] = defaultdict(list)
    for path in reversed(removed):
        gone[before[path].digest].append(path)
    moved: dict[str, dict[str, Any]] = {}
    for path in added:
        entry = after[path]
        if gone[entry.digest]:
            old = gone[entry.digest].pop()
            moved[path] = {"before": old, "after": path, "size": entry.size, "digest": entry.digest}
    return moved


def _renamed_as_before(
    before: dict[str, FileEntry], after: dict[str, FileEntry]
) -> dict[str, FileEntry]:
    """Name a single file as it was named before: its own name is no part of its version."""
    if [one.path for one in before.values()] == [one.path for one in after.values()] == [""]:
        return dict(zip(before, after.values(), strict=True))
    return after
