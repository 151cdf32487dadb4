"""Replicas over HTTP: for admins, and for each about his own."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel

from sync_server.access_desk import BASE, Desk
from sync_server.asking import Signed
from sync_server.directory import ReplicaAnswer


class Replicas(BaseModel):
    """Replicas, newest sign of life first."""

    replicas: list[ReplicaAnswer]


def add_replica_routes(app: FastAPI, desk: Desk, caller: Callable[..., Signed]) -> None:
    """Add them to an application."""
    Asking = Annotated[Signed, Depends(caller)]

    @app.get(BASE + "/replicas")
    def replicas(registry: str, asking: Asking) -> Replicas:
        """List the replicas; who is no admin sees his own."""
        return Replicas(replicas=desk.look(registry, asking, lambda one: one.replicas()))

    @app.get(BASE + "/replicas/{identity}")
    def replica(registry: str, identity: str, asking: Asking) -> ReplicaAnswer:
        """Show a replica."""
        return desk.look(registry, asking, lambda one: one.replica(identity))

    @app.delete(BASE + "/replicas/{identity}")
    def revoke_replica(registry: str, identity: str, asking: Asking) -> ReplicaAnswer:
        """Stop a replica from syncing, for good."""
        desk.look(registry, asking, lambda one: one.replica(identity))
        return desk.change_and_look(
            registry,
            asking,
            lambda one: one.revoke_replica(identity),
            lambda _, one: one.replica(identity),
        )
