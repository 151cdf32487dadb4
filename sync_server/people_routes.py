"""People and teams over HTTP: for admins, and for each about himself."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field, model_validator

from regtui.core.identity import user_id
from sync_server.access_desk import BASE, AccessRequest, Desk, Text
from sync_server.administration import Administration
from sync_server.asking import Signed
from sync_server.directory import Directory, TeamAnswer, UserAnswer


class UserRequest(AccessRequest):
    """A person, or a service account and its owner's name."""

    name: Text
    display_name: Text | None = None
    kind: Literal["person", "service"] | None = None
    owner: Text | None = None

    @model_validator(mode="after")
    def _owned(self) -> "UserRequest":
        if self.kind is not None and (self.kind == "service") != (self.owner is not None):
            raise ValueError("a service account has an owner, and nobody else has")
        return self


class UserChange(AccessRequest):
    """What changes of a user; what is not given stays, null takes it away."""

    state: Literal["active", "disabled"] = "active"
    display_name: Text | None = None


class TeamRequest(AccessRequest):
    """What changes of a team: names of users who join and leave; what is not given stays.

    A description that is null is taken away.
    """

    add: Annotated[list[Text], Field(max_length=500, default_factory=list)]
    remove: Annotated[list[Text], Field(max_length=500, default_factory=list)]
    description: Text | None = None
    state: Literal["active", "deleted"] = "active"


class UserResult(BaseModel):
    """A user, and whether he is new."""

    user: UserAnswer
    created: bool


class Users(BaseModel):
    """Users by name."""

    users: list[UserAnswer]


class Teams(BaseModel):
    """Teams by name."""

    teams: list[TeamAnswer]


def add_people_routes(app: FastAPI, desk: Desk, caller: Callable[..., Signed]) -> None:
    """Add them to an application."""
    Asking = Annotated[Signed, Depends(caller)]

    @app.get(BASE + "/users")
    def users(registry: str, asking: Asking) -> Users:
        """List everybody; who is no admin sees himself."""
        return Users(users=desk.look(registry, asking, lambda one: one.users()))

    @app.get(BASE + "/users/{name}")
    def user(registry: str, name: str, asking: Asking) -> UserAnswer:
        """Show a user."""
        return desk.look(registry, asking, lambda one: one.user(name))

    @app.post(BASE + "/users")
    def add_user(registry: str, body: UserRequest, asking: Asking) -> UserResult:
        """Make somebody known; again, it changes only what is given."""

        def act(administration: Administration) -> bool:
            administration.need_admin()
            values: dict[str, Any] = {}
            if body.display_name is not None:
                values["display_name"] = body.display_name
            is_new = administration.authority.view.document(user_id(body.name)) is None
            if body.owner is not None:
                administration.put_service(body.name, body.owner, **values)
            else:
                administration.put_user(body.name, **values)
            return is_new

        def result(is_new: bool, directory: Directory) -> UserResult:
            return UserResult(user=directory.user(body.name), created=is_new)

        return desk.change_and_look(registry, asking, act, result)

    @app.patch(BASE + "/users/{name}")
    def change_user(registry: str, name: str, body: UserChange, asking: Asking) -> UserAnswer:
        """Disable or enable a user, or change what he is called."""

        def act(administration: Administration) -> None:
            administration.need_admin()
            administration.user(name)
            administration.put_user(name, **body.model_dump(exclude_unset=True))

        return desk.change_and_look(registry, asking, act, lambda _, one: one.user(name))

    @app.get(BASE + "/teams")
    def teams(registry: str, asking: Asking) -> Teams:
        """List the teams; who is no admin sees those that he is in."""
        return Teams(teams=desk.look(registry, asking, lambda one: one.teams()))

    @app.get(BASE + "/teams/{name}")
    def team(registry: str, name: str, asking: Asking) -> TeamAnswer:
        """Show a team."""
        return desk.look(registry, asking, lambda one: one.team(name))

    @app.put(BASE + "/teams/{name}")
    def put_team(registry: str, name: str, body: TeamRequest, asking: Asking) -> TeamAnswer:
        """Make a team, or change it."""

        def act(administration: Administration) -> None:
            administration.need_admin()
            values = body.model_dump(exclude_unset=True, exclude={"add", "remove"})
            members = dict.fromkeys(body.add, True) | dict.fromkeys(body.remove, False)
            administration.put_team(name, members, **values)

        return desk.change_and_look(registry, asking, act, lambda _, one: one.team(name))
