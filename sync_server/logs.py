"""The log: one JSON object a line on standard error."""

import json
import logging
import sys
import time
from uuid import uuid4

_log = logging.getLogger("sync_server")


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        told = json.loads(text) if text.startswith("{") else {"event": "message", "message": text}
        told = {"time": round(time.time(), 3), "level": record.levelname.lower()} | told
        if record.exc_info:
            told["traceback"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False)


def begin_log() -> None:
    """Let this process log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines())
    for name, level in (("sync_server", logging.INFO), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False


def note_failure(error: Exception, **about: str) -> str:
    """Write an error with its traceback to the log.

    Args:
        error: What went wrong.
        about: What it happened to, such as the id of a request or an operation.

    Returns:
        The reference that stands there, for whoever is told of it.
    """
    reference = uuid4().hex[:12]
    _log.error(json.dumps({"event": "failure", "reference": reference} | about), exc_info=error)
    return reference
