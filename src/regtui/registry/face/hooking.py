"""Hooks: commands that are run when something was done."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.hook_rules import HookAnswer
    from regtui.registry.hooks import HookRun


class HookVerbs(Verbs):
    """Keep hooks of this home, try them and tell what they did."""

    def add_hook(
        self, on: Iterable[str], run: str, *, models: str = "*", timeout: str = "1m"
    ) -> "HookAnswer":
        """Run a command whenever something is done from now on.

        Args:
            on: Events: kinds of operations, a group such as `promotion.*`, `alias.moved`,
                `conflict.opened`, or `*`.
            run: The command, as a shell reads it; it gets the operation as JSON on standard input.
            models: Models that it is for: a name, a folder of names (`team/*`), or `*`.
            timeout: How long it may take.

        Raises:
            BadInput: Something in it means nothing, or the file of hooks is malformed.
            RegtuiError: The home or the configuration folder can't be written.
        """
        from regtui.registry import hooks
        from regtui.registry.hook_rules import Hook, checked

        hook = checked(Hook(on=tuple(on), run=run, models=models, timeout=timeout))
        return hooks.add_hook(self.context, hook)

    def hooks(self) -> "list[HookAnswer]":
        """Return the hooks, in the order of their file.

        Raises:
            BadInput: The file of hooks is malformed.
        """
        from regtui.registry import hook_rules

        return hook_rules.listed(self.context.home)

    def remove_hook(self, name: str) -> "HookAnswer":
        """Remove a hook and return it.

        Raises:
            NotFound: There is none.
            BadInput: Several are called that, or the file of hooks is malformed.
        """
        from regtui.registry import hook_rules

        gone = hook_rules.remove(self.context.home, name)
        return hook_rules.answer(gone, trusted=False)

    def try_hook(self, name: str, seq: int | None = None) -> "HookRun":
        """Run a hook now, for the newest operation that it is for, or for one by its number.

        Raises:
            NotFound: There is no such hook or operation.
            BadInput: Several are called that, or the file of hooks is malformed.
        """
        from regtui.registry import hooks

        return hooks.try_hook(self.context, name, seq)

    def run_hooks(self) -> "list[HookRun]":
        """Run hooks for what was done since they were run last; return what was run.

        Raises:
            BadInput: The file of hooks is malformed.
            RegtuiError: The home can't be written.
        """
        from regtui.registry import hooks

        return hooks.run_hooks(self.context)

    def hook_log(self, *, limit: int = 50) -> "list[HookRun]":
        """Return the last runs of hooks, newest first."""
        from regtui.registry import hooks

        return hooks.hook_log(self.context, limit=limit)
