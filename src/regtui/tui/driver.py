"""Keys from a terminal that sends what is no text or no key: that is dropped, and the app goes on.

A terminal in another encoding, an old report of the mouse or a cut escape sequence would else end
the app with a traceback.
"""

import os
import selectors
from codecs import getincrementaldecoder
from collections.abc import Iterator

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

WAIT = 0.1
"""Seconds after which what a terminal sent by halves counts as it is."""


class TolerantDriver(LinuxDriver):
    """Reads a terminal as its base does, whatever comes."""

    def run_input_thread(self) -> None:
        """Read and tell events until the app ends."""
        decode = getincrementaldecoder("utf-8")("replace").decode
        self._parser = XTermParser(self._debug)
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                came = os.read(self.fileno, 4096) if selector.select(WAIT) else None
                if came == b"":
                    return  # nobody types any more
                self._tell(decode(came or b""))

    def _tell(self, text: str) -> None:
        """Tell the app what a text means; an empty one where nothing came for a while."""
        try:
            for event in self._events(text):
                self.process_message(event)
        except (ValueError, OverflowError):
            self._parser = XTermParser(self._debug)

    def _events(self, text: str) -> Iterator[Message]:
        if text:  # an empty one would end the parser
            yield from self._parser.feed(text)
        yield from self._parser.tick()
