"""Layouts: what is known of stored files beyond their bytes.

A capture keeps the layouts of the files that it stores. Those of older programs, or of a capture
that was killed between, are made when somebody asks, and kept if the replica can be written;
whoever asks never fails by it. Layouts are made outside of any unit of work, since a large file
takes seconds.

A file is read as what each of its names would be opened as. So a layout that was made before the
file got a name with another suffix is out of date as well. A suffix is never forgotten: a file that
is captured alone under another name is the same version, and only its layout knows of that name.

Call these functions outside of a unit of work of the same thread.
"""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress

from msgspec import Struct

from regtui.artifacts.layouts import checked_layout
from regtui.core.errors import RegtuiError
from regtui.formats.detect import READER
from regtui.formats.layout import Layout, suffix_of
from regtui.formats.values import Facts
from regtui.registry.context import Context
from regtui.replica.database import Connection
from regtui.replica.layouts import Kept, kept_layouts, read_layouts, write_layouts
from regtui.replica.tables import PAGE

_NAMES = """
    select lower(hex(f.digest)),
           list(distinct case when f.path <> '' then f.path
                              else coalesce(nullif(v.source, ''), 'model') end)
      from base.file f
      left join base.version v on v.key = f.version
     where f.digest in (select unhex(unnest(?::varchar[])))
     group by f.digest
"""


class Described(Struct, frozen=True):
    """The facts of a file, and how many tensors it has."""

    facts: Facts
    tensors: int


def layouts(context: Context, digests: Iterable[str]) -> dict[str, Layout]:
    """Return the layout of every stored file asked for; missing ones are made and kept.

    A file whose bytes are missing or damaged is `unread`, and `problem` says so. Tensors have no
    offsets.

    Args:
        context: The registry.
        digests: Of files.
    """
    asked = set(digests)
    with context.reading() as connection:
        kept = _current(kept_layouts(connection, asked))
        found = read_layouts(connection, kept)
    return found | _make(context, dict.fromkeys(asked - found.keys(), ()))


def describe(context: Context, files: Mapping[str, Collection[str]]) -> dict[str, Described]:
    """Return the facts of files, read as what their names would be opened as.

    Args:
        context: The registry.
        files: Names by digest.
    """
    kept = described(context, files)
    made = _make(context, {d: names for d, names in files.items() if d not in kept})
    return kept | {
        digest: Described(layout.facts, len(layout.tensors)) for digest, layout in made.items()
    }


def described(context: Context, files: Mapping[str, Collection[str]]) -> dict[str, Described]:
    """Return the facts of those files of which they are kept; none is read, whatever its size.

    Args:
        context: The registry.
        files: Names by digest.
    """
    with context.reading() as connection:
        kept = _current(kept_layouts(connection, files.keys()))
    return {
        digest: Described(row.facts, row.tensors)
        for digest, row in kept.items()
        if covers(row.suffixes, files[digest])
    }


def make_missing(context: Context, digests: Iterable[str]) -> dict[str, Layout]:
    """Make and keep layouts that are not there, and return those that could not be kept.

    Afterwards the tables have everything that can be known, but for what is returned.
    """
    asked = set(digests)
    with context.reading() as connection:
        missing = asked - _current(kept_layouts(connection, asked)).keys()
    made = _make(context, dict.fromkeys(missing, ()))
    if not made:
        return {}
    with context.reading() as connection:
        here = _current(kept_layouts(connection, made.keys()))
    return {digest: layout for digest, layout in made.items() if digest not in here}


def read_files(
    context: Context, files: Mapping[str, Iterable[str]]
) -> tuple[dict[str, Layout], dict[str, Layout]]:
    """Read files, and return what was made and what stands for those that can't be read.

    Args:
        context: The registry.
        files: Names by digest.
    """
    store = context.store
    done: dict[str, Layout] = {}
    failed: dict[str, Layout] = {}
    for digest, names in files.items():
        try:
            done[digest] = checked_layout(store.path_of(digest), names, digest)
        except RegtuiError as error:
            here = store.has(digest)
            problem = error.message if here else "its bytes are not here"
            failed[digest] = Layout(Facts("unknown", "unread", problem=problem))
    return done, failed


def all_names(connection: Connection, files: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Return names of files: given ones, those of versions, those that layouts know.

    Args:
        connection: Open.
        files: Names by digest.
    """
    here: dict[str, list[str]] = {}
    wanted = list(files)
    for start in range(0, len(wanted), PAGE):
        rows = connection.execute(_NAMES, [wanted[start : start + PAGE]]).fetchall()
        here |= dict(rows)
    kept = kept_layouts(connection, files.keys())
    names = {}
    for digest, given in files.items():
        known = [f"model{suffix}" for suffix in kept[digest].suffixes] if digest in kept else []
        names[digest] = [*known, *here.get(digest, []), *given] or ["model"]
    return names


def covers(suffixes: Iterable[str], names: Iterable[str]) -> bool:
    """Tell whether a layout made for these suffixes holds under these names."""
    return {suffix_of(name) for name in names} <= set(suffixes)


def is_current(kept: Kept) -> bool:
    """Tell whether present readers, or better ones, made a layout."""
    return kept.reader >= READER


def _current(kept: dict[str, Kept]) -> dict[str, Kept]:
    return {digest: row for digest, row in kept.items() if is_current(row)}


def _make(context: Context, files: Mapping[str, Collection[str]]) -> dict[str, Layout]:
    """Make layouts of files, with names to read them under, and keep what can be kept."""
    if not files:
        return {}
    with context.reading() as connection:
        names = all_names(connection, files)
    done, failed = read_files(context, names)
    if done:
        with suppress(RegtuiError), context.writing() as authority:
            write_layouts(authority.connection, done, READER)
    return done | failed
