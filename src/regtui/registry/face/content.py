"""Content: from a folder into the store, and back."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers import Captured, Verified, VersionAnswer
    from regtui.registry.capture import Progress
    from regtui.registry.series import Series
    from regtui.registry.signing import SignatureAnswer


class ContentVerbs(Verbs):
    """Take files into the store, verify them and give them back."""

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

        request = capture.requested(
            model=model,
            metrics=metrics,
            params=params,
            tags=tags,
            parents=parents,
            inputs=inputs,
            alias=alias,
            description=description,
            series=series,
            new=new,
        )
        return capture.capture(self.context, path, request, on_progress)

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
            NotFound: There is no such version, or its files were released by retention.
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
            NotFound: There is no such version or file, or its files were released by retention.
            Damaged: Its bytes are not here.
        """
        from regtui.registry import content

        return content.path(self.context, reference, file)

    def has_files(self, reference: str) -> bool:
        """Tell whether all files of a version are stored here, as far as names and sizes tell.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import content

        return content.has_files(self.context, reference)

    def verify(
        self, reference: str | None = None, *, on_progress: "Progress | None" = None
    ) -> "Verified":
        """Read stored files again and compare them with their digests.

        Args:
            reference: Only the files of this version; None for everything.
            on_progress: Is told how many more bytes are read.

        Raises:
            NotFound: There is no such version, or its files were released by retention.
            BadInput: The rules of retention are malformed.
        """
        from regtui.registry import content

        return content.verify(self.context, reference, on_progress)

    def sign(self, reference: str) -> "tuple[list[SignatureAnswer], bool]":
        """Sign the content of a version with this replica's key; tell whether that is new.

        Raises:
            NotFound: There is no such version, or it is deleted.
        """
        from regtui.registry import signing

        return signing.sign(self.context, reference)

    def signatures(self, reference: str) -> "list[SignatureAnswer]":
        """Return the signatures of a version's content, and whether they are right.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import signing

        return signing.signatures(self.context, reference)
