"""A key that signs without being known proves nothing."""

import os

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync_server.secrets import verified


@pytest.mark.parametrize("first", ["00", "01", "ec", "ed", "ee"])
@pytest.mark.parametrize("sign", [0, 0x80])
def test_weak_keys_sign_nothing(first: str, sign: int) -> None:
    rest = "00" * 31 if first in {"00", "01"} else "ff" * 30 + "7f"
    public = bytearray.fromhex(first + rest)
    public[31] |= sign
    for place in ("00" * 32, "01" + "00" * 31):
        for number in range(32):
            assert not verified(bytes(public), b"%d" % number, place + "00" * 32)


def test_good_keys_sign() -> None:
    key = Ed25519PrivateKey.generate()
    public, statement = key.public_key().public_bytes_raw(), os.urandom(20)
    signature = key.sign(statement).hex()
    assert verified(public, statement, signature)
    assert not verified(public, statement + b"x", signature)
    assert not verified(public[:-1], statement, signature)
    assert not verified(public, statement, "no hex")
