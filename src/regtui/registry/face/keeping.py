"""Keeping: room, backups and health."""

from pathlib import Path
from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.backup import BackupAnswer, BackupHeader, DatabaseCopy
    from regtui.registry.capture import Progress
    from regtui.registry.doctor import Diagnosis
    from regtui.registry.du import Usage
    from regtui.registry.gc import Collected


class KeepingVerbs(Verbs):
    """Keep the registry small, safe and sound."""

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
