"""History: what was done, how it is taken back, and the proof of it."""

from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from regtui.registry.answers import VersionAnswer
    from regtui.registry.answers_audit import AuditExport, AuditRow
    from regtui.registry.audit import Anchor, Audit
    from regtui.registry.capture import Progress
    from regtui.registry.history import OperationAnswer, OperationPage
    from regtui.registry.holders import HolderAnswer
    from regtui.registry.report import Format, Reported
    from regtui.registry.revert import Reverted
    from regtui.registry.undo import Undone


class HistoryVerbs(Verbs):
    """Tell what was done, take it back and prove it."""

    def log(  # noqa: PLR0913 -- everything by which operations are chosen
        self,
        reference: str | None = None,
        *,
        author: str | None = None,
        kind: str | None = None,
        since: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> "OperationPage":
        """Return a page of what was done, newest first.

        Args:
            reference: Only with a model, version, alias (`MODEL@ALIAS`) or `dataset:NAME`.
            author: Only by this person.
            kind: Only of this kind, such as `version.edit`.
            since: Not older than `7d` or than a date.
            limit: Operations of the page.
            after: Cursor of the page before.

        Raises:
            NotFound: There is no such model, version, alias, dataset or person.
            BadInput: The reference, kind, time, limit or cursor is malformed.
        """
        from regtui.registry import history

        return history.log(
            self.context,
            reference,
            author=author,
            kind=kind,
            since=since,
            limit=limit,
            after=after,
        )

    def follow(
        self,
        reference: str | None = None,
        *,
        author: str | None = None,
        kind: str | None = None,
        wait: "Callable[[float], object] | None" = None,
    ) -> "Iterator[OperationAnswer]":
        """Yield what is done from now on, by whatever process, without end.

        Args:
            reference: Only with a model, version, alias (`MODEL@ALIAS`) or `dataset:NAME`.
            author: Only by this person.
            kind: Only of this kind.
            wait: Lets some seconds pass; what it raises ends the following.

        Raises:
            NotFound: There is no such model, version, alias, dataset or person.
            BadInput: The reference or kind is malformed.
        """
        from regtui.registry import following

        return following.follow(self.context, reference, author=author, kind=kind, wait=wait)

    def undo(self, operation: str | None = None, *, dry_run: bool = False) -> "Undone":
        """Take back what somebody did at once: with an operation, or this person's last by hand.

        Args:
            operation: Number, id or its unique beginning; None for the last that is in effect.
            dry_run: Whether to tell only.

        Raises:
            NotFound: There is no such operation, or nothing to undo.
            BadInput: A value was set again since, or it is undone already.
            ConflictOpen: It would open a conflict.
        """
        from regtui.registry import undo

        return undo.undo(self.context, operation, dry_run=dry_run)

    def redo(self, operation: str | None = None, *, dry_run: bool = False) -> "Undone":
        """Take back an undo: that of an operation, or this person's last.

        Args:
            operation: What was undone, or the undo; None for the newest undo after which this
                person changed nothing by hand.
            dry_run: Whether to tell only.

        Raises:
            NotFound: There is no such operation, or nothing to redo.
            BadInput: A value was set again since, or it is in effect.
            ConflictOpen: It would open a conflict.
        """
        from regtui.registry import undo

        return undo.redo(self.context, operation, dry_run=dry_run)

    def revert(self, reference: str, to: str | None = None) -> "Reverted":
        """Move an alias back to where it pointed before; again, further back.

        Args:
            reference: The alias, as `MODEL@ALIAS`.
            to: A version of the model; None for the one before.

        Raises:
            NotFound: There is no such alias or version, the version is deleted, or it pointed
                nowhere before.
            BadInput: The reference names no alias, or the version is archived or of another model.
        """
        from regtui.registry import revert

        return revert.revert(self.context, reference, to)

    def before(self, reference: str) -> "VersionAnswer | None":
        """Return the version that `revert` would move an alias to; None where there is none.

        Raises:
            NotFound: There is no such model or alias.
            BadInput: The reference names no alias.
        """
        from regtui.registry import revert

        return revert.before(self.context, reference)

    def holders(self, reference: str) -> "list[HolderAnswer]":
        """Return where an alias, given as `MODEL@ALIAS`, pointed, newest first.

        Raises:
            NotFound: There is no such model or alias.
            BadInput: The reference names no alias.
        """
        from regtui.registry import holders

        return holders.holders(self.context, reference)

    def verify_history(
        self,
        anchor: str | None = None,
        *,
        remote: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "Audit":
        """Recompute everything that vouches for the registry's history.

        Args:
            anchor: A text of `anchor()`, kept elsewhere, that the history has to extend.
            remote: Whether to read the history of the server, too, and compare it.
            on_progress: Is told how many more operations and documents were looked at.

        Raises:
            BadInput: The anchor is malformed or that of another registry.
            NotFound: The server is to be asked, and nobody is signed in to one.
            Unreachable: It does not answer.
        """
        from regtui.registry import audit

        return audit.verify(self.context, anchor, on_progress, remote=remote)

    def anchor(self) -> "Anchor":
        """Return the present moment of the history as a short text, to be kept elsewhere."""
        from regtui.registry import audit

        return audit.anchor(self.context)

    def export_audit(  # noqa: PLR0913 -- what of, how and where to
        self,
        reference: str | None,
        target: "str | Path | BinaryIO",
        *,
        form: str = "jsonl",
        since: str | None = None,
        replace: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "AuditExport":
        """Write who did what, when, from where and on whose approval, oldest first.

        Args:
            reference: A model, version, alias (`MODEL@ALIAS`), `env:NAME`, `dataset:NAME` or
                `person:NAME`; None for everything.
            target: A new file, or an open stream.
            form: `jsonl` or `csv`.
            since: Not older than `7d` or than a date.
            replace: Whether a file of that name may be replaced.
            on_progress: Is told how many more operations were written.

        Raises:
            NotFound: There is no such thing.
            BadInput: The reference, format or time is malformed, or the target is taken.
            RegtuiError: The target can't be written.
        """
        from regtui.registry import audit_export

        return audit_export.export_audit(
            self.context,
            reference,
            target,
            form=form,
            since=since,
            replace=replace,
            on_progress=on_progress,
        )

    def audit_rows(
        self, reference: str | None = None, *, since: str | None = None
    ) -> "Iterator[AuditRow]":
        """Yield what `export_audit` writes, row by row.

        Args:
            reference: As there.
            since: Not older than `7d` or than a date.

        Raises:
            NotFound: There is no such thing.
            BadInput: The reference or time is malformed.
        """
        from regtui.registry import audit_export

        return audit_export.audit_rows(self.context, reference, since=since)

    def report(self, reference: str, target: "str | Path", *, replace: bool = False) -> "Reported":
        """Write all that is known of a model or version into a file, `.md` or `.html`.

        Args:
            reference: The model or version.
            target: A new file; its suffix says as what.
            replace: Whether a file of that name may be replaced.

        Raises:
            NotFound: There is no such model or version.
            BadInput: The target is taken, or has another suffix.
            RegtuiError: The target can't be written.
        """
        from regtui.registry import report

        return report.report(self.context, reference, target, replace=replace)

    def report_text(self, reference: str, form: "Format" = "markdown") -> str:
        """Return all that is known of a model or version, as Markdown or HTML.

        Raises:
            NotFound: There is no such model or version.
            BadInput: The reference is malformed.
        """
        from regtui.registry import report

        return report.report_text(self.context, reference, form)
