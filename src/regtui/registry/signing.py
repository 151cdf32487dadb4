"""Signing: that a replica vouches for exactly the bytes of a version.

A signature is over the content digest, by the key with which the replica signs its work. It is kept
with the version, under the replica's id, so that it travels wherever the version does. Whoever
knows the replica's public key can check it: the server for all that are enrolled, a replica for its
own.
"""

from msgspec import Struct

from regtui.core.errors import NotFound
from regtui.core.governance.signing import is_signature, signed_statement
from regtui.registry.context import Context
from regtui.registry.edit import submit_edit
from regtui.registry.references import find_version
from regtui.replica.remote import read_remote
from regtui.replica.view import ReplicaView


class SignatureAnswer(Struct, frozen=True, kw_only=True):
    """A signature of a version's content.

    Attributes:
        replica: UUID of the replica that signed.
        valid: Whether it is that of these bytes; None where the replica's key is not known here.
    """

    replica: str
    valid: bool | None


def sign(context: Context, reference: str) -> tuple[list[SignatureAnswer], bool]:
    """Sign the content of a version with this replica's key; tell whether that is new.

    Raises:
        NotFound: There is no such version, or it is deleted.
    """
    with context.writing() as authority:
        _, version = find_version(authority.connection, reference)
        key = authority.signing_key()
        signature = key.sign(signed_statement(str(version.facts["digest"]))).hex()
        changed = submit_edit(authority, version, {f"signatures/{key.replica}": signature})
        authority.flush()
    return signatures(context, reference), changed


def signatures(context: Context, reference: str) -> list[SignatureAnswer]:
    """Return the signatures of a version's content, and whether they are right.

    Where the server knows more keys, it is the one that decides (`signed` of a policy).

    Raises:
        NotFound: There is no such version.
    """
    with context.reading() as connection:
        _, version = find_version(connection, reference)
        if version.value("state") == "deleted":
            raise NotFound(f"{reference} is deleted", f"`regtui version restore {reference}`")
        view = ReplicaView(connection, 0 if read_remote(connection) else 1)
        found: list[SignatureAnswer] = []
        for replica, signature in sorted(version.entries("signatures").items()):
            key = view.public_key(replica)
            digest = str(version.facts["digest"])
            valid = None if key is None else is_signature(key, digest, str(signature))
            found.append(SignatureAnswer(replica=replica, valid=valid))
    return found
