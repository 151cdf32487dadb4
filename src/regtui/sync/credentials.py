"""Credentials: the tokens by which this user acts on servers.

They lie in the user's configuration folder, readable by him alone, by the address of the server and
the folder of the replica: a copied home is no copied identity. `REGTUI_TOKEN` goes before them.
"""

import contextlib
import os
from pathlib import Path

import msgspec

from regtui.core.errors import RegtuiError
from regtui.replica.home import configuration_folder

VARIABLE = "REGTUI_TOKEN"


def token_for(url: str, home: Path) -> str | None:
    """Return the token for a server; None where nobody signed in."""
    return os.environ.get(VARIABLE, "").strip() or _read().get(_name(url, home))


def keep_token(url: str, home: Path, token: str) -> None:
    """Keep a token.

    Raises:
        RegtuiError: The configuration folder can't be written.
    """
    _write(_read() | {_name(url, home): token})


def forget_token(url: str, home: Path) -> None:
    """Let a token go."""
    known = _read()
    if known.pop(_name(url, home), None) is not None:
        _write(known)


def _name(url: str, home: Path) -> str:
    return f"{url} {home}"


def _file() -> Path:
    return configuration_folder() / "credentials.json"


def _read() -> dict[str, str]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, str])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise RegtuiError(
            f"can't read the tokens in {_file()}: {error}", "remove that file and sign in again"
        ) from None


def _write(tokens: dict[str, str]) -> None:
    file = _file()
    beside = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(tokens)) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(file)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise RegtuiError(
            f"can't keep the token in {file}: {error.strerror}",
            "make that folder writable or set REGTUI_CONFIG",
        ) from error
