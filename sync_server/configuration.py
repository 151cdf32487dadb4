"""What the operator chose: a flag, else the environment, else the file, else the default.

The file is `regtui-server.toml` in the data folder. Its keys are the fields of `Configuration`; in
the environment they are in capitals after `REGTUI_SERVER_`.
"""

import math
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from regtui.core.errors import BadInput
from regtui.wire.messages import BODY_LIMIT

FILE_NAME = "regtui-server.toml"
ENVIRONMENT = "REGTUI_SERVER_"

PORT = 8750


class Configuration(Struct, frozen=True, forbid_unknown_fields=True):
    """How a server runs.

    Attributes:
        host: Address to listen on.
        port: Port to listen on; 0 for any free one.
        database: URL of the database; None for a file in the data folder.
        artifacts: URL of the store of model files; None for a folder in the data folder.
        artifact_links: Seconds for which an address in the bucket is good that downloads go to;
            None to hand files out from here.
        tls_cert: File of the certificate chain (PEM); None for plain HTTP.
        tls_key: File of its key (PEM).
        insecure_plain_http: Whether plain HTTP may be spoken beyond this machine.
        trust_clock: Whether to start though the clock is behind what was accepted.
        metrics: Who may read `/metrics`: this machine and admins, admins alone, or everybody.
        body_limit: Bytes of a request.
        rate: Requests a second that a token may make in the long run.
        burst: Requests that it may make at once.
        connections: Requests that are answered at a time.
        header_limit: Bytes of a request's headers.
        stop_seconds: Seconds that running requests get to end when the server stops.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    database: str | None = None
    artifacts: str | None = None
    artifact_links: int | None = None
    tls_cert: str | None = None
    tls_key: str | None = None
    insecure_plain_http: bool = False
    trust_clock: bool = False
    metrics: Literal["local", "admin", "open"] = "local"
    body_limit: int = 64 << 20
    rate: float = 200.0
    burst: int = 1_000
    connections: int = 256
    header_limit: int = 32 << 10
    stop_seconds: int = 30


MOST_LINK = 7 * 86_400
"""Seconds: no bucket signs an address for longer."""

RANGES: dict[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "artifact_links": (1, MOST_LINK),
    "body_limit": (BODY_LIMIT, math.inf),
    "rate": (0.001, math.inf),
    "burst": (1, math.inf),
    "connections": (1, math.inf),
    "header_limit": (1 << 10, math.inf),
    "stop_seconds": (0, math.inf),
}
"""The least and the most that numbers may be; a request has room for what clients send at once."""


def configured(
    data: Path,
    file: Path | None,
    flags: Mapping[str, Any],
    environment: Mapping[str, str] = os.environ,
) -> Configuration:
    """Return the configuration of a data folder.

    Args:
        data: The data folder.
        file: The file that was named; None for the one in the data folder, if it is there.
        flags: Value by field; None where a flag was not given.
        environment: Of the process.

    Raises:
        BadInput: A value or name makes no sense, or the named file can't be read.
    """
    chosen: dict[str, Any] = dict(_file(file or data / FILE_NAME, is_named=file is not None))
    for name in Configuration.__struct_fields__:
        given = environment.get(ENVIRONMENT + name.upper())
        if given:
            chosen[name] = given
    chosen |= {name: value for name, value in flags.items() if value is not None}
    try:
        return _checked(msgspec.convert(chosen, Configuration, strict=False))
    except msgspec.ValidationError as error:
        hint = "docs/server.md lists what may be configured"
        raise BadInput(f"the configuration makes no sense: {error}", hint) from None


def _checked(configuration: Configuration) -> Configuration:
    """Refuse numbers with which nothing would work.

    Raises:
        BadInput: There is one.
    """
    for name, (least, most) in RANGES.items():
        value = getattr(configuration, name)
        if value is not None and not least <= value <= most:  # so is what is no number
            allowed = f"{least:,} or more" if most == math.inf else f"{least:,} to {most:,}"
            raise BadInput(f"the configuration makes no sense: {name} can't be {value}", allowed)
    if not configuration.host.strip():
        raise BadInput(
            "the configuration makes no sense: host is empty", "0.0.0.0 stands for every address"
        )
    return configuration


def _file(path: Path, *, is_named: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_named:
            raise BadInput(f"there is no file {path}", "--config names a TOML file") from None
        return {}
    except OSError as error:
        raise BadInput(f"{path} can't be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is no TOML: {error}") from None
