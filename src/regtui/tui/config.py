"""Settings of the app, kept in `config.toml` of the user's configuration folder.

People write that file too: comments and whatever the app doesn't know stay in it. Choices made in
the app (theme, columns, sort, saved filters) hold at once and are written by a thread, which may
take its time; into a new file that takes the old one's place, so that a full disk leaves the old
one. A file that can't be read is left alone: the app says so, uses its defaults and saves nothing.
"""

import contextlib
import os
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from regtui.replica.home import configuration_folder

FILE = "config.toml"

HISTORY = 50
"""Filters that are remembered."""


class AppConfig:
    """What a person chose.

    Attributes:
        problem: Why the file could not be used, in one sentence; None where it could.
        ignored: What of a file that can be used is ignored, in a sentence each.
        theme: Name of the theme; None for the one that suits the terminal.
        sync: Whether the app syncs by itself while somebody is signed in to a server.
        ascii: Whether to paint ASCII alone; None to see what the terminal can show.
        columns: Columns of the versions, by key.
        sort: What versions are sorted by, as in the query language; empty for the newest first.
        keys: Keys by action, several with commas between.
        filters: Saved filters by name.
        history: Filters that were used, the newest last.
    """

    def __init__(self, file: Path | None = None) -> None:
        self.file = configuration_folder() / FILE if file is None else file
        self.problem: str | None = None
        self.ignored: list[str] = []
        self.theme: str | None = None
        self.ascii: bool | None = None
        self.sync = True
        self.columns: list[str] = []
        self.sort = ""
        self.keys: dict[str, str] = {}
        self.filters: dict[str, str] = {}
        self.history: list[str] = []
        self._unwritten: dict[str, Any] = {}
        self._choosing = threading.Lock()
        """Guards what is not written yet; nobody holds it for long."""
        self._writing = threading.Lock()
        """Is held while the file is written: one after the other, or older choices would win."""
        try:
            self._take(self._read())
        except (OSError, ValueError) as error:
            self.problem = f"{self.file.name} can't be used: {_sentence(error)}"

    def choose(self, **chosen: Any) -> None:
        """Take choices over; `write` keeps them.

        Args:
            chosen: Values by the name of the attribute.
        """
        for name, value in chosen.items():
            setattr(self, name, value)
        with self._choosing:
            self._unwritten |= chosen

    def write(self) -> str | None:
        """Write what was chosen since, in any thread; it waits for the disk.

        Returns:
            In one sentence why it could not be written, None where it was. What could not be is
            tried again with the next choice.
        """
        with self._writing:
            if self.problem is not None:
                return self.problem
            with self._choosing:
                chosen, self._unwritten = self._unwritten, {}
            problem = self._put(chosen) if chosen else None
            if problem is not None:
                with self._choosing:
                    self._unwritten = chosen | self._unwritten
            return problem

    def history_with(self, text: str) -> list[str]:
        """Return the history with a filter at its end."""
        history = [old for old in self.history if old != text]
        return [*history, text][-HISTORY:]

    def _put(self, chosen: Mapping[str, Any]) -> str | None:
        """Put choices into the file; return why that failed, None where it didn't."""
        import tomlkit  # which keeps what people wrote, and takes its time to load
        from tomlkit.exceptions import TOMLKitError

        try:
            document = tomlkit.parse(self._text())
            table = document.setdefault("app", tomlkit.table())
            for name, value in chosen.items():
                if value in (None, "", [], {}):
                    table.pop(name, None)
                else:
                    table[name] = value
            self._write(tomlkit.dumps(document))
        except (OSError, ValueError, TOMLKitError) as error:
            return f"{self.file} can't be written: {_sentence(error)}"
        return None

    def _read(self) -> Mapping[str, Any]:
        text = self._text()
        if not text:
            return {}
        import tomllib

        found = tomllib.loads(text).get("app", {})
        if not isinstance(found, dict):
            raise ValueError("app is no table")  # noqa: TRY004 -- a value of the file
        return found

    def _text(self) -> str:
        try:
            return self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _write(self, text: str) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor, name = tempfile.mkstemp(dir=self.file.parent, prefix=f".{FILE}.")
        try:
            with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123 -- a descriptor
                file.write(text)
            os.replace(name, self.file)  # noqa: PTH105 -- beside the other os calls
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)  # noqa: PTH108
            raise

    def _take(self, table: Mapping[str, Any]) -> None:
        self.theme = _typed(table, "theme", str)
        self.ascii = _typed(table, "ascii", bool)
        self.sync = _typed(table, "sync", bool) is not False
        self.columns = [str(key) for key in _typed(table, "columns", list) or []]
        self.sort = self._sortable(_typed(table, "sort", str) or "")
        self.keys = {str(k): str(v) for k, v in (_typed(table, "keys", dict) or {}).items()}
        self.filters = {str(k): str(v) for k, v in (_typed(table, "filters", dict) or {}).items()}
        self.history = [str(text) for text in _typed(table, "history", list) or []][-HISTORY:]

    def _sortable(self, sort: str) -> str:
        """Return the order, unless it is malformed: then no list could ever be shown."""
        if not sort:
            return ""
        from regtui.core.query.errors import QueryError
        from regtui.core.query.parse import parse_query

        try:
            parse_query(f"sort:{sort}")
        except QueryError as error:
            self.ignored.append(f"{self.file.name}: app.sort is ignored: {error.message}")
            return ""
        return sort


def _typed(table: Mapping[str, Any], name: str, kind: type) -> Any:
    found = table.get(name)
    if found is None:
        return None
    if not isinstance(found, kind):
        raise ValueError(f"app.{name} is no {kind.__name__}")  # noqa: TRY004 -- a value of the file
    return found


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error).splitlines()[0] if str(error) else type(error).__name__
