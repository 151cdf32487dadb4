"""Grants over HTTP: for the admins of a scope, and for each about himself."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from sync_server.access_desk import BASE, AccessRequest, Desk, Text
from sync_server.administration import Administration
from sync_server.asking import Signed
from sync_server.directory import GrantAnswer


class GrantRequest(AccessRequest):
    """A role in a scope for a user, or for `team:NAME`."""

    holder: Text
    role: Text
    scope: Text


class Grants(BaseModel):
    """Grants by holder and scope."""

    grants: list[GrantAnswer]


def add_grant_routes(app: FastAPI, desk: Desk, caller: Callable[..., Signed]) -> None:
    """Add them to an application."""
    Asking = Annotated[Signed, Depends(caller)]

    @app.get(BASE + "/grants")
    def grants(registry: str, asking: Asking) -> Grants:
        """List who may do what; who is no admin sees what he may do himself."""
        return Grants(grants=desk.look(registry, asking, lambda one: one.grants()))

    @app.post(BASE + "/grants")
    def add_grant(registry: str, body: GrantRequest, asking: Asking) -> GrantAnswer:
        """Give a role in a scope."""

        def act(administration: Administration) -> str:
            administration.need_admin(body.scope)
            return administration.grant(body.holder, body.role, body.scope).id

        return desk.change_and_look(registry, asking, act, lambda made, one: one.grant(made))

    @app.delete(BASE + "/grants")
    def remove_grant(registry: str, holder: str, scope: str, asking: Asking) -> dict[str, str]:
        """Take the role in a scope away."""

        def act(administration: Administration) -> None:
            administration.need_admin(scope)
            administration.grant(holder, None, scope)

        desk.change(registry, asking, act)
        return {"holder": holder, "scope": scope}
