"""Whether a file starts like a tar archive.

The oldest files of torch are tar archives, and `torch.load` still tries that first. The name in the
first header can be anything, also the start of a pickle, so a file can be both; only the checksum
tells. Such a file is not said to be read.
"""

from typing import Final

TAR_BLOCK: Final = 512
_CHECKSUM: Final = slice(148, 156)
_BLANK: Final = b" " * 8


def is_tar(head: bytes) -> bool:
    """Tell whether the first 512 bytes are a header of a tar archive."""
    if len(head) < TAR_BLOCK:
        return False
    told = _number(head[_CHECKSUM])
    blanked = head[: _CHECKSUM.start] + _BLANK + head[_CHECKSUM.stop : TAR_BLOCK]
    unsigned = sum(blanked)
    signed = unsigned - 256 * sum(1 for byte in blanked if byte > 127)  # noqa: PLR2004
    return told is not None and told in {unsigned, signed}


def _number(field: bytes) -> int | None:
    """Read octal digits, or the binary form of large numbers."""
    if field[0] in {0x80, 0xFF}:
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip()
    try:
        return int(digits or b"0", 8)
    except ValueError:
        return None
