"""The log: one JSON object a line on standard error."""

import json
import logging
import sys
import time


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
