"""UUIDv7: ids that sort by the time they were made.

Operations are stored in the order of their ids, so that DuckDB finds one by its zone maps alone.
The standard library makes them from Python 3.14 on; this is the same layout (RFC 9562, method 3:
the microseconds within the millisecond follow it).
"""

import os
import uuid


def uuid7(microseconds: int) -> str:
    """Return a UUIDv7 for a time; equal times give ids in no particular order."""
    milliseconds, rest = divmod(microseconds, 1000)
    fraction = rest * 4096 // 1000
    random = int.from_bytes(os.urandom(8)) & ((1 << 62) - 1)
    value = milliseconds << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random
    return str(uuid.UUID(int=value))
