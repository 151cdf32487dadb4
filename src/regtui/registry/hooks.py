"""Hooks, run: each once for every operation that took effect here and that it is for.

The home keeps a *cursor*: up to which operation hooks were run. Whoever changes or syncs the
registry begins a run afterwards (`hooking.py`), outside of every lock and unit of work. One process
runs them at a time, holding a lock of its own; whoever finds it taken leaves, because the holder
looks again after letting go of it: what was committed before somebody found the lock taken is seen.

An operation counts when it was decided: what waits for a server has no number yet. The cursor moves
before each command is started. So a run that is killed never starts a command twice, and goes on
with the next one.

What a hook itself does to this registry runs no hooks: its calls are known by a variable in its
environment, and note the sessions that they write under.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from regtui.artifacts.faults import disk_errors
from regtui.core.errors import NotFound
from regtui.core.verdicts import Conflicted, LogRow
from regtui.registry.answers import iso
from regtui.registry.context import INSIDE_HOOK, Context
from regtui.registry.history import OperationAnswer, operation_answers
from regtui.registry.hook_process import Ran, run
from regtui.registry.hook_rules import Hook, HookAnswer, add, answer, named, trusted_hooks
from regtui.registry.hooking import FOLDER, SESSIONS
from regtui.replica.database import Connection
from regtui.replica.history import Wanted, accepted, between, operations, rows_of
from regtui.replica.remote import read_remote

PAGE = 500
"""Operations that are looked at in one unit of work."""

RECENT = 1_000
"""Operations that are remembered by id: a server that went back to a backup numbers them anew."""

LOG_BYTES = 1 << 20
"""Size at which the log begins anew; the part before it is kept once."""

_CURSOR, _LOG, _OLD, _LOCK = "cursor.json", "log.jsonl", "log.old.jsonl", "lock"
_OLDER = 100
"""Pages of operations that `test` looks through for one that a hook is for."""


class HookRun(Struct, frozen=True, kw_only=True):
    """One run of a hook.

    Attributes:
        hook: What it is called.
        at: When it was started.
        event: The events of its that happened.
        seq: Number of the operation.
        operation: Its id.
        summary: What it did.
        outcome: `done`, `failed`, `timeout` or `error`.
        code: Its exit code; None where it has none.
        seconds: How long it took.
        output: What it printed at last.
    """

    hook: str
    at: str
    event: list[str]
    seq: int
    operation: str
    summary: str
    outcome: str
    code: int | None
    seconds: float
    output: str


class _Cursor(Struct):
    """How far hooks were run.

    Attributes:
        registry: Id of the registry; another one's numbers mean nothing.
        seq: The last operation of which all hooks were begun.
        begun: Digests of the hooks that were begun for the operation after it.
        recent: Ids of operations that are done.
    """

    registry: str
    seq: int
    begun: list[str] = []
    recent: list[str] = []


class _Event(Struct, frozen=True):
    """An operation that took effect, and what it is called among events."""

    operation: OperationAnswer
    names: list[str]


def add_hook(context: Context, hook: Hook) -> HookAnswer:
    """Keep a hook: it is run for what is done from now on.

    Raises:
        BadInput: Something in it means nothing, or the file of hooks is malformed.
        RegtuiError: The home or the configuration folder can't be written.
    """
    context.replica.make()
    run_hooks(context)  # what was done before is no matter of the new one
    return answer(add(context.home, hook), trusted=True)


def run_hooks(context: Context) -> list[HookRun]:
    """Run hooks for what took effect since they were run last; return what was run.

    Where another process does it already, it does all of it.

    Raises:
        BadInput: The file of hooks is malformed.
        RegtuiError: The home can't be written.
    """
    done: list[HookRun] = []
    while True:
        with _alone(context.home) as is_alone:
            if not is_alone:
                return done
            done += _Drain(context).run()
        if not is_behind(context):
            return done


def is_behind(context: Context) -> bool:
    """Tell whether operations took effect here for which hooks were not run yet."""
    cursor = _read_cursor(context.home)
    with context.reading() as connection:
        registry, head, is_settled = _standing(connection)
    return is_settled and (cursor is None or cursor.registry != registry or cursor.seq != head)


def try_hook(context: Context, name: str, seq: int | None = None) -> HookRun:
    """Run a hook now, for the newest operation that it is for or for a given one.

    Neither the log nor what runs by itself is touched.

    Raises:
        NotFound: There is no such hook, or no such operation.
        BadInput: The name is that of several, or the file of hooks is malformed.
    """
    hook = named(context.home, name)
    found = _newest(context, hook) if seq is None else _one(context, seq)
    if found is None:
        what = "that it is for" if seq is None else f"#{seq}"
        raise NotFound(f"there is no operation {what}", "`regtui log` lists them")
    return _run(context, hook, found)


def hook_log(context: Context, *, limit: int = 50) -> list[HookRun]:
    """Return the last runs, newest first."""
    runs: list[HookRun] = []
    for name in (_OLD, _LOG):
        try:
            lines = (context.home / FOLDER / name).read_bytes().splitlines()
        except OSError:
            continue
        for line in lines:
            with contextlib.suppress(msgspec.DecodeError):  # cut short by a kill
                runs.append(msgspec.json.decode(line, type=HookRun))
    return runs[::-1][:limit]


class _Drain:
    """One walk over what took effect since the last one; whoever walks holds the lock."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._home = context.home
        self._hooks = trusted_hooks(context.home)
        self._inside = _sessions(context.home)

    def run(self) -> list[HookRun]:
        """Walk to the end; return what was run."""
        done: list[HookRun] = []
        with self._context.reading() as connection:
            registry, head, is_settled = _standing(connection)
        if not is_settled:
            return []
        cursor = _read_cursor(self._home)
        if cursor is None or cursor.registry != registry or not self._hooks:
            _write_cursor(self._home, _Cursor(registry, head))
            return []
        if cursor.seq > head:  # the server went back to a backup, and tells the rest again
            cursor.seq, cursor.begun = head, []
            _write_cursor(self._home, cursor)
        while cursor.seq < head:
            high = min(head, cursor.seq + PAGE)
            with self._context.reading() as connection:
                events = _events(connection, between(connection, Wanted(), cursor.seq, high))
            for event in events:
                done += self._serve(cursor, event)
            cursor.seq, cursor.begun = high, []
            _write_cursor(self._home, cursor)
        return done

    def _serve(self, cursor: _Cursor, event: _Event) -> Iterator[HookRun]:
        operation = event.operation
        if operation.seq != cursor.seq + 1:
            cursor.seq, cursor.begun = operation.seq - 1, []
        wanted = [
            one
            for one in self._hooks
            if one.digest not in cursor.begun and one.wants(event.names, operation.model)
        ]
        is_known = operation.id in cursor.recent or operation.session in self._inside
        if not wanted or is_known:
            return
        for hook in wanted:
            cursor.begun.append(hook.digest)
            _write_cursor(self._home, cursor)
            done = _run(self._context, hook, event)
            _note(self._home, done)
            self._inside |= _sessions(self._home)
            yield done
        cursor.seq, cursor.begun = operation.seq, []
        cursor.recent = [*cursor.recent, operation.id][-RECENT:]
        _write_cursor(self._home, cursor)


def _run(context: Context, hook: Hook, event: _Event) -> HookRun:
    at = iso(context.replica.clock())
    names = [one for one in event.names if hook.wants([one], event.operation.model)]
    ran = _process(context, hook, event.operation, names)
    return HookRun(
        hook=hook.id,
        at=at,
        event=names,
        seq=event.operation.seq,
        operation=event.operation.id,
        summary=event.operation.summary,
        outcome=ran.outcome,
        code=ran.code,
        seconds=round(ran.seconds, 3),
        output=ran.output,
    )


def _process(context: Context, hook: Hook, operation: OperationAnswer, names: Sequence[str]) -> Ran:
    variables = {
        INSIDE_HOOK: hook.id,
        "REGTUI_HOME": str(context.home),
        "REGTUI_EVENT": " ".join(names),
    }
    return run(
        hook.run,
        msgspec.json.encode(operation) + b"\n",
        variables=variables,
        folder=context.home.parent,
        seconds=hook.seconds,
    )


def _events(connection: Connection, seqs: Sequence[int]) -> list[_Event]:
    """Return what operations were, in their order."""
    pasts = operations(connection, seqs)
    rows = rows_of(connection, [past.seq for past in pasts])
    answers = operation_answers(connection, [past.seq for past in pasts])
    return [
        _Event(answer, _names(answer.kind, rows.get(past.seq, []), past.verdict))
        for past, answer in zip(pasts, answers, strict=True)
    ]


def _names(kind: str, rows: Sequence[LogRow], verdict: Any) -> list[str]:
    """Return what an operation is called among events: its kind, and what it did."""
    found = [kind]
    moves = (
        row.kind == "alias" and (row.result == "created" or row.path == "version")
        for row in rows
        if row.result in {"created", "applied", "merged"}
    )
    if any(moves):
        found.append("alias.moved")
    if isinstance(verdict, Conflicted):
        found.append("conflict.opened")
    return found


def _newest(context: Context, hook: Hook) -> _Event | None:
    with context.reading() as connection:
        high = accepted(connection)
        for _ in range(_OLDER):
            low = max(0, high - PAGE)
            for event in reversed(_events(connection, between(connection, Wanted(), low, high))):
                if hook.wants(event.names, event.operation.model):
                    return event
            high = low
    return None


def _one(context: Context, seq: int) -> _Event | None:
    with context.reading() as connection:
        return next(iter(_events(connection, between(connection, Wanted(), seq - 1, seq))), None)


def _standing(connection: Connection) -> tuple[str, int, bool]:
    """Return registry, last decided operation, and whether that is known.

    Before the first sync with a server its history is not news.
    """
    row = connection.execute("select registry::varchar from base.replica").fetchone()
    remote = read_remote(connection)
    is_settled = remote is None or remote.synced is not None
    return str((row or ("",))[0]), accepted(connection), is_settled


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[bool]:
    """Hold the lock of those who run hooks; yields whether it is held."""
    folder = home / FOLDER
    with disk_errors(f"writing to {folder}"):
        folder.mkdir(mode=0o700, exist_ok=True)
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(lock)


def _read_cursor(home: Path) -> _Cursor | None:
    try:
        return msgspec.json.decode((home / FOLDER / _CURSOR).read_bytes(), type=_Cursor)
    except (OSError, msgspec.DecodeError):
        return None


def _write_cursor(home: Path, cursor: _Cursor) -> None:
    file = home / FOLDER / _CURSOR
    with disk_errors(f"writing {file}"):
        beside = file.with_suffix(".new")
        beside.write_bytes(msgspec.json.encode(cursor))
        beside.replace(file)


def _note(home: Path, done: HookRun) -> None:
    """Keep what was run; the log never grows beyond twice its bound."""
    file = home / FOLDER / _LOG
    with disk_errors(f"writing {file}"):
        if file.exists() and file.stat().st_size > LOG_BYTES:
            file.replace(file.with_name(_OLD))
        with file.open("ab") as stream:
            stream.write(msgspec.json.encode(done) + b"\n")


def _sessions(home: Path) -> set[str]:
    """Return the sessions of what hooks themselves did."""
    try:
        return set((home / FOLDER / SESSIONS).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return set()
