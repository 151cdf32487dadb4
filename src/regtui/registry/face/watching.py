"""Watching: what trainers finish becomes versions by itself."""

from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from regtui.capture.events import Event
    from regtui.registry.watch import Stop
    from regtui.registry.watch_process import Started
    from regtui.registry.watch_rules import WatchRule
    from regtui.registry.watch_status import WatchStatus
    from regtui.registry.watch_test import Explained


class WatchingVerbs(Verbs):
    """Watch folders, keep rules for them, and tell what would be captured."""

    def watch(
        self,
        rules: "Sequence[WatchRule]" = (),
        *,
        tell: "Callable[[Event], object]",
        once: bool = False,
        stop: "Stop | None" = None,
        checks: bool = True,
    ) -> None:
        """Capture what trainers finish in folders, now and since last time.

        Args:
            rules: The folders and how they are watched; none for those that are kept.
            tell: Is given each event, in this thread.
            once: Whether to end when nothing is ready any more; else `stop` ends it.
            stop: Call it, from any thread or handler of signals, to end the watcher.
            checks: Whether the checks that go with a capture are run.

        Raises:
            BadInput: There is nothing to watch, or a rule or recogniser is malformed.
            RegtuiError: The home may not be written.
        """
        from regtui.registry import watch

        watch.watch(self.context, rules, tell, once=once, stop=stop, checks=checks)

    def watch_rules(self) -> "list[WatchRule]":
        """Return the folders that are watched where none is named.

        Raises:
            BadInput: The file of rules is malformed.
        """
        from regtui.registry import watch_rules

        return watch_rules.rules(self.context.home)

    def watch_rule(self, path: str) -> "WatchRule | None":
        """Return the kept rule of a folder; None where it has none.

        Raises:
            BadInput: The file of rules is malformed.
        """
        from regtui.registry import watch_rules

        return watch_rules.rule_of(self.context.home, path)

    def add_watch_rule(self, rule: "WatchRule") -> "WatchRule":
        """Keep a rule, in the place of another one for the same folder.

        Raises:
            BadInput: Something in it means nothing.
        """
        from regtui.registry import watch, watch_rules

        self.context.replica.make()
        watch.check_named(self.context, rule)
        return watch_rules.add(self.context.home, rule)

    def remove_watch_rule(self, path: str) -> "WatchRule":
        """Remove the rule of a folder.

        Raises:
            NotFound: It has none.
        """
        from regtui.registry import watch_rules

        return watch_rules.remove(self.context.home, path)

    def watch_test(
        self,
        path: str,
        *,
        model: str | None = None,
        keep: str | None = None,
        exclude: "Sequence[str] | None" = None,
        rule: "WatchRule | None" = None,
    ) -> "Explained":
        """Tell what would be captured of a file or folder, and why or why not; nothing is done.

        Args:
            path: The file or folder.
            model: Name of the model, with fields or without; None for what the rule says.
            keep: Which states would be kept; None likewise.
            exclude: Patterns of what is left out; None likewise.
            rule: What it is judged by; None for the kept rule that watches the path, if one does.

        Raises:
            NotFound: There is no such path.
            BadInput: A recogniser of the user's, a rule or the name is malformed.
        """
        from regtui.registry import watch_test

        return watch_test.explain(
            self.context, path, model=model, keep=keep, exclude=exclude, rule=rule
        )

    def watch_status(self, *, limit: int | None = None) -> "WatchStatus":
        """Tell what is watched, by whom, what is being captured, and what watchers told of late.

        Args:
            limit: How many events at most; None for the last 200.
        """
        from regtui.registry import watch_status

        return watch_status.watch_status(
            self.context, limit=watch_status.EVENTS if limit is None else limit
        )

    def start_watcher(self) -> "Started":
        """Start a watcher by the rules in the background, unless there is one.

        Returns:
            Its process, and whether it is new.

        Raises:
            BadInput: There are no rules, or they are malformed.
            RegtuiError: It could not be started.
        """
        from regtui.registry import watch_process

        return watch_process.start_watcher(self.context)

    def stop_watchers(self) -> list[int]:
        """Stop the watchers by the rules on this machine; what they have taken is finished.

        Returns:
            Their processes.

        Raises:
            RegtuiError: One belongs to somebody else, or does not end in time.
        """
        from regtui.registry import watch_process

        return watch_process.stop_watchers(self.context)
