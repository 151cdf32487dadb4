"""Multiplying a registry: the same story, told in several worlds that take turns.

Judging a million operations takes a quarter of an hour, so a block of them is judged and copied.
Each *world* has the story of the block with models of other names and therefore other ids
everywhere; the worlds alternate, a page of operations each, so that models and versions are mixed
as they are in one large registry:

    block   page 0          page 1          …
    copies  0⁰  0¹  0²  …   1⁰  1¹  1²  …   (worlds in superscript)

Local keys and sequence numbers move with their pages; times are squeezed, so that all worlds fill
the time of the block. Ids, times and names are replaced in the text of operations, documents and
verdicts; the chains over them are computed anew; typed rows that hold any of these come from the
real projection. All other rows differ in their keys alone and are multiplied by SQL.

What is not kept: the digest, in a verdict, of a document that a later operation changed once more
(it is one of nothing). The worlds share their metrics, params and files.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from blake3 import blake3

from regtui.core import chain, encoding
from regtui.core.documents import Document, decode_document
from regtui.core.identity import alias_id, model_id, name_key, version_id
from regtui.replica.database import Connection, connected
from regtui.replica.home import Home
from regtui.replica.ids import uuid7
from regtui.replica.keys import load_key
from regtui.replica.projection import project
from regtui.replica.tables import COLUMNS, Row, insert

PAGE = 500
"""Keys or sequence numbers that stay together."""

_VARIABLE = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # an id
    r"|(?<=\":)1[67][0-9]{14}\b"  # a time in microseconds
    r"|\"seq\":[0-9]+"
    r"|[a-z]+/[a-z]+/[a-z]+-[0-9]+)"  # a model's name
)
_DIGEST = re.compile(r'"([0-9a-f-]{36})":"([0-9a-f]{64})"')
_PLACE = re.compile(r'"n":[0-9]+,"prev":"[0-9a-f]{32}"')

_PROJECTED = {
    "model": ("model", "tag"),
    "version": ("version", "parent", "input"),
    "alias": ("alias", "holder"),
}
"""The typed tables whose rows hold ids, times or names, by kind of document."""

_COPIED = ("metric", "param", "tag", "file")
"""The others; their first column is the key of a version."""


def multiply(block: Path, home: Path, worlds: int) -> None:
    """Make a registry that tells the story of a block in so many worlds.

    Args:
        block: Home of the registry to copy; documents of models, versions and aliases only.
        home: Folder of the new one, which must not hold one yet.
        worlds: How many.
    """
    target = Home(home)
    target.make_folder()
    target.make_database(0)
    with connected(target.database, read_only=False) as connection:
        source = str(Home(block).database).replace("'", "''")
        connection.execute(f"attach '{source}' as block (read_only)")
        connection.execute("begin")
        _Copying(connection, worlds).run()
        _sign(connection, home)
        connection.execute("commit")


def _sign(connection: Connection, home: Path) -> None:
    """Sign the end of the history, without which the next change would not be signed either."""
    row = connection.execute(
        "select registry::varchar, id::varchar, n, tip, seq, link from base.replica"
    ).fetchone()
    registry, replica, n, tip, seq, last = row or ()
    key = load_key(replica, home)
    if key is None:
        raise RuntimeError(f"the key of {home} is not here")
    statement = chain.statement(registry, replica, n=n, prev=tip, seq=seq, last=last)
    insert(connection, "signature", [(seq, replica, n, key.sign(statement).hex())])


class _Pages:
    """How numbers from 1 on move when pages of all worlds alternate."""

    def __init__(self, worlds: int, total: int) -> None:
        self.worlds = worlds
        self.total = total

    def moved(self, number: int, world: int) -> int:
        """Return what a number becomes in a world."""
        page, place = divmod(number - 1, PAGE)
        width = min(PAGE, self.total - page * PAGE)  # the last page may be short
        return page * PAGE * self.worlds + world * width + place + 1

    def sql(self, number: str) -> str:
        """Return the same in SQL, for the world `k`."""
        page = f"(({number} - 1) // {PAGE})"
        width = f"least({PAGE}, {self.total} - {page} * {PAGE})"
        return f"{page} * {PAGE * self.worlds} + k * {width} + ({number} - 1) % {PAGE} + 1"


class _Times:
    """How times move: the worlds share the time of each page of operations."""

    def __init__(self, worlds: int, seconds: list[int]) -> None:
        self._worlds = worlds
        self._spans: dict[int, tuple[int, int]] = {}
        pages = [seconds[i : i + PAGE] for i in range(0, len(seconds), PAGE)]
        ends = [page[0] for page in pages[1:]] + [seconds[-1] + PAGE * 1_000]
        for page, end in zip(pages, ends, strict=True):
            self._spans |= dict.fromkeys(page, (page[0], end))

    def moved(self, at: int, world: int) -> int:
        """Return the time of an operation in a world."""
        start, end = self._spans[at]
        return start + (end - start) * world // self._worlds + (at - start) // self._worlds


Template = list[str]
"""A text cut apart: every second part is an id, a time or a name."""


def _template(text: str) -> Template:
    return _VARIABLE.split(text)


class _World:
    """One telling: what each id, time and name of the block is called here."""

    def __init__(self, number: int, seqs: _Pages, times: _Times) -> None:
        self.number = number
        self.words: dict[str, str] = {}
        self._seqs = seqs
        self._times = times

    def tell(self, template: Template) -> str:
        """Return a text with the ids, times and names of this world."""
        told = template.copy()
        told[1::2] = [self._replace(word) for word in template[1::2]]
        return "".join(told)

    def _replace(self, text: str) -> str:
        if text[0] == '"':
            return f'"seq":{self._seqs.moved(int(text[6:]), self.number)}'
        if text.isdigit():
            return str(self._times.moved(int(text), self.number))
        return self.words.get(text, text)


class _Copying:
    """The work, table by table, inside one transaction.

    Args:
        connection: To the new database, with the old one attached as `block`.
        worlds: How many.
    """

    def __init__(self, connection: Connection, worlds: int) -> None:
        self._connection = connection
        self._count = worlds
        stamps = self._all("select verdict ->> '$.now' from block.base.operation order by seq")
        (last, self._old_replica) = self._all(
            "select next_key - 1, id::varchar from block.base.replica"
        )[0]
        self._seqs = _Pages(worlds, len(stamps))
        self._keys = _Pages(worlds, last)
        times = _Times(worlds, [int(now) for (now,) in stamps])
        self._times = times
        self._worlds = [_World(number, self._seqs, times) for number in range(worlds)]
        # By new id, both:
        self._key_of: dict[str, int] = {}
        self._final: dict[str, tuple[str, str]] = {}

    def run(self) -> None:
        """Write everything."""
        self._name()
        self._copy_actors()
        self._copy_documents()
        self._copy_typed()
        self._copy_log()
        self._copy_operations()

    def _name(self) -> None:
        """Give everything its id in each world."""
        (replica,) = self._all("select id::varchar from base.replica")[0]
        for world in self._worlds:
            world.words[self._old_replica] = replica
        self._name_operations()
        self._name_models()
        self._name_derived("version", "digest", version_id)
        self._name_derived("alias", "name", alias_id)
        self._keep_keys("select key, id::varchar from block.base.model")
        self._keep_keys(
            "select key, id::varchar from block.base.version "
            "where key in (select version from block.base.holder)"
        )

    def _name_operations(self) -> None:
        for identity, now in self._all(
            "select id::varchar, verdict ->> '$.now' from block.base.operation"
        ):
            for world in self._worlds:
                world.words[identity] = uuid7(self._times.moved(int(now), world.number))

    def _name_models(self) -> None:
        models = self._all("select id::varchar, name from block.base.model")
        for identity, name in models:
            stem, _, number = name.rpartition("-")
            for world in self._worlds:
                renamed = f"{stem}-{int(number) + world.number * len(models)}"
                world.words[name] = renamed
                world.words[identity] = model_id(name_key(renamed), 0)

    def _name_derived(self, table: str, column: str, derive: Callable[[str, str], str]) -> None:
        """Name what has its id from its model and one column."""
        for identity, model, part in self._all(
            f"select d.id::varchar, m.id::varchar, t.{column} from block.base.{table} t "
            "join block.base.document d on d.key = t.key "
            "join block.base.model m on m.key = t.model"
        ):
            for world in self._worlds:
                world.words[identity] = derive(world.words[model], part)

    def _keep_keys(self, statement: str) -> None:
        """Keep the new keys of documents that others refer to."""
        for key, identity in self._all(statement):
            for world in self._worlds:
                self._key_of[world.words[identity]] = self._keys.moved(key, world.number)

    def _copy_actors(self) -> None:
        rows = self._all("select key, id::varchar, name from block.base.actor order by key")
        moved = [(self._keys.moved(key, 0), identity, name) for key, identity, name in rows]
        self._key_of |= {identity: key for key, identity, _ in moved}
        insert(self._connection, "actor", moved)

    def _copy_documents(self) -> None:
        for page in self._pages("select key, stream, body from block.base.document order by key"):
            rows: dict[str, list[Row]] = {}
            cut = [(key, stream, _template(body)) for key, stream, body in page]
            for world in self._worlds:
                for key, stream, body in cut:
                    self._document(world, key, stream, body, rows)
            for table, some in rows.items():
                insert(self._connection, table, some)

    def _document(
        self, world: _World, key: int, stream: int, body: Template, rows: dict[str, list[Row]]
    ) -> None:
        text = world.tell(body)
        document: Document = decode_document(text)
        self._final[document.id] = (document.by, encoding.digest(text.encode()))
        here = self._keys.moved(key, world.number)
        beside = self._keys.moved(stream, world.number)
        row = (here, document.id, document.kind, beside, document.seq, text)
        rows.setdefault("document", []).append(row)
        tables = _PROJECTED[document.kind]
        for table, some in project(here, document, self._key_of.__getitem__, tables).items():
            rows.setdefault(table, []).extend(some)

    def _copy_typed(self) -> None:
        for table in _COPIED:
            key, *others = COLUMNS[table]
            rest = ", ".join(others)
            # The tags of models are projected.
            of_versions = f"where {key} in (select key from block.base.version)"
            self._connection.execute(
                f"insert into base.{table} select {self._keys.sql(key)} as moved, {rest} "
                f"from block.base.{table}, range({self._count}) world(k) {of_versions} "
                f"order by moved, {table}.rowid"
            )

    def _copy_log(self) -> None:
        for page in self._pages(
            "select l.seq, l.entity, l.actor, l.via, l.kind, l.operation::varchar, "
            "'\":' || (o.verdict ->> '$.now'), l.path, l.before, l.after, l.result "
            "from block.base.log l join block.base.operation o on o.seq = l.seq order by l.seq"
        ):
            cut = [[text and _template(text) for text in row[5:10]] for row in page]
            rows: list[Row] = []
            for world in self._worlds:
                for (seq, entity, actor, via, kind, *_, result), templates in zip(
                    page, cut, strict=True
                ):
                    operation, now, *texts = [
                        template and world.tell(template) for template in templates
                    ]
                    rows.append(
                        (
                            self._seqs.moved(seq, world.number),
                            operation,
                            self._keys.moved(actor, 0),
                            via,
                            int(str(now)[2:]) // 1000,  # as it stands in a document
                            self._keys.moved(entity, world.number),
                            kind,
                            *texts,
                            result,
                            None,
                        )
                    )
            insert(self._connection, "log", rows)

    def _copy_operations(self) -> None:
        """Rewrite operations and verdicts and chain them anew."""
        tip, link, seq = chain.GENESIS, chain.FIRST_LINK, 0
        links: dict[int, tuple[int, int, bytes]] = {}
        for page in self._pages(
            "select seq, id::varchar, stream, bytes, verdict from block.base.operation order by seq"
        ):
            rows: list[Row] = []
            cut = [(*row, _template(data), _template(verdict)) for *row, data, verdict in page]
            for world in self._worlds:
                for _, identity, stream, data, verdict in cut:
                    seq += 1
                    text = _PLACE.sub(f'"n":{seq},"prev":"{tip}"', world.tell(data), count=1)
                    sealed = self._verdict(world, identity, verdict)
                    tip = chain.tip(text.encode())
                    link = chain.link(link, text.encode(), sealed.encode())
                    key = self._keys.moved(stream, world.number)
                    _, count, before = links.get(key, (0, 0, chain.FIRST_LINK))
                    beside = chain.link(before, text.encode(), sealed.encode())
                    links[key] = (seq, count + 1, beside)
                    new = world.words[identity]
                    rows.append((seq, new, key, text, sealed, link.hex(), beside.hex()))
            insert(self._connection, "operation", rows)
        (now,) = self._all("select clock_us from block.base.replica")[0]
        self._connection.execute(
            "update base.replica set n = ?, tip = ?, clock_us = ?, seq = ?, link = ?, next_key = ?",
            [seq, tip, now, seq, link, self._keys.total * self._count + 1],
        )
        streams = self._all("select key, id, last_number from block.base.stream order by key")
        told = [
            (self._keys.moved(key, world.number), world.words[identity], last)
            for world in self._worlds
            for key, identity, last in streams
        ]
        insert(
            self._connection,
            "stream",
            [
                (key, identity, links[key][0], links[key][1], links[key][2].hex(), last)
                for key, identity, last in sorted(told)
            ],
        )

    def _verdict(self, world: _World, operation: str, text: Template) -> str:
        new = world.words[operation]

        def digest(match: re.Match[str]) -> str:
            by, found = self._final[match[1]]
            if by != new:
                found = blake3(f"{match[2]} {world.number}".encode()).hexdigest()
            return f'"{match[1]}":"{found}"'

        return _DIGEST.sub(digest, world.tell(text))

    def _pages(self, statement: str) -> Iterator[list[Any]]:
        """Yield the rows of a block's table by pages of their first column."""
        rows = self._all(statement)
        for _, page in groupby(rows, key=lambda row: (row[0] - 1) // PAGE):
            yield list(page)

    def _all(self, statement: str) -> list[Any]:
        return self._connection.execute(statement).fetchall()
