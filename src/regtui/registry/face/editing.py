"""Editing: what is known of models and versions, their aliases and states."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers import AliasAnswer
    from regtui.registry.answers_production import Moved
    from regtui.registry.series import Series


class EditingVerbs(Verbs):
    """Change what is known of models and versions."""

    def create_model(self, name: str, wanted: Mapping[str, Any] | None = None) -> bool:
        """Make a model, or change the one that holds the name; False where nothing changed.

        Args:
            name: Its name, such as `team/model`.
            wanted: Value by path, such as `description` or `tags/task`.

        Raises:
            BadInput: The name or a value is malformed.
        """
        from regtui.registry import edit

        return edit.create_model(self.context, name, wanted or {})

    def edit(
        self,
        reference: str,
        wanted: Mapping[str, Any],
        *,
        seen: Mapping[str, Any] | None = None,
    ) -> bool:
        """Change values of a model or version; False where they are there already.

        Args:
            reference: A model or version.
            wanted: Value by path, such as `tags/env`; None takes it away. A metric is a number or
                a pair of value and step.
            seen: What the person saw at some of those paths, where that was a while ago.

        Raises:
            NotFound: There is no such model or version, or it is deleted.
            BadInput: A path or value is malformed.
            ConflictOpen: A value is not the one that the person saw; nothing is changed.
        """
        from regtui.registry import edit

        return edit.edit(self.context, reference, wanted, seen=seen)

    def edit_all(self, references: Iterable[str], wanted: Mapping[str, Any]) -> int:
        """Change the same values of several versions at once; return how many changed.

        It is all or nothing, and one step to undo.

        Args:
            references: The versions.
            wanted: Value by path; None takes it away.

        Raises:
            NotFound: There is no such version, or it is deleted.
            BadInput: A path or value is malformed.
        """
        from regtui.registry import edit

        return edit.edit_all(self.context, references, wanted)

    def card(self, reference: str) -> str:
        """Return a model's card; empty where it has none.

        Raises:
            NotFound: There is no such model.
        """
        from regtui.registry import edit

        return edit.card(self.context, reference)

    def edit_card(self, reference: str, editor: Callable[[str], str]) -> bool:
        """Change a model's card in an editor, which may stay open; False where nothing changed.

        Args:
            reference: The model.
            editor: Returns the new card for the present one.

        Raises:
            NotFound: There is no such model.
            ConflictOpen: Somebody else changed the same lines meanwhile; nothing is changed.
        """
        from regtui.registry import edit

        return edit.edit_card(self.context, reference, editor)

    def write_card(self, reference: str, text: str, *, seen: str) -> bool:
        """Write a model's card; False where it is so already.

        What somebody else changed since is merged by lines.

        Args:
            reference: The model.
            text: The new card; an empty one takes it away.
            seen: The card that the person began with.

        Raises:
            NotFound: There is no such model.
            ConflictOpen: Somebody else changed the same lines meanwhile; nothing is changed.
        """
        from regtui.registry import edit

        return edit.write_card(self.context, reference, text, seen=seen)

    def add_series(
        self, reference: str, series: "Mapping[str, Series]", *, run: str | None = None
    ) -> bool:
        """Add the course of metrics to a version; False where it is there already.

        Args:
            reference: The version.
            series: By metric.
            run: Name of the training run.

        Raises:
            NotFound: There is no such version, or it is deleted.
            BadInput: A name is malformed, or a series is too long.
        """
        from regtui.registry import series as kept

        return kept.attach_series(self.context, reference, series, run=run)

    def set_alias(self, reference: str, name: str) -> bool:
        """Point an alias to a version; False where it points there already.

        Raises:
            NotFound: There is no such version, or it is deleted.
            BadInput: The alias name is malformed or reserved.
        """
        from regtui.registry import aliases

        return aliases.set_alias(self.context, reference, name)

    def move_alias(self, reference: str, name: str) -> "tuple[bool, Moved]":
        """Point an alias to a version; tell whether it did not yet, and what became of it.

        One that policies protect is only requested where a server decides.

        Raises:
            NotFound: There is no such version, or it is deleted.
            BadInput: The alias name is malformed or reserved.
            Blocked: A policy protects it, and a gate says no.
        """
        from regtui.registry import aliases

        return aliases.move_alias(self.context, reference, name)

    def remove_alias(self, reference: str) -> "Moved":
        """Take an alias, given as `MODEL@ALIAS`, away.

        One that policies protect is only requested where a server decides.

        Raises:
            NotFound: There is no such model or alias.
            BadInput: The reference does not name an alias.
            Blocked: A policy protects it, and a gate says no.
        """
        from regtui.registry import aliases

        return aliases.remove_alias(self.context, reference)

    def aliases(self, model: str | None = None) -> "list[AliasAnswer]":
        """Return the aliases of one model or of all, by model and name.

        Raises:
            NotFound: There is no such model.
        """
        from regtui.registry import aliases

        return aliases.aliases(self.context, model)

    def change_state(self, kind: str, reference: str, verb: str) -> bool:
        """Archive, delete or restore a model or version; False where it is so already.

        Args:
            kind: `model` or `version`.
            reference: What to change.
            verb: `archive`, `delete` or `restore`.

        Raises:
            NotFound: There is no such model or version.
            BadInput: Its state does not allow it.
        """
        from regtui.registry import states

        return states.change_state(self.context, kind, reference, verb)

    def change_states(self, references: Iterable[str], verb: str) -> int:
        """Archive, delete or restore several versions at once; return how many changed.

        It is all or nothing, and one step to undo.

        Args:
            references: The versions.
            verb: `archive`, `delete` or `restore`.

        Raises:
            NotFound: There is no such version.
            BadInput: The state of one does not allow it.
        """
        from regtui.registry import states

        return states.change_states(self.context, references, verb)
