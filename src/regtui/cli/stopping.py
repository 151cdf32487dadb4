"""Being told to end: signals end what goes on without end, which finishes or drops what it does."""

import contextlib
import signal
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def stopped_by_signals(stop: Callable[[], object]) -> Iterator[None]:
    """Let signals call `stop`; a second one of a kind does what it always does."""

    def end(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        stop()

    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    # What nohup has it ignore stays ignored.
    signals = [one for one in wanted if signal.getsignal(one) is not signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in signals}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
