"""Carrying: bundles of a version or of the whole registry."""

from typing import TYPE_CHECKING, BinaryIO

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from pathlib import Path

    from regtui.registry.answers_bundle import Exported, ImportedRegistry, ImportedVersion
    from regtui.registry.capture import Progress


class CarryingVerbs(Verbs):
    """Carry versions and registries as single files."""

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

        return export.export(
            self.context,
            reference,
            target,
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

        return import_.import_bundle(
            self.context, source, model=model, dry_run=dry_run, on_progress=on_progress
        )
