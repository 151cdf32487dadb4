"""People: who is there, who may do what where, and what they sign in with; asked of the server."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers_access import (
        GrantAnswer,
        NewTokenAnswer,
        ReplicaAnswer,
        TeamAnswer,
        TokenAnswer,
        UserAnswer,
        WaitingDevice,
    )
    from regtui.registry.remote import RemoteAnswer


class PeopleVerbs(Verbs):
    """Look after people, teams, grants, tokens and replicas.

    All of it is kept on the server alone. Beside what each method names, all of them may raise
    `NotFound` (there is no remote, or nobody is signed in), `Unreachable` (the server does not
    answer) and `Denied` (the token is not good any more).
    """

    def users(self) -> "list[UserAnswer]":
        """Return everybody by name; who is no admin sees himself."""
        from regtui.registry import people

        return people.users(self.context)

    def user(self, name: str) -> "UserAnswer":
        """Return a user.

        Raises:
            NotFound: There is none, or one may not know.
        """
        from regtui.registry import people

        return people.user(self.context, name)

    def add_user(
        self, name: str, *, display_name: str | None = None, service_of: str | None = None
    ) -> "tuple[UserAnswer, bool]":
        """Make somebody known, and tell whether he was not before; `add_grant` lets him see.

        Args:
            name: One word, without `/`.
            display_name: What he is called.
            service_of: Name of the person for whom it acts, of a service account.

        Raises:
            BadInput: Nobody can be called so, or the owner is no person.
            Denied: This is for admins.
            NotFound: There is no such owner.
        """
        from regtui.registry import people

        return people.add_user(self.context, name, display_name=display_name, service_of=service_of)

    def change_user(
        self, name: str, *, state: str | None = None, display_name: str | None = None
    ) -> "UserAnswer":
        """Disable or enable somebody, or change what he is called; what is not given stays.

        Args:
            name: Of the user.
            state: `active` or `disabled`; who is disabled is out at once, with his service
                accounts.
            display_name: What he is called; an empty one is taken away.

        Raises:
            NotFound: There is none.
            Denied: This is for admins.
            BadInput: There is no such state, nothing was given, or nobody would be left who may
                administrate.
        """
        from regtui.registry import people

        return people.change_user(self.context, name, state=state, display_name=display_name)

    def teams(self) -> "list[TeamAnswer]":
        """Return the teams by name; who is no admin sees those that he is in."""
        from regtui.registry import people

        return people.teams(self.context)

    def team(self, name: str) -> "TeamAnswer":
        """Return a team.

        Raises:
            NotFound: There is none, or one may not know.
        """
        from regtui.registry import people

        return people.team(self.context, name)

    def put_team(
        self,
        name: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        description: str | None = None,
        state: str | None = None,
    ) -> "TeamAnswer":
        """Make a team, or change it; what is not given stays.

        Args:
            name: One word, without `/`.
            add: Names of users who join.
            remove: Names of users who leave.
            description: What it is for; an empty one is taken away.
            state: `active` or `deleted`; a deleted one hands no roles on.

        Raises:
            NotFound: There is no such user.
            Denied: This is for admins.
            BadInput: No team can be called so, there is no such state, somebody shall join and
                leave, or nobody would be left who may administrate.
        """
        from regtui.registry import people

        return people.put_team(
            self.context, name, add=add, remove=remove, description=description, state=state
        )

    def grants(self) -> "list[GrantAnswer]":
        """Return who may do what where; who is no admin of a scope sees what he has himself."""
        from regtui.registry import grants

        return grants.grants(self.context)

    def add_grant(self, holder: str, role: str, scope: str) -> "GrantAnswer":
        """Give a role in a scope, in place of the one that the holder had in this very scope.

        Args:
            holder: A user's name, or `team:NAME`.
            role: `reporter`, `viewer`, `contributor`, `approver`, `maintainer` or `admin`.
            scope: `*`, a prefix such as `nlp/*`, or one model.

        Raises:
            BadInput: There is no such role or scope, or nobody would be left who may administrate.
            Denied: This is for admins of the scope.
            NotFound: There is no such user or team.
        """
        from regtui.registry import grants

        return grants.add_grant(self.context, holder, role, scope)

    def remove_grant(self, holder: str, scope: str) -> None:
        """Take the role in a scope away.

        Raises:
            BadInput: It is no scope, or nobody would be left who may administrate.
            Denied: This is for admins of the scope.
            NotFound: There is no such user, team or grant.
        """
        from regtui.registry import grants

        grants.remove_grant(self.context, holder, scope)

    def tokens(self, user: str | None = None) -> "list[TokenAnswer]":
        """Return tokens without their secrets, oldest first; who is no admin sees his own.

        Args:
            user: Only those of the user with this name.
        """
        from regtui.registry import tokens

        return tokens.tokens(self.context, user)

    def create_token(
        self,
        user: str | None = None,
        *,
        name: str = "token",
        roles: Sequence[tuple[str, str]] | None = None,
        expires: str | None = None,
        once: bool = False,
    ) -> "NewTokenAnswer":
        """Make a token; its secret is told this once.

        Args:
            user: Whose it shall be; None for one's own.
            name: What it is for.
            roles: What it may do at most, as `(role, scope)`; None for all that its user may.
            expires: After how long it stops being good, such as `30d`; None for never.
            once: Whether it is good for one login only.

        Raises:
            BadInput: A role, scope or duration makes no sense.
            Denied: Only admins make tokens for others, and no token makes a wider one.
            NotFound: There is no such user.
        """
        from regtui.registry import tokens

        return tokens.create_token(
            self.context, user, name=name, roles=roles, expires=expires, once=once
        )

    def revoke_token(self, identity: str) -> "TokenAnswer":
        """Make a token good for nothing, at once.

        Args:
            identity: Its id, or the beginning or end of it.

        Raises:
            NotFound: There is none, or one may not know.
            BadInput: Several ids begin or end so.
        """
        from regtui.registry import tokens

        return tokens.revoke_token(self.context, identity)

    def replicas(self) -> "list[ReplicaAnswer]":
        """Return the replicas, newest sign of life first; who is no admin sees his own."""
        from regtui.registry import replicas

        return replicas.replicas(self.context)

    def revoke_replica(self, identity: str) -> "ReplicaAnswer":
        """Stop a replica from syncing, for good; what it has stays on its machine.

        Args:
            identity: Its id, or the beginning or end of it.

        Raises:
            NotFound: There is none, or one may not know.
            BadInput: Several ids begin or end so.
        """
        from regtui.registry import replicas

        return replicas.revoke_replica(self.context, identity)

    def begin_device(self) -> "WaitingDevice":
        """Let this machine wait for somebody who signs it in; it shows him the code.

        Raises:
            NotFound: There is no remote.
        """
        from regtui.registry import device

        return device.begin_device(self.context)

    def ask_device(self, waiting: "WaitingDevice") -> "RemoteAnswer | None":
        """Ask whether this machine was signed in, and if so join the registry; None for not yet.

        Args:
            waiting: What `begin_device` returned.

        Raises:
            Denied: Whoever was asked refused it, or the code is not good any more.
            BadInput: The registry here is another remote's, or somebody else's.
            Unreachable: The server does not answer; asking again is safe.
        """
        from regtui.registry import device

        return device.ask_device(self.context, waiting)

    def settle_device(self, code: str, *, approves: bool) -> str:
        """Sign a machine that waits in for oneself, or refuse it; return what it calls itself.

        Args:
            code: What it shows; case and dashes do not matter.
            approves: Whether it shall act for this person.

        Raises:
            NotFound: Nobody is signed in here, or no machine waits with this code.
        """
        from regtui.registry import device

        return device.settle_device(self.context, code, approves=approves)
