"""Reading ahead: the first rows are read while the app is still being loaded.

Loading Textual keeps this process busy for longer than it takes to open a registry of a million
versions and to read a page of it, and most of that happens outside of Python. So a thread does it
meanwhile. What it finds is taken once, by whoever asks for the same query; what goes wrong is
raised there.
"""

import threading

from regtui.registry.answers import VersionAnswer
from regtui.registry.context import Context
from regtui.registry.listing import first_page


class Ahead:
    """The first page of a query, on its way.

    Args:
        context: The registry.
        query: In the query language.

    Attributes:
        written: Time and size of the database from before it was read.
    """

    def __init__(self, context: Context, query: str) -> None:
        self.query = query
        self.written = context.replica.home.written()
        self._context = context
        self._rows: list[VersionAnswer] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._read, name="regtui-ahead", daemon=True)
        self._thread.start()

    @property
    def is_done(self) -> bool:
        """Whether the rows are here, so that nobody waits for them."""
        return not self._thread.is_alive() and self._error is None

    def rows(self) -> list[VersionAnswer]:
        """Wait for the rows and return them.

        Raises:
            RegtuiError: They could not be read.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._rows

    def _read(self) -> None:
        try:
            self._rows = first_page(self._context, self.query)
        except BaseException as error:  # noqa: BLE001 -- raised again where it is waited for
            self._error = error
