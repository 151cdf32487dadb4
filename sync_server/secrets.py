"""What the server proves: its key, and marks that it alone can make and check.

A mark (`mac`) is a keyed digest. It goes with cursors, anchors, epochs and numbers of versions, so
that whoever hands one back has it from this server and can't have made it up.
"""

import hmac
import os

from blake3 import blake3
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32

_WEAK = frozenset(
    bytes.fromhex(one)
    for one in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Public keys of small order, without the bit of the sign: signatures of theirs are made up without
any private key, and OpenSSL takes them."""

_MARK_DOMAIN = "regtui server marks 1"


class Secrets:
    """The key of a server.

    Args:
        private: 32 bytes.
    """

    def __init__(self, private: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._marks = blake3(private, derive_key_context=_MARK_DOMAIN).digest()
        self.private = private
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, statement: bytes) -> str:
        """Return the signature of a statement, 128 hex digits."""
        return self._key.sign(statement).hex()

    def signed(self, statement: bytes, signature: str) -> bool:
        """Tell whether this server signed a statement."""
        return verified(self.public, statement, signature)

    def mark(self, statement: bytes) -> str:
        """Return the mark of a statement, 32 hex digits."""
        return blake3(statement, key=self._marks).hexdigest()[:32]

    def marked(self, statement: bytes, mark: str) -> bool:
        """Tell whether this server marked a statement."""
        return hmac.compare_digest(self.mark(statement).encode(), mark.encode())


def new_private() -> bytes:
    """Return a new private key."""
    return os.urandom(32)


def verified(public: bytes, statement: bytes, signature: str) -> bool:
    """Tell whether the key behind a public one signed a statement."""
    if len(public) != KEY_BYTES or public[:-1] + bytes([public[-1] & 0x7F]) in _WEAK:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True
