"""Python's search for garbage, put off while something large is built.

The search looks at every container there is, and holds up all threads while it does: a third of a
second among the rows of 100,000 tensors, in the middle of which keys are pressed. What is built
then has no cycles, so nothing is lost by waiting.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_users = [0]


@contextmanager
def later() -> Iterator[None]:
    """Search for no garbage within; may be nested, by one thread."""
    _users[0] += 1
    gc.disable()
    try:
        yield
    finally:
        _users[0] -= 1
        if not _users[0]:
            gc.enable()
