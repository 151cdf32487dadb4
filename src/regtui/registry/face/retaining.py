"""Retention: which versions of a model keep their files."""

from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.retention import Retained
    from regtui.registry.retention_rules import RetentionRule


class RetainingVerbs(Verbs):
    """Keep rules for the versions of models, and archive what they don't keep."""

    def put_retention(self, model: str, keep: str, *, after: str = "0") -> "RetentionRule":
        """Keep a rule, in the place of another one for the same models.

        Args:
            model: A model's name, a folder of names (`team/*`), or `*` for all.
            keep: Which versions keep their files, such as `best 3, last 2`.
            after: Age since its capture up to which a version stays, such as `30d`.

        Raises:
            BadInput: Something in it means nothing, or the file of rules is malformed.
            RegtuiError: The home may not be written.
        """
        from regtui.registry import retention_rules

        rule = retention_rules.checked(
            retention_rules.RetentionRule(model=model, keep=keep, after=after)
        )
        self.context.replica.make()
        return retention_rules.put(self.context.home, rule)

    def retention_rules(self) -> "list[RetentionRule]":
        """Return the rules, in the order of their file.

        Raises:
            BadInput: The file of rules is malformed.
        """
        from regtui.registry import retention_rules

        return retention_rules.rules(self.context.home)

    def remove_retention(self, model: str) -> "RetentionRule":
        """Remove a rule and return it; files that are still here stay from then on.

        Args:
            model: The model's name or pattern, as the rule has it.

        Raises:
            NotFound: There is no such rule.
            BadInput: The name or the file of rules is malformed.
            RegtuiError: The home may not be written.
        """
        from regtui.registry import retention_rules

        return retention_rules.remove(self.context.home, model)

    def retain(self, model: str | None = None, *, dry_run: bool = False) -> "Retained":
        """Archive the versions that the rules do not keep; all of them are one step to undo.

        Args:
            model: Only those of this one; None for every model that a rule matches.
            dry_run: Whether to tell only, version by version.

        Raises:
            NotFound: There is no such model, or no rule matches it.
            BadInput: The rules or the name are malformed.
            RegtuiError: The home may not be written.
        """
        from regtui.registry import retention

        return retention.retain(self.context, model, dry_run=dry_run)
