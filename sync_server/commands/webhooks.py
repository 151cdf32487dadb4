"""`regtui-server webhook`."""

import secrets
from typing import Annotated

import sqlalchemy as sa
import typer

from regtui.core.errors import NotFound, RegtuiError
from sync_server import schema
from sync_server.commands.options import (
    AsJson,
    ConfigFile,
    Data,
    DatabaseUrl,
    RegistryName,
    group,
    registry_of,
)
from sync_server.output import day, emit, say, table
from sync_server.webhook_delivery import retry as sent_again
from sync_server.webhook_request import Call, send
from sync_server.webhooks import PING, add_webhook, ping_body, remove_webhook, webhooks_of

app = group("webhook", "Where events are sent.")

Identity = Annotated[str, typer.Argument(metavar="ID")]


@app.command("add")
def add(
    url: Annotated[str, typer.Argument(metavar="URL")],
    data: Data,
    secret: Annotated[
        str | None,
        typer.Option(
            "--secret",
            envvar="REGTUI_WEBHOOK_SECRET",
            help="What events are signed with; one is made and shown without.",
        ),
    ] = None,
    events: Annotated[
        str,
        typer.Option("--events", metavar="LIST", help="Such as promotion.apply,deployment.*"),
    ] = "*",
    models: Annotated[
        str, typer.Option("--models", metavar="SCOPE", help="What it may be told of.")
    ] = "*",
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="It may be an address that is not public.")
    ] = False,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send events to an address from now on."""
    chosen = secret or secrets.token_urlsafe(32)
    with (
        registry_of(data, config, database, registry) as (server, row),
        server.database.writing() as connection,
    ):
        made = add_webhook(
            connection,
            row.key,
            url=url,
            secret=chosen,
            events=[one.strip() for one in events.split(",") if one.strip()],
            models=models,
            allow_private=allow_private,
            now=server.clock(),
        )
    shown = None if secret else chosen
    if as_json:
        emit({"webhook": made, "secret": shown})
        return
    say(f"added {made.id}: {made.url}")
    if shown is not None:
        say(f"its secret, shown this once: {shown}")


@app.command("ls")
def ls(
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List the webhooks, without their secrets, and how many events wait or are dead."""
    d = schema.webhook_delivery.c
    with (
        registry_of(data, config, database, registry) as (server, row),
        server.database.reading() as connection,
    ):
        found = webhooks_of(connection, row.key)
        query = sa.select(d.webhook, d.state, sa.func.count()).where(d.registry == row.key)
        counts = {
            (hook, state): count
            for hook, state, count in connection.execute(query.group_by(d.webhook, d.state))
        }
    if as_json:
        emit({
            "webhooks": [
                {"webhook": one}
                | {state: counts.get((one.id, state), 0) for state in ("waiting", "dead")}
                for one in found
            ]
        })  # fmt: skip
        return
    rows = [
        [one.id, one.url, ",".join(one.events), one.models, str(counts.get((one.id, "waiting"), 0)),
         str(counts.get((one.id, "dead"), 0)), str(one.dropped), day(one.created)]
        for one in found
    ]  # fmt: skip
    table(["ID", "URL", "EVENTS", "MODELS", "WAITING", "DEAD", "DROPPED", "CREATED"], rows)


@app.command("rm")
def rm(
    identity: Identity,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send nothing there any more; what waits is forgotten."""
    with (
        registry_of(data, config, database, registry) as (server, row),
        server.database.writing() as connection,
    ):
        if not remove_webhook(connection, row.key, identity):
            raise _absent(identity)
    if as_json:
        emit({"removed": identity})
    else:
        say(f"removed {identity}")


@app.command("test")
def ping(
    identity: Identity,
    data: Data,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Send a `ping` now, and tell what came back."""
    h = schema.webhook.c
    with registry_of(data, config, database, registry) as (server, row):
        with server.database.reading() as connection:
            found = connection.execute(
                sa.select(schema.webhook).where(h.registry == row.key, h.id == identity)
            ).first()
        if found is None:
            raise _absent(identity)
        now = server.clock()
        body = ping_body((row.key, row.id, row.name), now)
        at = now // 1_000_000
        call = Call(found.url, found.secret, found.allow_private, PING, PING, body, at)
        answer = send(call)
    if not answer.taken:
        raise RegtuiError(f"the ping was not taken: {answer.told}")
    if as_json:
        emit({"status": answer.status})
    else:
        say(f"it answered {answer.status}")


@app.command("deliveries")
def deliveries(
    data: Data,
    webhook: Annotated[
        str | None, typer.Option("--webhook", metavar="ID", help="Of one webhook alone.")
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help="waiting, done or dead.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000)] = 50,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """List events, the newest first, and what became of them."""
    if state not in {None, "waiting", "done", "dead"}:
        raise typer.BadParameter(f"no event is {state!r}: waiting, done or dead")
    d = schema.webhook_delivery.c
    query = sa.select(
        d.id, d.webhook, d.event, d.created, d.state, d.tries, d.due, d.status, d.told, d.ended
    )
    with (
        registry_of(data, config, database, registry) as (server, row),
        server.database.reading() as connection,
    ):
        query = query.where(d.registry == row.key)
        if webhook is not None:
            query = query.where(d.webhook == webhook)
        if state is not None:
            query = query.where(d.state == state)
        query = query.order_by(d.created.desc(), d.id).limit(limit)
        found = [dict(one) for one in connection.execute(query).mappings()]
    if as_json:
        emit({"deliveries": found})
        return
    rows = [
        [one["id"], one["event"], day(one["created"]), one["state"], str(one["tries"]),
         day(one["due"], "") if one["state"] == "waiting" else "", one["told"] or ""]
        for one in found
    ]  # fmt: skip
    table(["ID", "EVENT", "CREATED", "STATE", "TRIES", "NEXT", ""], rows)


@app.command("retry")
def retry(
    data: Data,
    identities: Annotated[list[str] | None, typer.Argument(metavar="[ID]...")] = None,
    every: Annotated[bool, typer.Option("--all", help="All that are dead.")] = False,
    registry: RegistryName = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    as_json: AsJson = False,
) -> None:
    """Let dead events be sent again."""
    if bool(identities) == every:
        raise typer.BadParameter("name events that are dead, or give --all")
    with (
        registry_of(data, config, database, registry) as (server, row),
        server.database.writing() as connection,
    ):
        count = sent_again(connection, row.key, None if every else identities, server.clock())
    if not count and identities:
        raise NotFound(
            "there is no such event that is dead",
            "`regtui-server webhook deliveries --state dead` lists them",
        )
    if as_json:
        emit({"retried": count})
    else:
        say(f"{count} events wait to be sent again")


def _absent(identity: str) -> NotFound:
    return NotFound(f"there is no webhook {identity!r}", "`regtui-server webhook ls` lists them")
