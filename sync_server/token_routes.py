"""Tokens over HTTP: for each about his own, and for admins."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from regtui.core.identity import user_id
from sync_server.access_desk import BASE, AccessRequest, Desk, Text
from sync_server.administration import Administration
from sync_server.asking import Signed
from sync_server.directory import Directory, TokenAnswer
from sync_server.token_roles import checked_role, within

LONGEST = 10 * 365 * 86_400
"""Seconds that a token may last, where it says how long."""


class TokenRequest(AccessRequest):
    """A token: whose (one's own without), what for, what it may do at most, how many seconds."""

    user: Text | None = None
    name: Text = "token"
    roles: Annotated[list[tuple[Text, Text]], Field(max_length=100)] | None = None
    expires_in: Annotated[int, Field(ge=1, le=LONGEST)] | None = None
    once: bool = False


class NewToken(BaseModel):
    """A token's secret, which is told once, and what is known of it."""

    token: str
    known: TokenAnswer


class Tokens(BaseModel):
    """Tokens, oldest first."""

    tokens: list[TokenAnswer]


def add_token_routes(app: FastAPI, desk: Desk, caller: Callable[..., Signed]) -> None:
    """Add them to an application."""
    Asking = Annotated[Signed, Depends(caller)]

    @app.get(BASE + "/tokens")
    def tokens(registry: str, asking: Asking, user: str | None = None) -> Tokens:
        """List tokens without their secrets; who is no admin sees his own."""
        return Tokens(tokens=desk.look(registry, asking, lambda one: one.tokens(user)))

    @app.post(BASE + "/tokens")
    def add_token(registry: str, body: TokenRequest, asking: Asking) -> NewToken:
        """Make a token for oneself; admins also for others."""
        _, who, token = asking
        asked = None
        if body.roles is not None:
            asked = [checked_role(role, scope) for role, scope in body.roles]
        now = desk.server.clock()

        def act(administration: Administration) -> tuple[str, str]:
            whose, roles = who.user, within(asked, who.roles)
            until = None if body.expires_in is None else now + body.expires_in * 1_000_000
            if body.user is None or user_id(body.user) == who.user:
                # It does not outlive the one that made it: a leaked one would never end.
                ends = [one for one in (until, administration.token_end(token)) if one is not None]
                until = min(ends, default=None)
            else:
                administration.need_admin()
                whose, roles = administration.user(body.user).id, asked
            secret = administration.create_token(
                whose, body.name, roles=roles, expires=until, once=body.once
            )
            return secret, administration.token_id(secret)

        def result(made: tuple[str, str], directory: Directory) -> NewToken:
            return NewToken(token=made[0], known=directory.token(made[1]))

        return desk.change_and_look(registry, asking, act, result)

    @app.delete(BASE + "/tokens/{identity}")
    def revoke_token(registry: str, identity: str, asking: Asking) -> TokenAnswer:
        """Make a token good for nothing."""
        desk.look(registry, asking, lambda one: one.token(identity))
        return desk.change_and_look(
            registry,
            asking,
            lambda one: one.revoke_token(identity),
            lambda _, one: one.token(identity),
        )
