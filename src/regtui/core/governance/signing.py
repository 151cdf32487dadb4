"""Signatures of content: that somebody's replica vouches for exactly these bytes."""

from regtui.core import encoding


def signed_statement(digest: str) -> bytes:
    """Return the bytes that a signature of a content digest is over."""
    return encoding.encode(["regtui content", digest])


def is_signature(public_key: str, digest: str, signature: str) -> bool:
    """Tell whether a signature (hex digits) of a content digest was made by a key (hex digits)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(signature), signed_statement(digest))
    except (ValueError, InvalidSignature):
        return False
    return True
