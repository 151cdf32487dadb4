"""Durations as people write them: `30d`, `12h`, `10m`."""

import re

from regtui.core.errors import BadInput

_UNITS = {"m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400}


def microseconds(text: str) -> int:
    """Return the microseconds of a duration.

    Raises:
        BadInput: It is none.
    """
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text.strip())
    if found is None or not int(found[1]):
        raise BadInput(f"{text!r} is no duration", "such as 30d, 12h or 10m")
    return int(found[1]) * _UNITS[found[2]] * 1_000_000
