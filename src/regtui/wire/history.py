"""Messages of history on demand: older operations, and what vouches for a stream's."""

import msgspec
from msgspec import Struct

from regtui.wire.messages import Entry


class HistoryPage(Struct, frozen=True):
    """Operations before a sequence number.

    Attributes:
        entries: Newest first.
        reached: The number from which on everything readable is in this answer or was before it; 0
            where there is nothing older.
        names: Name of each user who made one of them, by id.
    """

    entries: list[Entry]
    reached: int
    names: dict[str, str]


class StreamHead(Struct, frozen=True):
    """Where a stream ends: its number of operations, and the link after the last one."""

    place: int
    link: str


class ReplicaKey(Struct, frozen=True):
    """Whose a replica is, and the public key that it signs with, 64 hex digits."""

    user: str
    public_key: str


class PushSignature(Struct, frozen=True):
    """What a replica signed when it sent its operation `n`: see `push_statement`.

    Attributes:
        replica: Its id.
        n: Place of the last operation of that push.
        epoch: The server's, as far as the replica knew.
        seq: The history that it knew.
        link: The registry's link there.
        signature: Ed25519, 128 hex digits.
    """

    replica: str
    n: int
    epoch: str
    seq: int
    link: str
    signature: str


class StreamPage(Struct, frozen=True):
    """Operations of one stream, oldest first, and what vouches for them.

    Attributes:
        entries: The operations.
        head: Where the stream ends.
        replicas: Keys of the replicas that made them, by id.
        signatures: What these signed.
        more: Whether another page follows.
    """

    entries: list[Entry]
    head: StreamHead
    replicas: dict[str, ReplicaKey]
    signatures: list[PushSignature]
    more: bool


history_decoder = msgspec.json.Decoder(HistoryPage)
stream_decoder = msgspec.json.Decoder(StreamPage)
