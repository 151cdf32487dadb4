"""`Registry`: the verbs of the registry as methods.

The face that commands, the app and Python scripts share. Each verb stands in a module of its own
and is imported when it is first used, which keeps cold commands near their floor.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from regtui.core.errors import BadInput
from regtui.registry.context import Context, make_context

if TYPE_CHECKING:
    from regtui.registry.answers import (
        AliasAnswer,
        Captured,
        FileAnswer,
        ModelAnswer,
        TensorAnswer,
        Verified,
        VersionAnswer,
        VersionPage,
    )
    from regtui.registry.answers_bundle import Exported, ImportedRegistry, ImportedVersion
    from regtui.registry.answers_compare import (
        DiffAnswer,
        LineageAnswer,
        PlaceAnswer,
        PlotAnswer,
    )
    from regtui.registry.answers_conflicts import ConflictAnswer
    from regtui.registry.answers_records import CommentAnswer, DatasetAnswer, MadeFrom
    from regtui.registry.audit import Anchor, Audit
    from regtui.registry.backup import BackupAnswer, BackupHeader, DatabaseCopy
    from regtui.registry.capture import Progress
    from regtui.registry.conflicts import Choice
    from regtui.registry.contested import Listener
    from regtui.registry.doctor import Diagnosis
    from regtui.registry.du import Usage
    from regtui.registry.gc import Collected
    from regtui.registry.history import OperationAnswer, OperationPage
    from regtui.registry.holders import HolderAnswer
    from regtui.registry.revert import Reverted
    from regtui.registry.series import Series
    from regtui.registry.sql import Table
    from regtui.registry.undo import Undone


class Registry:
    """A registry on this machine.

    It holds no file open: each call is a short unit of work, so any number of processes may use
    one registry at the same time. Beside what each method names, all of them may raise `Busy`
    (others held it past the deadline) and `Damaged` (the database is damaged).

    Args:
        context: What to work on; `regtui.open()` makes it.
    """

    def __init__(self, context: Context) -> None:
        self.context = context

    @property
    def home(self) -> Path:
        """The folder that holds the registry."""
        return self.context.home

    def capture(  # noqa: PLR0913 -- everything that may be known of a version, by name
        self,
        path: str | Path,
        *,
        model: str | None = None,
        metrics: Mapping[str, float | tuple[float, int | None]] | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        parents: Iterable[str] = (),
        inputs: Mapping[str, str | None] | None = None,
        alias: str | None = None,
        description: str | None = None,
        series: "Mapping[str, Series] | None" = None,
        new: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "Captured":
        """Make a version of a file or folder; content that is there already gives its version.

        Args:
            path: The file or folder.
            model: Name of the model; None derives it from the file or folder.
            metrics: Value by name, or value and step.
            params: Value by name.
            tags: Value by name.
            parents: References of versions that it was made from.
            inputs: Address of datasets by name; None takes over that of a known one.
            alias: Alias to move to it.
            description: One line or more.
            series: Curves by metric (`regtui.registry.series.parse_series` reads a CSV file's).
            new: Make a version even of content that is there.
            on_progress: Is told how many more bytes are stored.

        Raises:
            NotFound: There is no such path, or no such parent.
            BadInput: A name or value is malformed, or there is nothing that can be stored.
            RegtuiError: A file can't be read or changed meanwhile, or the disk is full.
        """
        from regtui.registry import capture

        request = capture.CaptureRequest(
            model=model,
            metrics={
                name: value if isinstance(value, tuple) else (value, None)
                for name, value in (metrics or {}).items()
            },
            params=params or {},
            tags=tags or {},
            parents=tuple(parents),
            inputs=inputs or {},
            alias=alias,
            description=description,
            series=series or {},
            new=new,
        )
        if path == "":
            raise BadInput("there is no path to capture", "name a file or folder")
        return capture.capture(self.context, Path(path), request, on_progress)

    def versions(
        self, query: str = "", *, limit: int = 50, after: str | None = None
    ) -> "VersionPage":
        """Return a page of the versions that a query asks for.

        Args:
            query: In the query language.
            limit: Versions of the page.
            after: Cursor of the page before.

        Raises:
            QueryError: The query is malformed; it knows where.
            BadInput: The cursor is malformed or belongs to another query.
        """
        from regtui.registry import pages

        return pages.versions(self.context, query, limit=limit, after=after)

    def count(self, query: str = "") -> int:
        """Return how many versions a query asks for.

        Raises:
            QueryError: The query is malformed.
        """
        from regtui.registry import pages

        return pages.count(self.context, query)

    def version(self, reference: str) -> "VersionAnswer":
        """Return one version, whatever its state.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference is malformed or names a model.
        """
        from regtui.registry import versions

        return versions.version(self.context, reference)

    def files(self, reference: str) -> "tuple[VersionAnswer, list[FileAnswer]]":
        """Return a version and what is known of its files, in the order of their paths.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import versions

        return versions.files(self.context, reference)

    def tensors(self, reference: str) -> "tuple[VersionAnswer, list[TensorAnswer]]":
        """Return a version and its tensors, by file and in the order of each file.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import versions

        return versions.tensors(self.context, reference)

    def models(self, pattern: str | None = None, *, state: str = "active") -> "list[ModelAnswer]":
        """Return the models, by name.

        Args:
            pattern: A name, a name's beginning up to a `/`, or a glob with `*`.
            state: Only those in this state; `any` for all.
        """
        from regtui.registry import models

        return models.models(self.context, pattern, state=state)

    def model(self, reference: str) -> "ModelAnswer":
        """Return one model.

        Raises:
            NotFound: There is no such model.
        """
        from regtui.registry import models

        return models.model(self.context, reference)

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

    def edit(self, reference: str, wanted: Mapping[str, Any]) -> bool:
        """Change values of a model or version; False where they are there already.

        Args:
            reference: A model or version.
            wanted: Value by path, such as `tags/env`; None takes it away. A metric is a number or
                a pair of value and step.

        Raises:
            NotFound: There is no such model or version, or it is deleted.
            BadInput: A path or value is malformed.
        """
        from regtui.registry import edit

        return edit.edit(self.context, reference, wanted)

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

    def set_alias(self, reference: str, name: str) -> bool:
        """Point an alias to a version; False where it points there already.

        Raises:
            NotFound: There is no such version, or it is deleted.
            BadInput: The alias name is malformed or reserved.
        """
        from regtui.registry import aliases

        return aliases.set_alias(self.context, reference, name)

    def remove_alias(self, reference: str) -> None:
        """Take an alias, given as `MODEL@ALIAS`, away.

        Raises:
            NotFound: There is no such model or alias.
            BadInput: The reference does not name an alias.
        """
        from regtui.registry import aliases

        aliases.remove_alias(self.context, reference)

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

    def checkout(
        self,
        reference: str,
        target: str | Path,
        *,
        link: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "VersionAnswer":
        """Write the files of a version into a new or empty folder, verified, all or nothing.

        Args:
            reference: The version.
            target: The folder.
            link: Hard link to the stored, read-only files instead of copying them.
            on_progress: Is told how many more bytes are written.

        Raises:
            NotFound: There is no such version.
            BadInput: The target holds something already.
            Damaged: A stored file is missing or not what it was.
            RegtuiError: The disk is full or the target can't be written.
        """
        from regtui.registry import content

        return content.checkout(
            self.context, reference, Path(target), link=link, on_progress=on_progress
        )

    def path(self, reference: str, file: str | None = None) -> Path:
        """Return where a file of a version is stored, to be read and never written.

        Args:
            reference: The version.
            file: The file's path in the version; None where it has just one.

        Raises:
            NotFound: There is no such version or file.
            Damaged: Its bytes are not here.
        """
        from regtui.registry import content

        return content.path(self.context, reference, file)

    def verify(
        self, reference: str | None = None, *, on_progress: "Progress | None" = None
    ) -> "Verified":
        """Read stored files again and compare them with their digests.

        Args:
            reference: Only the files of this version; None for everything.
            on_progress: Is told how many more bytes are read.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import content

        return content.verify(self.context, reference, on_progress)

    def sql(self, statement: str) -> "Table":
        """Run one SELECT statement over the documented views, read-only.

        Raises:
            BadInput: It is no single SELECT statement, or it is malformed.
        """
        from regtui.registry import sql

        return sql.sql(self.context, statement)

    def write_parquet(self, statement: str, target: str | Path) -> int:
        """Write the rows of one SELECT statement into a Parquet file; return how many.

        Raises:
            BadInput: It is no single SELECT statement, or it is malformed.
            RegtuiError: The file can't be written.
        """
        from regtui.registry import sql

        return sql.write_parquet(self.context, statement, Path(target))

    def gc(self, *, grace: int = 14 * 86_400, dry_run: bool = False) -> "Collected":
        """Remove stored files that no version needs any more.

        Args:
            grace: Seconds for which what is not needed is kept.
            dry_run: Whether to tell only.

        Raises:
            RegtuiError: The store may not be written.
        """
        from regtui.registry import gc

        return gc.gc(self.context, grace=grace, dry_run=dry_run)

    def du(self, reference: str | None = None) -> "Usage":
        """Tell how many bytes are needed by what, largest first.

        Args:
            reference: A model, for its versions, or one version; None for all models and the home.

        Raises:
            NotFound: There is no such model or version.
        """
        from regtui.registry import du

        return du.du(self.context, reference)

    def create_backup(
        self,
        target: str | Path,
        *,
        artifacts: bool = True,
        replace: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "BackupAnswer":
        """Write the whole registry into one file; others may write meanwhile.

        Args:
            target: A new file, or a folder for one that is named after the time.
            artifacts: Whether the stored files go into it too.
            replace: Whether a file of that name may be replaced.
            on_progress: Is told how many more bytes are copied.

        Raises:
            BadInput: The target is taken, or lies inside the registry.
            RegtuiError: The target can't be written.
        """
        from regtui.registry import backup

        return backup.create(
            self.context,
            Path(target),
            artifacts=artifacts,
            replace=replace,
            on_progress=on_progress,
        )

    def restore_backup(
        self, file: str | Path, *, on_progress: "Progress | None" = None
    ) -> "BackupAnswer":
        """Make this registry, whose home is new or empty, from a backup; all or nothing.

        Args:
            file: The backup.
            on_progress: Is told how many more bytes are read.

        Raises:
            NotFound: There is no such file.
            BadInput: It is no backup, or the home holds something already.
            Damaged: The backup is not what it was.
        """
        from regtui.registry import backup

        return backup.restore(self.context, Path(file), on_progress)

    def verify_backup(
        self, file: str | Path, *, on_progress: "Progress | None" = None
    ) -> "BackupAnswer":
        """Compare everything in a backup with its digests.

        Args:
            file: The backup.
            on_progress: Is told how many more bytes are read.

        Raises:
            NotFound: There is no such file.
            BadInput: It is no backup.
            Damaged: It is not what it was.
        """
        from regtui.registry import backup

        return backup.verify(Path(file), on_progress)

    def describe_backup(self, file: str | Path) -> "BackupHeader":
        """Return what a backup says of itself; nothing of it is checked.

        Raises:
            NotFound: There is no such file.
            BadInput: It is no backup.
        """
        from regtui.registry import backup

        return backup.describe(Path(file))

    def database_copies(self) -> "list[DatabaseCopy]":
        """Return the copies of the database that the registry keeps by itself, newest first."""
        from regtui.registry import backup

        return backup.copies(self.context)

    def doctor(
        self,
        *,
        repair: bool = False,
        rebuild: bool = False,
        deep: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "Diagnosis":
        """Examine the registry, and mend what can be mended without losing anything.

        Args:
            repair: Whether to mend.
            rebuild: Whether to make the typed tables anew in any case.
            deep: Whether to read every stored file again.
            on_progress: Is told how many more bytes are read.
        """
        from regtui.registry import doctor

        return doctor.doctor(
            self.context, repair=repair, rebuild=rebuild, deep=deep, on_progress=on_progress
        )

    def diff(self, before: str, after: str) -> "DiffAnswer":
        """Return how two versions differ: values, surroundings, files and tensors.

        Raises:
            NotFound: There is no such version.
            BadInput: A reference is malformed or names a model.
        """
        from regtui.registry import diff

        return diff.diff(self.context, before, after)

    def lineage(
        self, reference: str, *, up: bool = True, down: bool = True, depth: int | None = None
    ) -> "LineageAnswer":
        """Return what a version was made from, and what was made from it.

        Args:
            reference: The version.
            up: Whether ancestors are wanted.
            down: Whether descendants are wanted.
            depth: Steps to go; None for all.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference is malformed or names a model.
        """
        from regtui.registry import lineage

        return lineage.lineage(self.context, reference, up=up, down=down, depth=depth)

    def places(self, reference: str) -> "list[PlaceAnswer]":
        """Return the places where a version's content was found, oldest first, with their context.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference is malformed or names a model.
        """
        from regtui.registry import surroundings

        return surroundings.places(self.context, reference)

    def plot(self, references: Iterable[str], metric: str | None = None) -> "PlotAnswer":
        """Return the points of a metric: of versions, or over the versions of models.

        Args:
            references: Versions or models.
            metric: Its name; None for the primary metric of the first one's model.

        Raises:
            NotFound: There is no such model or version, or none of them has the metric.
            BadInput: Models and versions are mixed, or no metric is chosen.
        """
        from regtui.registry import plot

        return plot.plot(self.context, tuple(references), metric)

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

    def export(
        self,
        reference: str | None,
        target: "str | Path | BinaryIO",
        *,
        artifacts: bool = True,
        replace: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "Exported":
        """Write one version, or the whole registry, as a bundle; others may write meanwhile.

        Args:
            reference: The version; None for the whole registry.
            target: A new file, or a stream that is open for writing bytes.
            artifacts: Whether the stored files go into it too.
            replace: Whether a file of that name may be replaced.
            on_progress: Is told how many more bytes are copied.

        Raises:
            NotFound: There is no such version, or it is deleted.
            BadInput: The target is taken, or lies inside the registry.
            Damaged: A stored file is missing or not what it was.
            RegtuiError: The target can't be written.
        """
        from regtui.registry import export

        to = Path(target) if isinstance(target, str) else target
        if reference is None:
            return export.export_registry(
                self.context, to, artifacts=artifacts, replace=replace, on_progress=on_progress
            )
        return export.export_version(
            self.context,
            reference,
            to,
            artifacts=artifacts,
            replace=replace,
            on_progress=on_progress,
        )

    def import_bundle(
        self,
        source: "str | Path | BinaryIO",
        *,
        model: str | None = None,
        dry_run: bool = False,
        on_progress: "Progress | None" = None,
    ) -> "ImportedVersion | ImportedRegistry":
        """Take in a bundle of a version or of a registry, verified to its end first.

        Args:
            source: The bundle, or a stream that is open for reading bytes.
            model: Name of the model to put a version in; None for the one that it comes from.
            dry_run: Whether to tell only.
            on_progress: Is told how many more bytes are read.

        Raises:
            NotFound: There is no such file.
            BadInput: It is no bundle, or the home holds another registry than the bundle.
            Damaged: It is not what it was.
            RegtuiError: It can't be read, or the disk is full.
        """
        from regtui.registry import import_

        given = Path(source) if isinstance(source, str) else source
        return import_.import_bundle(
            self.context, given, model=model, dry_run=dry_run, on_progress=on_progress
        )

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

    def put_dataset(self, name: str, values: Mapping[str, Any]) -> "tuple[DatasetAnswer, bool]":
        """Make a dataset known, or change what is known of it; tell whether anything changed.

        Args:
            name: Its name, such as `team/reviews`.
            values: Value by path: `uri`, `digest`, `description`, `tags/NAME`; None takes it away.

        Raises:
            BadInput: The name or a value is malformed, or a new one has no address.
        """
        from regtui.registry import datasets

        return datasets.put_dataset(self.context, name, values)

    def remove_dataset(self, name: str) -> "DatasetAnswer":
        """Remove a dataset; versions that were made from it keep its address.

        Raises:
            NotFound: There is no such dataset.
        """
        from regtui.registry import datasets

        return datasets.remove_dataset(self.context, name)

    def datasets(self, pattern: str | None = None) -> "list[DatasetAnswer]":
        """Return the datasets, by name.

        Args:
            pattern: A name, a name's beginning up to a `/`, or a glob with `*`.
        """
        from regtui.registry import datasets

        return datasets.datasets(self.context, pattern)

    def dataset(self, name: str) -> "DatasetAnswer":
        """Return one dataset.

        Raises:
            NotFound: There is no such dataset.
        """
        from regtui.registry import datasets

        return datasets.dataset(self.context, name)

    def made_from(self, name: str) -> "list[MadeFrom]":
        """Return the versions that were made from a dataset, by model and number.

        Raises:
            NotFound: There is no such dataset.
        """
        from regtui.registry import datasets

        return datasets.made_from(self.context, name)

    def origins(
        self,
        reference: str,
        *,
        inputs: Mapping[str, str | None] | None = None,
        parents: Iterable[str] = (),
        without: Iterable[str] = (),
    ) -> dict[str, Any]:
        """Return what `edit` has to set for a version to have been made from these.

        Args:
            reference: The version.
            inputs: Address by name; None takes over that of the dataset of this name.
            parents: References of versions that it was made from.
            without: References of versions that it was not made from.

        Raises:
            NotFound: There is no such version or dataset.
            BadInput: It is a model, or a parent of itself.
        """
        from regtui.registry import origins

        return origins.origins(
            self.context, reference, inputs=inputs or {}, parents=parents, without=without
        )

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

        request = history.LogRequest(reference=reference, author=author, kind=kind, since=since)
        return history.log(self.context, request, limit=limit, after=after)

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
        from regtui.registry import following, history

        request = history.LogRequest(reference=reference, author=author, kind=kind)
        return following.follow(self.context, request, wait)

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

    def holders(self, reference: str) -> "list[HolderAnswer]":
        """Return where an alias, given as `MODEL@ALIAS`, pointed, newest first.

        Raises:
            NotFound: There is no such model or alias.
            BadInput: The reference names no alias.
        """
        from regtui.registry import holders

        return holders.holders(self.context, reference)

    def verify_history(
        self, anchor: str | None = None, *, on_progress: "Progress | None" = None
    ) -> "Audit":
        """Recompute everything that vouches for the registry's history.

        Args:
            anchor: A text of `anchor()`, kept elsewhere, that the history has to extend.
            on_progress: Is told how many more operations and documents were looked at.

        Raises:
            BadInput: The anchor is malformed or that of another registry.
        """
        from regtui.registry import audit

        return audit.verify(self.context, anchor, on_progress)

    def anchor(self) -> "Anchor":
        """Return the present moment of the history as a short text, to be kept elsewhere."""
        from regtui.registry import audit

        return audit.anchor(self.context)


def open_registry(
    home: str | Path | None = None, *, via: str = "api", listener: "Listener | None" = None
) -> Registry:
    """Open a registry, made at first use.

    Args:
        home: Its folder; None for the nearest `.regtui/` upwards from here, else the user's own.
        via: What the history says the changes came from.
        listener: Is told of references through contested aliases, and may refuse them.
    """
    return Registry(make_context(None if home is None else Path(home), via, listener))
