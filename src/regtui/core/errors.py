"""The errors that people see, as one small tree.

Every error has a message (what happened), a hint (what to do) and an exit code. They are raised
anywhere and translated once at each edge: the command line prints one line and exits with the code,
`--json` prints an object, the app shows a notice.
"""

from typing import ClassVar


class RegtuiError(Exception):
    """Something went wrong that a person can act on.

    Args:
        message: One sentence, without the final full stop, that says what happened.
        hint: What to do about it; empty when the message already says it.
    """

    exit_code: ClassVar[int] = 1
    code: ClassVar[str] = "failed"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class BadInput(RegtuiError):
    """What was asked for makes no sense: a malformed reference, query, name or value."""

    exit_code = 2
    code = "bad_input"


class NotFound(RegtuiError):
    """There is no such model, version, alias or path, or one may not know of it."""

    exit_code = 3
    code = "not_found"


class Denied(RegtuiError):
    """Access rules refuse it."""

    exit_code = 4
    code = "denied"


class Blocked(RegtuiError):
    """A policy refuses it."""

    exit_code = 5
    code = "blocked"


class ConflictOpen(RegtuiError):
    """Concurrent edits of one value wait for a person to choose."""

    exit_code = 6
    code = "conflict_open"


class Unreachable(RegtuiError):
    """The remote does not answer; local work is safe."""

    exit_code = 7
    code = "unreachable"


class StrangeAnswer(Unreachable):
    """Something else than the remote answered, such as a proxy before it; local work is safe."""

    exit_code = 1
    code = "failed"


class Damaged(RegtuiError):
    """Stored bytes are not what they were."""

    exit_code = 8
    code = "damaged"


class Busy(RegtuiError):
    """Another process holds the replica for longer than the deadline."""

    exit_code = 9
    code = "busy"
