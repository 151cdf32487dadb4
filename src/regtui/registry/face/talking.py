"""Talking: conflicts to settle, and comments."""

from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers_conflicts import ConflictAnswer
    from regtui.registry.answers_records import CommentAnswer
    from regtui.registry.conflicts import Choice


class TalkingVerbs(Verbs):
    """Settle conflicts, and say something about models and versions."""

    def conflicts(
        self, model: str | None = None, *, resolved: bool = False
    ) -> "list[ConflictAnswer]":
        """Return the open conflicts, oldest first.

        Args:
            model: Only those that belong to this one.
            resolved: Whether those that are settled are wanted too.

        Raises:
            NotFound: There is no such model.
        """
        from regtui.registry import conflicts

        return conflicts.conflicts(self.context, model, resolved=resolved)

    def conflict(self, identity: str) -> "ConflictAnswer":
        """Return one conflict by its id, or the beginning of it.

        Raises:
            NotFound: There is no such conflict.
            BadInput: Several ids begin so.
        """
        from regtui.registry import conflicts

        return conflicts.conflict(self.context, identity)

    def resolve(
        self,
        identity: str,
        choice: "Choice",
        *,
        value: Any = None,
        candidate: str = "",
        seen: "ConflictAnswer | None" = None,
    ) -> "ConflictAnswer":
        """Settle a conflict.

        Args:
            identity: Its id, or the beginning of it.
            choice: `accepted` keeps what stands, `mine` takes what this person asked for, `value`
                sets another value, `candidate` takes one by its operation.
            value: For `value`; for an alias a reference of a version.
            candidate: For `candidate`, the id of its operation, or the beginning or end of it.
            seen: What the person looked at; None for what is there now.

        Raises:
            NotFound: There is no such conflict or candidate.
            BadInput: It is settled already, or the choice is ambiguous, too late or impossible.
            ConflictOpen: What stands is not what the person looked at; nothing is changed.
            Denied: It is not this person's to settle.
        """
        from regtui.registry import conflicts

        return conflicts.resolve(
            self.context, identity, choice, value=value, candidate=candidate, seen=seen
        )

    def comments(self, reference: str) -> "list[CommentAnswer]":
        """Return the comments on a version, or on a model and all its versions; oldest first.

        Raises:
            NotFound: There is no such model or version.
        """
        from regtui.registry import comments

        return comments.comments(self.context, reference)

    def add_comment(self, reference: str, text: str) -> "CommentAnswer":
        """Say something about a model or version.

        Raises:
            NotFound: There is no such model or version.
            BadInput: The text is empty or too long.
        """
        from regtui.registry import comments

        return comments.add_comment(self.context, reference, text)

    def comment(self, identity: str) -> "CommentAnswer":
        """Return one comment by its id, or the beginning or end of it.

        Raises:
            NotFound: There is no such comment.
        """
        from regtui.registry import comments

        return comments.comment(self.context, identity)

    def edit_comment(self, identity: str, text: str) -> "tuple[CommentAnswer, bool]":
        """Change the text of one's own comment; tell whether anything changed.

        Args:
            identity: Its id, or the beginning or end of it.
            text: The new text.

        Raises:
            NotFound: There is no such comment.
            Denied: Somebody else wrote it.
        """
        from regtui.registry import comments

        return comments.edit_comment(self.context, identity, text)

    def withdraw_comment(self, identity: str) -> "tuple[CommentAnswer, bool]":
        """Withdraw one's own comment, which stays in the history; tell whether anything changed.

        Raises:
            NotFound: There is no such comment.
            Denied: Somebody else wrote it.
        """
        from regtui.registry import comments

        return comments.withdraw_comment(self.context, identity)
