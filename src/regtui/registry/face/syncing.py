"""Syncing: the server that decides, what waits for it, and what it refused."""

from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from regtui.artifacts.copying import Progress
    from regtui.registry.outbox import OutboxEntry
    from regtui.registry.publishing import Publication
    from regtui.registry.remote import RemoteAnswer
    from regtui.registry.syncing import Pulled
    from regtui.sync.client import OnStep, Synced


class SyncingVerbs(Verbs):
    """Join a server, sync with it, and look after what it refused."""

    def add_remote(self, url: str) -> "RemoteAnswer":
        """Note the address of the server that shall decide.

        Raises:
            BadInput: It is no address, there is a remote already, or the registry here has a
                history of its own.
        """
        from regtui.registry import remote

        return remote.add_remote(self.context, url)

    def move_remote(self, url: str) -> "RemoteAnswer":
        """Follow the server to another address.

        Raises:
            NotFound: There is no remote, or nobody is signed in to it.
            BadInput: It is no address, or another server answers there.
            Unreachable: Nothing answers there.
        """
        from regtui.registry import remote

        return remote.move_remote(self.context, url)

    def remote(self) -> "RemoteAnswer":
        """Return the remote.

        Raises:
            NotFound: There is none.
        """
        from regtui.registry import remote

        return remote.remote_of(self.context)

    def remove_remote(self) -> str:
        """Forget a remote that was not joined yet, and return its address.

        Raises:
            NotFound: There is none.
            BadInput: The replica belongs to it.
        """
        from regtui.registry import remote

        return remote.remove_remote(self.context)

    def login(self, token: str) -> "RemoteAnswer":
        """Sign in with a token and join the registry that it is for.

        Raises:
            NotFound: There is no remote.
            Denied: The token is not good.
            BadInput: The registry here is another remote's, or somebody else's.
            Unreachable: The server does not answer.
        """
        from regtui.registry import remote

        return remote.login(self.context, token)

    def logout(self) -> str:
        """Sign out and return the server's address; what is here stays.

        Raises:
            NotFound: Nobody is signed in.
            Unreachable: The token is forgotten here, and stays good at the server.
        """
        from regtui.registry import remote

        return remote.logout(self.context)

    def sync(
        self,
        *,
        artifacts: str | None = None,
        direction: str = "both",
        on_progress: "Progress | None" = None,
        on_step: "OnStep | None" = None,
    ) -> "Synced":
        """Send what waits and read what is newer.

        Args:
            artifacts: Whose files travel, both ways: `all`, `aliased` or `none`; None sends those
                of versions that were captured here, and fetches none.
            direction: `both`, `push` or `pull`.
            on_progress: Is told how many more bytes of files are done.
            on_step: Is told before each step what it is, `asking` the server or `storing` here,
                and what was done so far; what it raises ends the sync with nothing half done.

        Raises:
            BadInput: There is no such choice of files or direction.
            NotFound: There is no remote, or nobody is signed in.
            Unreachable: The server does not answer; local work is safe.
            Denied: The token is not good any more; local work goes on.
        """
        from regtui.registry import syncing

        return syncing.sync(
            self.context,
            artifacts=artifacts,
            direction=direction,
            on_progress=on_progress,
            on_step=on_step,
        )

    def fetch_history(self, *, on_progress: "Progress | None" = None) -> int:
        """Read the operations that are not here from the remote, and return how many came.

        Args:
            on_progress: Is told how many more operations came.

        Raises:
            NotFound: There is no remote, or nobody is signed in.
            Unreachable: The server does not answer.
            Busy: Another process syncs this registry.
        """
        from regtui.registry import remote_history

        return remote_history.fetch_history(self.context, on_progress)

    def publish(self, *, dry_run: bool = False) -> "Publication":
        """Make the history of a registry without a server ready to be sent to its remote.

        Args:
            dry_run: Whether to tell only.

        Raises:
            NotFound: There is no remote, or nobody is signed in.
            BadInput: It was published already, or has nothing to publish.
            Denied: Who is signed in may change nothing there.
            Unreachable: The server does not answer.
            RegtuiError: The disk is full, or somebody wrote to the registry meanwhile.
        """
        from regtui.registry import publishing

        return publishing.publish(self.context, dry_run=dry_run)

    def wait_for_news(self, seconds: float, *, is_over: "Callable[[], bool] | None" = None) -> bool:
        """Wait until somebody else changed the registry at the remote.

        Args:
            seconds: How long to wait.
            is_over: Is asked every other second whether to stop.

        Returns:
            Whether there is something to sync; False when the time is over.

        Raises:
            NotFound: There is no remote, or nobody is signed in.
            Unreachable: The server does not answer.
            Denied: The token is not good any more.
        """
        from regtui.registry import syncing

        return syncing.wait_for_news(self.context, seconds, is_over)

    def pull(
        self, references: "Iterable[str]", *, on_progress: "Progress | None" = None
    ) -> "Pulled":
        """Fetch the files of versions from the remote; those that are here already stay.

        Args:
            references: Of versions.
            on_progress: Is told how many more bytes are done.

        Raises:
            NotFound: There is no such version, no remote, or its files are not on the server.
            Unreachable: The server does not answer; what came stays.
            Denied: The token is not good any more.
            RegtuiError: The disk is full.
        """
        from regtui.registry import syncing

        return syncing.pull(self.context, references, on_progress)

    def ask_server(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Ask the server for what it alone knows, such as people and grants.

        Args:
            method: Such as `GET`.
            path: Below the registry's address.
            body: JSON.
            query: Parameters.

        Raises:
            NotFound: There is no remote, or nobody is signed in.
            Denied: It is not this person's to ask.
            Unreachable: The server does not answer.
        """
        from regtui.registry import asking

        return asking.ask(self.context, method, path, body, **query)

    def outbox(self) -> "list[OutboxEntry]":
        """Return what waits for the server and what it refused, oldest first."""
        from regtui.registry import outbox

        return outbox.outbox(self.context)

    def retry(self, identity: str | None = None) -> "list[OutboxEntry]":
        """Make refused operations again on what stands now; None for all of them.

        Raises:
            NotFound: There is no such one.
            BadInput: It was not refused, or would be refused again.
        """
        from regtui.registry import outbox

        return outbox.retry(self.context, identity)

    def amend(self, identity: str, values: "dict[str, Any]") -> "list[OutboxEntry]":
        """Make a refused operation again with other values, with what depends on it.

        Args:
            identity: The operation's id, or an end of it.
            values: Other values by path, of those that it sets; None takes one away.

        Raises:
            NotFound: There is no such one.
            BadInput: It was not refused, sets no such value, or would be refused again.
        """
        from regtui.registry import outbox

        return outbox.amend(self.context, identity, values)

    def discard(self, identity: str | None = None) -> "list[OutboxEntry]":
        """Let refused operations go; None for all of them.

        Raises:
            NotFound: There is no such one.
            BadInput: It was not refused.
        """
        from regtui.registry import outbox

        return outbox.discard(self.context, identity)

    def discard_waiting(self, identity: str) -> "list[OutboxEntry]":
        """Let an operation go that waits, with what was done as one: the server does not take it.

        Where the server has it after all, the next sync brings it back.

        Raises:
            NotFound: There is no such one.
            BadInput: It does not wait.
            Busy: Another process syncs this registry.
        """
        from regtui.registry import outbox

        return outbox.discard_waiting(self.context, identity)
