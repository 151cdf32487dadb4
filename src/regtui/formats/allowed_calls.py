"""Calls of allowed names that are only allowed with the arguments that honest files have.

`judge` in `allowed.py` says what may be named; for a few functions it matters what they are given:

- `_codecs.encode` looks its codec up by name, so only the codecs that pickle writes pass
- `torch._tensor._rebuild_from_type_v2` calls its first argument, which has to be a name
- `torch.storage._load_from_bytes` loads a file of torch's within: its bytes are read as one
"""

from collections.abc import Callable
from typing import Final

from regtui.formats.reading import Reading
from regtui.formats.symbolic import Global, Made

_CODECS: Final = frozenset({"latin1", "latin-1", "ascii", "utf-8", "utf8"})


def check_call(made: Made, reading: Reading) -> None:
    """Suspect the call unless its arguments are as they should be."""
    check = _CHECKS.get(made.path)
    if check is not None and not check(made, reading):
        reading.suspect(f"{made.path}()")


def _encodes(made: Made, _: Reading) -> bool:
    codec = made.argument(1)
    return isinstance(codec, str) and codec in _CODECS


def _calls_a_name(made: Made, _: Reading) -> bool:
    return isinstance(made.argument(0), Global)


def _embeds(made: Made, reading: Reading) -> bool:
    reading.embedded.append(made.argument(0))
    return True


_CHECKS: Final[dict[str, Callable[[Made, Reading], bool]]] = {
    "_codecs.encode": _encodes,
    "torch._tensor._rebuild_from_type_v2": _calls_a_name,
    "torch.storage._load_from_bytes": _embeds,
}
