"""The stored files of a bundle, compared with those that its versions name.

Both come in the order of digests, so neither has to be held in memory: what is named and not in the
bundle is looked for in the store, what is in the bundle and not named has no business there.
"""

from collections.abc import Iterator

from regtui.artifacts.bundle_file import BundleReader, Entry
from regtui.artifacts.receiving import Receiver
from regtui.registry.stored import Named


class NamedObjects:
    """Takes in the objects of a bundle one by one.

    Args:
        named: Digest, size and need of what versions name, in the order of digests.
        receiver: Takes them into the store.
    """

    def __init__(self, named: Iterator[Named], receiver: Receiver) -> None:
        self._named = named
        self._receiver = receiver
        self._next = next(named, None)
        self.missing: list[str] = []

    def take(self, reader: BundleReader, entry: Entry) -> None:
        """Take in the object that the reader is at.

        Raises:
            Damaged: No version names it, or with another size, or its bytes are not what they were.
            RegtuiError: The store may not be written, or its disk is full.
        """
        while self._next is not None and self._next[0] < entry.digest:
            self._pass()
        if self._next is None or self._next[:2] != (entry.digest, entry.size):
            raise reader.damaged(f"no version names {entry.name} with {entry.size:,} bytes")
        self._receiver.take(entry.digest, entry.size, reader.pieces())
        self._next = next(self._named, None)

    def finish(self) -> None:
        """Look for the rest in the store."""
        while self._next is not None:
            self._pass()

    def _pass(self) -> None:
        if self._next is not None:
            digest, size, needed = self._next
            if not self._receiver.renew(digest, size) and needed:
                self.missing.append(digest)
        self._next = next(self._named, None)
