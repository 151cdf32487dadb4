"""A pickle machine that works on symbols: it imports nothing and calls nothing.

Algorithm: the stack machine of pickle with all opcodes of protocols 0 to 5. `pickle_opcodes.py` has
the opcodes, `pickle_state.py` what they do to the stack and how imports and calls are told.

Invariants: the effect on stack and memo is that of a real unpickler as long as that would go on;
where it would fail, this one may go on, so it never sees less. Every opcode costs one step.

A frame ends where an opcode does. One that reaches across the end is read in three ways: by the
loader in C as it stands when it has bytes, without the rest of the frame when it has a file, and
not at all by the one in Python. No pickler writes it, and it is told as dangerous.

Failure: `Unreadable` for what no unpickler reads, `Ended` at the end of the bytes, `Excess` at a
limit. The names met so far are with the reading by then.
"""

from typing import Final

from regtui.formats.pickle_opcodes import HANDLERS
from regtui.formats.pickle_state import PickleState
from regtui.formats.streams import Ended, Unreadable
from regtui.formats.symbolic import Symbol

_STOP: Final = ord(".")


class Machine(PickleState):
    """Runs one pickle."""

    def run(self) -> Symbol:
        """Return what the pickle leaves behind; the stream is right behind its end then.

        Raises:
            Unreadable: It is no whole pickle, or more than can be read.
        """
        try:
            return self._run()
        except Unreadable as error:
            if 0 < self.frame_end < self.stream.position:
                self.reading.suspect("<frame>")  # the fault may be that of reading across its end
            if self.stream.broken and not isinstance(error, Ended):
                raise Ended("it ends too early") from error
            raise

    def _run(self) -> Symbol:
        take, reading, handlers = self.stream.take, self.reading, HANDLERS
        while True:
            if self.frame_end:
                self.check_frame()
            code = take(1)[0]
            reading.steps -= 1
            if reading.steps < 0:
                reading.step(0)
            if code == _STOP:
                return self._stopped()
            handler = handlers[code]
            if handler is None:
                raise Unreadable("it is no pickle, or a damaged one")
            handler(self)

    def _stopped(self) -> Symbol:
        value = self.pop()
        if self.in_frame():
            raise Unreadable("it is a damaged pickle: it stops before its frame does")
        return value


def is_opcode(code: int) -> bool:
    """Tell whether a byte starts any step of a pickle."""
    return code == _STOP or HANDLERS[code] is not None
