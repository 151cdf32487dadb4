"""Keys: what a replica signs with, and by which a copy of it is known as one.

The key lives in the user's configuration folder and not in the replica, so that a copied home is no
copied identity. Beside it stands where the replica was made: its host, the inode of its folder and
its path. A replica whose key is not here, or whose folder has another inode (a restored backup, a
copy, a container's layer), takes a new key and id before its next operation; its history stays what
it is, for each operation names the replica that made it. Moving a folder keeps its inode. The host
does not count: one home on a cluster's file system is used from many of them.
"""

import os
import platform
from pathlib import Path

from msgspec import Struct

from regtui.core.errors import RegtuiError
from regtui.core.identity import replica_id
from regtui.replica.home import configuration_folder


class Key(Struct, frozen=True):
    """The key of one replica: its id, and the raw private and public halves."""

    replica: str
    private: bytes
    public: bytes

    def sign(self, statement: bytes) -> bytes:
        """Return the Ed25519 signature of some bytes, 64 bytes."""
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self.private).sign(statement)


def verify_signature(public: bytes, signature: bytes, statement: bytes) -> bool:
    """Tell whether a signature over some bytes was made with the key behind a public one."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def load_key(replica: str, home: Path) -> Key | None:
    """Return the key of a replica; None where it is not here or belongs to the original of a copy.

    Raises:
        RegtuiError: It is here and can't be read.
    """
    file = key_file(replica)
    try:
        private, made_at, *_ = file.read_text(encoding="utf-8", errors="surrogateescape").split(
            "\n", 1
        )
        _, inode, _ = made_at.split(" ", 2)
        is_original = int(inode) == home.stat().st_ino
        key = _key_of(bytes.fromhex(private))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RegtuiError(
            f"can't read the replica's key {file}: {error.strerror}", "make it readable"
        ) from error
    except ValueError:  # cut short or written over: as good as none
        return None
    return key if is_original and key.replica == replica else None


def passing_key() -> Key:
    """Return a new key that is kept nowhere."""
    return _key_of(os.urandom(32))


def make_key(home: Path) -> Key:
    """Make a key for the replica in a folder and keep it where only its owner reads it.

    Raises:
        RegtuiError: The configuration folder can't be written.
    """
    key = passing_key()
    file = key_file(key.replica)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(key.private.hex() + "\n")
            stream.write(f"{platform.node()} {home.stat().st_ino} {home}\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise RegtuiError(
            f"can't keep the replica's key in {file.parent}: {error.strerror}",
            "make that folder writable or set REGTUI_CONFIG",
        ) from error
    return key


def key_file(replica: str) -> Path:
    """Return where the key of a replica is kept."""
    return configuration_folder() / "keys" / f"{replica}.key"


def _key_of(private: bytes) -> Key:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    public = Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return Key(replica_id(public), private, public)
