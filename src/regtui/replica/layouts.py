"""Layouts in the replica: what is known of each stored file, by its digest.

The rows can be made again at any time, so there is one rule only: a digest has at most one row in
`base.layout`, and rows of tensors and pieces belong to it. Rows are read and written set-based.
Look-ups go by `short`, the leading 60 bits of the digest, which is a number and indexed, and then
by the whole digest.

Keys are those of `base.layout` alone. What a file says of itself is kept in a spelling that JSON
and UTF-8 have: figures that are none as `"NaN"` and the like, stray surrogates with backslashes.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from regtui.core import encoding
from regtui.formats.layout import Layout
from regtui.formats.values import Facts, Safety, Tensor, Value
from regtui.replica.database import Connection
from regtui.replica.tables import PAGE, delete, insert

T = TypeVar("T")

_LARGEST = 2**63 - 1
_FEW = 50  # so many are found through the index; more by one pass over a column of numbers

_WANTED = """
    with wanted as (
        select cast(r[1] as bigint) as short, unhex(r[2]) as digest
          from (select unnest(from_json(?, '[["varchar"]]')) as r)
    ),
    kept as (
        select y.* from base.layout y join wanted w on y.short = w.short and y.digest = w.digest
    )
"""
_LAYOUTS = "select key, lower(hex(digest)), reader, format, safety, tensors, facts from "
_TENSORS = """
    select layout, name, dtype, shape, size, lower(hex(digest)) from base.tensor
     where layout in (select unnest(?::bigint[])) order by layout, position
"""
_PIECES = """
    select layout, "offset", size, lower(hex(digest)) from base.piece
     where layout in (select unnest(?::bigint[])) order by layout, "offset"
"""


class _Words(msgspec.Struct):
    """The text in `base.layout.facts`."""

    complete: bool | None
    cut: bool
    globals: tuple[str, ...]
    metadata: dict[str, Value]
    problem: str | None
    suffixes: tuple[str, ...] = ()


class Kept(msgspec.Struct, frozen=True):
    """The row of one layout.

    Attributes:
        key: Local key.
        reader: Version of the readers that made it.
        format: Format of the file.
        safety: Verdict.
        tensors: How many it has.
        text: The rest of the facts, encoded.
    """

    key: int
    reader: int
    format: str
    safety: Safety
    tensors: int
    text: str

    @property
    def facts(self) -> Facts:
        """The facts, without tensors."""
        words = _decoder.decode(self.text)
        return Facts(
            format=self.format,
            safety=self.safety,
            complete=words.complete,
            globals=words.globals,
            metadata=words.metadata,
            problem=words.problem,
            cut=words.cut,
        )

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes under which the file was read."""
        return _decoder.decode(self.text).suffixes


_decoder = msgspec.json.Decoder(_Words)


def short(digest: str) -> int:
    """Return the leading 60 bits of a digest given as hex digits."""
    return int(digest[:15], 16)


def kept_layouts(connection: Connection, digests: Collection[str]) -> dict[str, Kept]:
    """Return the rows that are there, by digest."""
    return {
        row[1]: Kept(row[0], *row[2:])
        for page in _pages(list(digests))
        for row in _layout_rows(connection, page)
    }


def read_layouts(connection: Connection, kept: Mapping[str, Kept]) -> dict[str, Layout]:
    """Return whole layouts for rows of `kept_layouts`; their tensors have no offsets."""
    tensors: dict[int, list[tuple[Tensor, str | None]]] = {row.key: [] for row in kept.values()}
    pieces: dict[int, list[tuple[int, int, str]]] = {row.key: [] for row in kept.values()}
    for keys in _pages(list(tensors)):
        for key, name, dtype, shape, size, digest in _fetched(connection, _TENSORS, keys):
            tensor = Tensor(name, dtype, shape_of(shape), size=size)
            tensors[key].append((tensor, digest))
        for key, offset, size, digest in _fetched(connection, _PIECES, keys):
            pieces[key].append((offset, size, digest))
    return {
        digest: Layout(row.facts, tuple(tensors[row.key]), tuple(pieces[row.key]), row.suffixes)
        for digest, row in kept.items()
    }


def write_layouts(
    connection: Connection,
    layouts: Mapping[str, Layout],
    reader: int,
    *,
    replacing: Mapping[str, Kept] | None = None,
) -> None:
    """Keep layouts in place of those that are there; the caller has begun a transaction.

    Args:
        connection: Open for writing.
        layouts: By digest.
        reader: Version of the readers that made them.
        replacing: The rows of these digests in this transaction; None looks them up.
    """
    if not layouts:
        return
    kept = kept_layouts(connection, layouts.keys()) if replacing is None else replacing
    stale = [row.key for digest, row in kept.items() if digest in layouts]
    for table in ("layout", "tensor", "piece"):
        for page in _pages(stale):
            delete(connection, table, page)
    row = connection.execute("select coalesce(max(key), 0) from base.layout").fetchone()
    first = 1 if row is None else int(row[0]) + 1
    numbered = list(enumerate(layouts.items(), first))
    insert(connection, "layout", [_layout_row(k, d, one, reader) for k, (d, one) in numbered])
    insert(connection, "tensor", [row for k, (_, one) in numbered for row in _tensor_rows(k, one)])
    insert(connection, "piece", [(k, *piece) for k, (_, one) in numbered for piece in one.pieces])


def shape_of(text: str) -> tuple[int, ...]:
    """Return the shape that stands in `base.tensor.shape`."""
    return _shapes.decode(text)


def _pages(found: list[T]) -> Iterator[list[T]]:
    """Yield parts that fit the memory of the database several times over."""
    for start in range(0, len(found), PAGE):
        yield found[start : start + PAGE]


def _layout_rows(connection: Connection, digests: list[str]) -> list[tuple[Any, ...]]:
    if len(digests) <= _FEW:
        numbers = ", ".join(str(short(digest)) for digest in digests)
        found = f"base.layout where short in ({numbers or 'null'})"
        rows = connection.execute(_LAYOUTS + found).fetchall()
        return [row for row in rows if row[1] in digests]
    wanted = encoding.encode([[str(short(digest)), digest] for digest in digests]).decode()
    return connection.execute(_WANTED + _LAYOUTS + "kept", [wanted]).fetchall()


def _fetched(connection: Connection, statement: str, keys: list[int]) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a statement, which may be more than fit the memory at once."""
    cursor = connection.execute(statement, [keys])
    while rows := cursor.fetchmany(PAGE):
        yield from rows


_shapes = msgspec.json.Decoder(tuple[int, ...])


def _layout_row(key: int, digest: str, layout: Layout, reader: int) -> tuple[Any, ...]:
    facts = layout.facts
    words = _Words(
        complete=facts.complete,
        cut=facts.cut,
        globals=tuple(_words(facts.globals)),
        metadata={_word(name): _value(value) for name, value in facts.metadata.items()},
        problem=None if facts.problem is None else _word(facts.problem),
        suffixes=tuple(_words(layout.suffixes)),
    )
    text = encoding.encode(words).decode()
    return (
        key, short(digest), digest, reader, facts.format, facts.safety, len(layout.tensors), text
    )  # fmt: skip


def _tensor_rows(key: int, layout: Layout) -> Iterable[tuple[Any, ...]]:
    for position, (tensor, digest) in enumerate(layout.tensors):
        shape = encoding.encode(tensor.shape).decode()
        size = min(max(tensor.size, 0), _LARGEST)
        yield key, position, _word(tensor.name), _word(tensor.dtype), shape, size, digest


def _words(texts: Iterable[str]) -> Iterable[str]:
    return (_word(text) for text in texts)


def _word(text: str) -> str:
    """Return a text that UTF-8 can spell."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _value(value: Value) -> Value:
    if isinstance(value, str):
        return _word(value)
    return encoding.tag_float(value) if isinstance(value, float) else value
