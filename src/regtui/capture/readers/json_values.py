"""JSON as trainers write it: with NaN and infinities, which the standard has not.

A decoded value takes far more memory than its text, so the parts are counted before they are made.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

from regtui.capture.readers.source_text import lines
from regtui.capture.run_files import RunFiles
from regtui.formats.cursor import Malformed, TooMuch, Truncated
from regtui.formats.values import Source

_PARTS: Final = 1_000_000


def decode(text: bytes) -> Any:
    """Return a JSON value.

    Raises:
        Malformed: It is none, is deeper or has more parts than can be read.
    """
    if text.count(b",") + text.count(b"[") + text.count(b"{") > _PARTS:
        raise TooMuch("the JSON text has more parts than can be read")
    try:
        return json.loads(text)
    except RecursionError:
        raise TooMuch("the JSON text is nested too deeply") from None
    except json.JSONDecodeError as error:
        ended = error.pos >= len(error.doc.rstrip())
        raise (Truncated if ended else Malformed)(f"the JSON text can't be read: {error}") from None
    except ValueError as error:  # no text, or a number of too many digits
        raise Malformed(f"the JSON text can't be read: {error}") from None


def read_object(files: RunFiles, path: str) -> dict[str, Any]:
    """Return a file that holds a JSON object.

    Raises:
        Malformed: It holds none.
        OSError: The file could not be read.
    """
    found = decode(files.content(path))
    if not isinstance(found, dict):
        raise Malformed("it holds no JSON object")
    return found


def objects(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the objects of JSON lines; a last line that is still being written is left out.

    Raises:
        Malformed: A line holds no object, or there are more than can be read.
    """
    for number, line in enumerate(lines(source), start=1):
        if not line.strip():
            continue
        try:
            found = decode(line.encode())
        except Malformed:
            if not line.endswith("\n"):
                return
            raise Malformed(f"line {number} can't be read as JSON") from None
        if not isinstance(found, dict):
            raise Malformed(f"line {number} holds no JSON object")
        yield found
