"""`Registry`: the verbs of the registry as methods.

The face that commands, the app and Python scripts share. Each verb stands in a module of its own
and is imported when it is first used, which keeps cold commands near their floor.
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtui.core.errors import BadInput
from regtui.registry.context import Context, make_context

if TYPE_CHECKING:
    from regtui.registry.answers import (
        AliasAnswer,
        Captured,
        FileAnswer,
        ModelAnswer,
        Verified,
        VersionAnswer,
        VersionPage,
    )
    from regtui.registry.capture import Progress
    from regtui.registry.sql import Table


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
        inputs: Mapping[str, str] | None = None,
        alias: str | None = None,
        description: str | None = None,
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
            inputs: Address of datasets by name.
            alias: Alias to move to it.
            description: One line or more.
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
        """Return a version and its files, in the order of their paths.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import versions

        return versions.files(self.context, reference)

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


def open_registry(home: str | Path | None = None, *, via: str = "api") -> Registry:
    """Open a registry, made at first use.

    Args:
        home: Its folder; None for the nearest `.regtui/` upwards from here, else the user's own.
        via: What the history says the changes came from.
    """
    return Registry(make_context(None if home is None else Path(home), via))
