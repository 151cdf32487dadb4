"""Files between here and the server: which versions' files travel, and what is known afterwards.

Metadata always syncs; files go by need. Up go those of the versions that were captured here
(`regtui.replica.unsent`); down come those that somebody asks for. Work is done in pages of versions
of one model, for the server keeps files by model, and each page is noted when it is done: whenever
it ends, doing it again does the rest.

Who may not write to a model offers no files of it, though he has some: they came from the server.
What was captured here stays noted, and is told, until he may again.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from regtui.artifacts.copying import Progress
from regtui.artifacts.garbage import all_there
from regtui.core.access import REQUIRED, has_role
from regtui.core.errors import BadInput, Denied, NotFound, RegtuiError
from regtui.core.identity import short_id
from regtui.core.manifest import FileEntry
from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context
from regtui.replica.file_lists import file_lists
from regtui.replica.remote import read_remote
from regtui.replica.unsent import forget_unsent
from regtui.sync.piece_calls import Api
from regtui.sync.transfer import Transferred, download, upload

ARTIFACTS = ("all", "aliased", "none")
"""Whose files travel: of all versions, of those that an alias names, of none."""

PAGE = 500
"""Versions of one page."""

_SHOWN = "m.display_name, v.number, v.id::varchar"
_FROM = """
  from base.version v
  join base.model m on m.key = v.model
  join base.document d on d.key = v.key
  join base.stream s on s.key = d.stream
"""
_ALIASED = "v.key in (select version from base.alias)"
_HERE = "v.key not in (select version from base.released)"
_UNSENT = "v.key in (select version from base.unsent)"
_SEND = {
    None: f"v.state <> 'deleted' and {_UNSENT}",
    "aliased": f"v.state <> 'deleted' and {_UNSENT} and {_ALIASED}",
    "all": f"v.state <> 'deleted' and v.number is not null and {_HERE}",
}
_ELSEWHERE = "v.key in (select version from base.released where since = 0)"
_FETCH = {
    "aliased": f"v.state = 'captured' and {_ELSEWHERE} and {_ALIASED}",
    "all": f"v.state = 'captured' and {_ELSEWHERE}",
}


class Moved(Struct):
    """What came of bringing files to the server or from it.

    Attributes:
        files: Files that went over the network.
        size: Their bytes.
        absent: References of versions of which files were not to be had.
        withheld: Those that were captured here and whose files may not be sent.
    """

    files: int = 0
    size: int = 0
    absent: list[str] = []
    withheld: list[str] = []

    def count(self, one: Transferred) -> None:
        """Add a transfer."""
        self.files += one.files
        self.size += one.size


class _Wanted(Struct, frozen=True):
    """A version whose files travel."""

    key: int
    id: str
    model: str
    reference: str


class _Files(Struct, frozen=True):
    """The files of a page of versions, by the version's id."""

    lists: dict[str, list[FileEntry]]

    @property
    def digests(self) -> list[str]:
        """All of them."""
        return sorted({entry.digest for entries in self.lists.values() for entry in entries})

    def of(self, one: _Wanted) -> list[FileEntry]:
        """Return those of one version."""
        return self.lists.get(one.id, [])


def check_artifacts(text: str | None) -> None:
    """Refuse what is none of `ARTIFACTS`.

    Raises:
        BadInput: It is none.
    """
    if text is not None and text not in ARTIFACTS:
        raise BadInput(f"artifacts can't be {text!r}", f"one of {', '.join(ARTIFACTS)}")


def send_files(
    context: Context, api: Api, artifacts: str | None, on_progress: Progress | None = None
) -> Moved:
    """Bring files to the server that it lacks.

    Args:
        context: The registry.
        api: The connection.
        artifacts: One of `ARTIFACTS`; None for those of versions that were captured here.
        on_progress: Is told how many more bytes are done.

    Raises:
        Unreachable: The server does not answer; what was done stays done.
        SignedOut: The token is not good any more.
        RegtuiError: A file can't be read.
    """
    from regtui.sync.transport import SignedOut

    moved = Moved()
    if artifacts == "none":
        return moved
    for stream, page in _pages(context, _SEND[artifacts]):
        if not _may_send(context, page):
            moved.withheld += _withheld(context, page)
            continue
        files = _files(context, page)
        try:
            done = upload(api, context.store, stream, files.digests, progress=_sized(on_progress))
        except SignedOut:
            raise
        except (Denied, NotFound):  # his rights changed meanwhile
            moved.withheld += _withheld(context, page)
            continue
        moved.count(done)
        absent = set(done.absent)
        whole = [one for one in page if absent.isdisjoint(e.digest for e in files.of(one))]
        moved.absent += [one.reference for one in page if one not in whole]
        with context.replica.changing() as connection:
            forget_unsent(connection, [one.key for one in whole])
    return moved


def _may_send(context: Context, page: Sequence[_Wanted]) -> bool:
    """Tell whether who acts may write to the model of a page, as far as is known here."""
    with context.reading() as connection:
        remote = read_remote(connection)
    return remote is not None and has_role(remote.actor, page[0].model, REQUIRED["version.capture"])


def _withheld(context: Context, page: Sequence[_Wanted]) -> list[str]:
    """Return the references of a page's versions that were captured here and can't be sent.

    Files that came from others, whom a server may ask for them again, wait for nothing here.
    """
    with context.replica.changing() as connection:
        remote = read_remote(connection)
        rows = connection.execute(
            "select u.version, a.id::varchar from base.unsent u "
            "join base.version v on v.key = u.version join base.actor a on a.key = v.author "
            "where u.version in (select unnest(?::bigint[]))",
            [[one.key for one in page]],
        ).fetchall()
        own = {key for key, author in rows if remote is not None and author == remote.user_id}
        forget_unsent(connection, [key for key, _ in rows if key not in own])
    return [one.reference for one in page if one.key in own]


def fetch_files(
    context: Context, api: Api, artifacts: str | None, on_progress: Progress | None = None
) -> Moved:
    """Bring files of captured versions from the server that are not here.

    Args:
        context: The registry.
        api: The connection.
        artifacts: One of `ARTIFACTS`; None for none.
        on_progress: Is told how many more bytes are done.

    Raises:
        Unreachable: The server does not answer; what was done stays done.
        RegtuiError: It refuses, or the disk is full.
    """
    moved = Moved()
    if artifacts not in _FETCH:
        return moved
    for stream, page in _pages(context, _FETCH[artifacts]):
        _fetch(context, api, stream, page, moved, on_progress)
    return moved


def fetch_version(
    context: Context, api: Api, answer: VersionAnswer, on_progress: Progress | None = None
) -> Moved:
    """Bring the files of one version from the server, also those that retention released here.

    Raises:
        NotFound: It is gone, or the server has not all of its files.
        Unreachable: The server does not answer.
        RegtuiError: It refuses, or the disk is full.
    """
    moved = Moved()
    with context.reading() as connection:
        row = connection.execute(
            f"select v.key, s.id {_FROM} where v.id = ?",
            [answer.id],
        ).fetchone()
    if row is None:
        raise NotFound(f"{answer.reference} is gone", "`regtui ls` lists versions")
    _fetch(
        context,
        api,
        row[1],
        [_Wanted(row[0], answer.id, answer.model, answer.reference)],
        moved,
        on_progress,
    )
    if moved.absent:
        raise NotFound(
            f"files of {answer.reference} are not on the server yet",
            f"{answer.author} has them: `regtui sync` there sends them, and here it tells whether "
            "you may still read them",
        )
    return moved


def _fetch(  # noqa: PLR0913, PLR0917 -- what, from where, and what came of it
    context: Context,
    api: Api,
    stream: str,
    page: Sequence[_Wanted],
    moved: Moved,
    on_progress: Progress | None,
) -> None:
    files = _files(context, page)
    moved.count(download(api, context.store, stream, files.digests, progress=_sized(on_progress)))
    here = [one for one in page if all_there(context.store, files.of(one))]
    moved.absent += [one.reference for one in page if one not in here]
    _note_here(context, [one.key for one in here])
    _read_layouts(context, {e.digest for one in here for e in files.of(one)})


def _note_here(context: Context, versions: list[int]) -> None:
    """Take away the mark that files are elsewhere, from everything with this content."""
    if not versions:
        return
    with context.replica.changing() as connection:
        connection.execute(
            "delete from base.released where version in ("
            "select o.key from base.version v join base.version o on o.digest = v.digest "
            "where v.key in (select unnest(?::bigint[]))) "
            # An archived one stays under its rule of retention.
            "and (since = 0 or version in (select key from base.version where state = 'captured'))",
            [versions],
        )


def _read_layouts(context: Context, digests: set[str]) -> None:
    """Read what is known of files beyond their bytes; whoever asks later does it otherwise."""
    from regtui.registry.layouts import make_missing

    with suppress(RegtuiError):
        make_missing(context, digests)


def _pages(context: Context, condition: str) -> Iterator[tuple[str, list[_Wanted]]]:
    """Yield versions by their streams, a page at a time."""
    with context.reading() as connection:
        rows: list[tuple[Any, ...]] = connection.execute(
            f"select s.id, v.key, m.name, {_SHOWN} {_FROM} where {condition} order by s.id, v.key"
        ).fetchall()
    found: list[_Wanted] = []
    last = ""
    for stream, key, name, model, number, identity in rows:
        if found and (stream != last or len(found) == PAGE):
            yield last, found
            found = []
        last = stream
        found.append(_Wanted(key, identity, name, f"{model}@{number or short_id(identity)}"))
    if found:
        yield last, found


def _files(context: Context, page: Sequence[_Wanted]) -> _Files:
    with context.reading() as connection:
        return _Files(file_lists(connection, [one.id for one in page]))


def _sized(progress: Progress | None) -> Any:
    return None if progress is None else lambda size, _files: progress(size)
