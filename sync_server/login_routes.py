"""Signing in and out over HTTP."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from fastapi import Depends, FastAPI, Request
from pydantic import BaseModel, Field

from sync_server.asking import Signed, guarded, own_registry
from sync_server.login import (
    ask_device,
    begin_device,
    log_in,
    log_out,
    settle_device,
)
from sync_server.server import Server

Secret = Annotated[str, Field(min_length=1, max_length=200)]


class LoginRequest(BaseModel):
    """A token, good once or lasting."""

    token: Secret


class DeviceRequest(BaseModel):
    """What the machine is called, for whoever signs it in."""

    name: Annotated[str, Field(max_length=200)] = "device"


class DeviceTokenRequest(BaseModel):
    """What the machine got when it began to wait."""

    device_code: Secret


class SignedInAnswer(BaseModel):
    """A lasting token, and whose it is where."""

    token: str
    registry: str
    registry_name: str
    user: str
    name: str


class DeviceAnswer(BaseModel):
    """What a machine shows, what it asks with, and how often (seconds)."""

    device_code: str
    user_code: str
    verification: str
    interval: int
    expires_in: int


def add_login_routes(app: FastAPI, server: Server, caller: Callable[..., Signed]) -> None:
    """Add them to an application."""
    Asking = Annotated[Signed, Depends(caller)]

    @app.post("/v1/login")
    def login(body: LoginRequest, request: Request) -> SignedInAnswer:
        """Exchange a one-time token for a lasting one."""
        with guarded(request):
            made = log_in(server, body.token)
        return SignedInAnswer(**msgspec.structs.asdict(made))

    @app.post("/v1/logout")
    def logout(asking: Asking) -> dict[str, str]:
        """Revoke the token that is used."""
        log_out(server, asking[2])
        return {"status": "signed out"}

    @app.post("/v1/device")
    def device(body: DeviceRequest, request: Request) -> DeviceAnswer:
        """Let a machine wait for somebody who signs it in."""
        request.app.state.devices.take(_address(request))
        return DeviceAnswer(**msgspec.structs.asdict(begin_device(server, body.name)))

    @app.post("/v1/device/token")
    def device_token(body: DeviceTokenRequest, request: Request) -> SignedInAnswer:
        """Ask whether it was."""
        # A machine that waits asks often, and each has a bucket of its own.
        request.app.state.limiter.take(f"device {body.device_code}")
        made = ask_device(server, body.device_code)
        return SignedInAnswer(**msgspec.structs.asdict(made))

    @app.post("/v1/registries/{registry}/device/{user_code}/approve")
    def approve(registry: str, user_code: str, asking: Asking, request: Request) -> dict[str, str]:
        """Sign a machine in for oneself."""
        return settle(registry, user_code, asking, request, approves=True)

    @app.post("/v1/registries/{registry}/device/{user_code}/deny")
    def deny(registry: str, user_code: str, asking: Asking, request: Request) -> dict[str, str]:
        """Refuse a machine."""
        return settle(registry, user_code, asking, request, approves=False)

    def settle(
        registry: str, code: str, asking: Signed, request: Request, *, approves: bool
    ) -> dict[str, str]:
        own_registry(server, registry, asking)
        key, who, token = asking
        # Codes are short: each try costs, right or wrong.
        request.app.state.codes.take(who.user)
        name = settle_device(server, key, who, token, code, approves=approves)
        return {"device": name, "state": "approved" if approves else "denied"}


def _address(request: Request) -> str:
    return "" if request.client is None else request.client.host
