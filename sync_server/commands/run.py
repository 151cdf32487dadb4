"""`regtui-server run`."""

from pathlib import Path
from typing import Annotated

import typer

from sync_server.commands.options import ConfigFile, Data, DatabaseUrl
from sync_server.configuration import configured
from sync_server.data_folder import opened, opened_artifacts, running_lock


def run(
    data: Data,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="0 takes any free one.")] = None,
    database: DatabaseUrl = None,
    artifacts: Annotated[
        str | None, typer.Option("--artifacts", metavar="URL", help="Store of model files.")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option("--tls-cert", metavar="FILE", help="Certificate chain, PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option("--tls-key", metavar="FILE", help="Its key, PEM.")
    ] = None,
    insecure_plain_http: Annotated[
        bool,
        typer.Option(
            "--insecure-plain-http",
            help="Speak plain HTTP beyond this machine: whoever listens reads tokens.",
        ),
    ] = False,
    trust_clock: Annotated[
        bool,
        typer.Option(
            "--trust-clock", help="Start though the clock is behind what was accepted before."
        ),
    ] = False,
    config: ConfigFile = None,
) -> None:
    """Serve until told to stop; prints `listening on URL` when ready."""
    # Other commands do without what serves requests: loading it takes half a second.
    from sync_server.listening import checked_clock, checked_listening, serve

    flags = {
        "host": host,
        "port": port,
        "database": database,
        "artifacts": artifacts,
        "tls_cert": None if tls_cert is None else str(tls_cert),
        "tls_key": None if tls_key is None else str(tls_key),
        "insecure_plain_http": insecure_plain_http or None,
        "trust_clock": trust_clock or None,
    }
    configuration = configured(data, config, flags)
    checked_listening(configuration)
    with opened(data, configuration) as server, running_lock(data, alone=False):
        checked_clock(server, configuration)
        serve(server, configuration, opened_artifacts(server, data, configuration))
